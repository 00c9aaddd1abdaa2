/** The table of this node's figures: name, type, meaning, and how each is read. docs/INTERFACE.md has the same table. */
import {BOUNDS_MS, RESULTS, type Tallied} from '../../fuse/tally.ts';
import {REASON_CODES} from '../../membership/reason.ts';
import {type StatusReport} from '../../membership/report.ts';
import {byKind, type KindFigures} from './kinds.ts';
import {type RefusalReason} from './refusals.ts';

/** Of the overlay; all 0 while it is not mounted. */
export interface RequestFigures {
	readonly workers: number;
	readonly inFlight: number;
	readonly queued: number;
	readonly overdueAnswered: number;
	readonly requests: number;
	readonly refused: number;
	readonly nodes: number;
	readonly handles: number;
	readonly switches: number;
}

export interface JournalFigures {
	/** By node: the number of its last change that is known here. */
	readonly counters: ReadonlyMap<string, number>;
	/** Records of this node that are not written yet. */
	readonly waiting: number;
	/** Records that found no room and are lost. */
	readonly dropped: number;
}

/** One moment of this node. */
export interface Moment {
	readonly report: StatusReport;
	readonly fuse: RequestFigures;
	readonly tallied: readonly Tallied[];
	readonly refusals: ReadonlyMap<RefusalReason, number>;
	readonly journal: JournalFigures;
}

export interface Sample {
	readonly value: number;
	readonly labels: Readonly<Record<string, string | number>>;
	/** With the suffix that parts of a histogram have. */
	readonly metricName?: string;
}

export interface Figure {
	readonly name: string;
	readonly type: 'gauge' | 'counter' | 'histogram';
	readonly help: string;
	readonly samples: (moment: Moment) => readonly Sample[];
}

const one = (value: number): readonly Sample[] => [{value, labels: {}}];
const perhaps = (value: number | null | undefined): readonly Sample[] => (value == null ? [] : one(value));

const gauge = (name: string, help: string, samples: Figure['samples']): Figure => ({
	name,
	type: 'gauge',
	help,
	samples,
});
const counter = (name: string, help: string, samples: Figure['samples']): Figure => ({
	...gauge(name, help, samples),
	type: 'counter',
});

/** A sample for each word, 1 for those that hold now. */
const states = (
	label: string,
	words: readonly string[],
	holds: (word: string) => boolean,
): readonly Sample[] => words.map(word => ({value: Number(holds(word)), labels: {[label]: word}}));

const NAME_OF_DURATIONS = 'hekafs_operation_duration_seconds';

const histogram = ({kind, durations, durationsMs}: KindFigures): readonly Sample[] => {
	let count = 0;
	const buckets = durations.map((n, i) => {
		const bound = BOUNDS_MS[i];
		count += n;
		const labels = {le: bound === undefined ? '+Inf' : bound / 1000, kind};
		return {value: count, labels, metricName: `${NAME_OF_DURATIONS}_bucket`};
	});
	return [
		...buckets,
		{value: durationsMs / 1000, labels: {kind}, metricName: `${NAME_OF_DURATIONS}_sum`},
		{value: count, labels: {kind}, metricName: `${NAME_OF_DURATIONS}_count`},
	];
};

const OF_THE_CLUSTER: readonly Figure[] = [
	gauge('hekafs_build_info', 'Always 1; the label is the version of hekafsd', m => [
		{value: 1, labels: {version: m.report.version}},
	]),
	gauge('hekafs_healthy', 'Whether writes are admitted, all servers are up and nothing is pending', m =>
		one(Number(m.report.health === 'healthy')),
	),
	gauge('hekafs_health', 'Which health this node has: 1 for the one that holds', m =>
		states('health', ['healthy', 'degraded', 'refusing'], word => word === m.report.health),
	),
	gauge('hekafs_verdict', 'Mounted servers against the markers: 1 for the verdict that holds', m =>
		states('verdict', ['agreed', 'disagreed', 'unknown'], word => word === m.report.verdict),
	),
	gauge('hekafs_gate_open', 'Whether writes are admitted (1) or not (0)', m =>
		one(Number(m.report.gate.state === 'open')),
	),
	gauge('hekafs_gate_state', 'State of the gate: 1 for the one that holds', m =>
		states('state', ['open', 'switching', 'refusing'], word => word === m.report.gate.state),
	),
	gauge('hekafs_reason', 'Reasons for not being healthy: 1 for those that hold', m =>
		states('code', REASON_CODES, word => m.report.reasons.some(reason => reason.code === word)),
	),
	gauge('hekafs_epoch', 'Number of the server set, 0 while there is none', m =>
		one(m.report.set?.epoch ?? 0),
	),
	gauge('hekafs_servers', 'Config servers in the set', m => one(m.report.servers.length)),
	gauge('hekafs_servers_up', 'Config servers whose bricks this node is connected to', m =>
		one(m.report.servers.filter(server => server.up).length),
	),
	gauge('hekafs_server_up', 'Whether this node is connected to the brick of a config server', m =>
		m.report.servers.map(({uuid, address, up}) => ({value: Number(up), labels: {uuid, address}})),
	),
	gauge('hekafs_members', 'Other members of the cluster', m => one(m.report.members.length)),
	gauge('hekafs_members_connected', 'Other members that glusterd is connected to', m =>
		one(m.report.members.filter(member => member.connected).length),
	),
	gauge(
		'hekafs_brick_running',
		'Whether the brick of this node runs; absent when it is no config server',
		m => perhaps(m.report.brick === null ? null : Number(m.report.brick.running)),
	),
	gauge('hekafs_heals_pending', 'Entries that wait for a heal, -1 when unknown', m =>
		one(m.report.heals?.pending ?? -1),
	),
	gauge('hekafs_split_brain', 'Entries in split brain, -1 when unknown', m =>
		one(m.report.heals?.splitBrain ?? -1),
	),
	gauge('hekafs_generation', 'Number of the private mount in use, 0 when there is none', m =>
		one(m.report.gate.generation),
	),
	counter('hekafs_generation_switches_total', 'How often a private mount came into use', m =>
		one(m.fuse.switches),
	),
];

const OF_THE_COPY: readonly Figure[] = [
	gauge('hekafs_copy_serving', "Whether reads come from this node's copy", m =>
		one(Number(m.report.copy?.serving === true)),
	),
	gauge('hekafs_copy_age_seconds', 'Age of the copy; absent while there is none', m =>
		perhaps(m.report.copy?.ageSeconds),
	),
	gauge('hekafs_copy_files', 'Files in the copy', m => one(m.report.copy?.files ?? 0)),
	gauge('hekafs_copy_bytes', 'Bytes of content in the copy', m => one(m.report.copy?.bytes ?? 0)),
	gauge('hekafs_copy_unreadable', 'Files that the last look could not read', m =>
		one(m.report.copy?.unreadable ?? 0),
	),
	gauge('hekafs_journal_counter', 'Number of the last change of a node that is known here', m =>
		[...m.journal.counters].map(([node, value]) => ({value, labels: {node}})),
	),
	gauge('hekafs_journal_waiting', 'Records of this node that are not written yet', m =>
		one(m.journal.waiting),
	),
	counter('hekafs_journal_dropped_total', 'Records that found no room and are lost', m =>
		one(m.journal.dropped),
	),
];

const OF_THE_OVERLAY: readonly Figure[] = [
	counter('hekafs_operations_total', 'File operations that were answered, by kind and result', m =>
		byKind(m.tallied).flatMap(({kind, results}) =>
			results.map((value, i) => ({value, labels: {kind, result: RESULTS[i]!}})),
		),
	),
	{
		name: NAME_OF_DURATIONS,
		type: 'histogram',
		help: 'How long file operations ran that are not answered from memory, by kind',
		samples: m => byKind(m.tallied).flatMap(histogram),
	},
	counter('hekafs_refusals_total', 'Operations refused with EROFS, by the reason that stood first', m =>
		[...REASON_CODES, 'other' as const].map(reason => ({
			value: m.refusals.get(reason) ?? 0,
			labels: {reason},
		})),
	),
	counter(
		'hekafs_deadline_answers_total',
		'Operations answered with ETIMEDOUT because they took too long',
		m => one(m.fuse.overdueAnswered),
	),
	counter('hekafs_fuse_requests_total', "The kernel's requests, those without an answer included", m =>
		one(m.fuse.requests),
	),
	counter('hekafs_fuse_requests_rejected_total', 'Requests that found the queue full', m =>
		one(m.fuse.refused),
	),
	gauge('hekafs_fuse_requests', 'As hekafs_fuse_requests_total', m => one(m.fuse.requests)),
	gauge('hekafs_fuse_requests_overdue', 'As hekafs_deadline_answers_total', m => one(m.fuse.overdueAnswered)),
	gauge('hekafs_fuse_requests_in_flight', 'Requests being carried out', m => one(m.fuse.inFlight)),
	gauge('hekafs_fuse_requests_queued', 'Requests that wait for a thread', m => one(m.fuse.queued)),
	gauge('hekafs_fuse_workers', 'Threads that serve the overlay', m => one(m.fuse.workers)),
	gauge('hekafs_known_files', 'Files that the kernel knows', m => one(m.fuse.nodes)),
	gauge('hekafs_open_handles', 'Open files and directories, locks included', m => one(m.fuse.handles)),
];

/** In the order in which they are shown. */
export const FIGURES: readonly Figure[] = [...OF_THE_CLUSTER, ...OF_THE_COPY, ...OF_THE_OVERLAY];
