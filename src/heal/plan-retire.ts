/** Plans the retirement of a config server: this node, or one that is dead. Pure. */
import {type SetChange} from '../membership/change.ts';
import {epochOnWord, nextEpoch, type NodeUuid} from '../membership/ids.ts';
import {serverName, serverNames} from '../membership/reasons.ts';
import {hasServer, makeServerSet, type ServerSet} from '../membership/server-set.ts';
import {type ClusterObservation, type PlanResult, refuse, type Refusal, type Step} from './plan.ts';
import {stepsAfterDecision} from './plan-completion.ts';
import {
	agreedSet,
	allServing,
	listeners,
	nextAttempt,
	nodeName,
	nothingToHeal,
	oneFilesystem,
	sizeWarnings,
} from './plan-conditions.ts';

export interface RetireRequest {
	readonly subject: NodeUuid;
	/** The operator's word that the machine is off for good. Counts only where the cluster can't know better. */
	readonly force: boolean;
}

const notServing = (o: ClusterObservation, set: ServerSet, subject: NodeUuid): Refusal | undefined =>
	hasServer(set, subject)
		? undefined
		: refuse(
				`${nodeName(o, subject)} is not a config server`,
				`The config servers of epoch ${set.epoch} are: ${serverNames(set)}`,
			);

const lastServer = (set: ServerSet): Refusal | undefined =>
	set.servers.length > 1
		? undefined
		: refuse(
				'the last config server can not be retired: the configuration would be gone',
				'Make another node a config server first: run `hfs_config serve` there.',
			);

/** A remote node that shows any sign of life has to leave by itself: it may be writing. */
const alive = (o: ClusterObservation, subject: NodeUuid): Refusal | undefined => {
	if (subject === o.self.uuid) return undefined;
	const answer = o.answers.get(subject);
	const sign = o.up.has(subject)
		? 'its brick is up'
		: answer?.kind === 'report'
			? 'its hekafsd answers'
			: answer?.kind === 'invalid'
				? `something answers at ${answer.address}`
				: undefined;
	if (sign === undefined) return undefined;
	return refuse(
		`${nodeName(o, subject)} is alive (${sign}) and can't be retired from here`,
		'Run `hfs_config retire` on that node; or stop its hekafsd first, if it will never serve again.',
	);
};

const changeOf = (o: ClusterObservation, from: ServerSet, {subject, force}: RetireRequest): SetChange => ({
	format: 1,
	kind: 'retire',
	from,
	to: makeServerSet(
		from.filesystemId,
		force ? epochOnWord(from.epoch) : nextEpoch(from.epoch),
		from.servers.filter(s => s.uuid !== subject),
		nextAttempt(o),
	),
	subject,
	by: o.self.uuid,
	startedAt: o.now,
	forced: force,
});

/** A copy that is older than what somebody has seen is not to be served: who serves the newer one has to come back. */
const newerKnown = (o: ClusterObservation, from: ServerSet): Refusal | undefined => {
	for (const [uuid, answer] of o.answers) {
		const set = answer.kind === 'report' ? answer.report.set : null;
		if (set?.filesystemId === from.filesystemId && set.epoch > from.epoch)
			return refuse(
				`${nodeName(o, uuid)} knows epoch ${set.epoch}, this node only epoch ${from.epoch}: its copy may be older`,
				`Start a config server of epoch ${set.epoch}: ${serverNames(set)}`,
			);
	}
	return undefined;
};

/**
 * Of two servers the first is dead: GlusterFS gives the other one no quorum, so there is no lock to take and nothing to
 * look at. Only an operator can know that the first one isn't merely cut off and serving its side.
 */
const planWithoutQuorum = (
	o: ClusterObservation,
	from: ServerSet,
	{subject, force}: RetireRequest,
): PlanResult => {
	const dead = nodeName(o, subject);
	const survivor = from.servers.find(s => s.uuid !== subject)!;
	if (survivor.uuid !== o.self.uuid)
		return refuse(
			`without ${dead} there is no quorum, so only the other server can retire it`,
			`Run it on ${serverName(survivor)}: hfs_config retire ${subject} --force`,
		);
	if (o.state?.brick == null)
		return refuse(
			"this node's brick directory is not known, so the copy that is left can't be served",
			'Restore state.json in its state directory from a backup.',
			'HEKAFS_STATE_INVALID',
		);
	if (!force)
		return refuse(
			`without ${dead} there is no quorum, and from here it can't be told whether it is dead or only cut off; if it is alive, writes made there would be lost`,
			`If that machine is off and will never come back: hfs_config retire ${subject} --force`,
		);
	const change = changeOf(o, from, {subject, force});
	const {to} = change;
	const servers = [survivor.uuid];
	return {
		kind: 'plan',
		from,
		to,
		change,
		steps: [
			{kind: 'closeGate'},
			{kind: 'prepareServers', servers},
			{kind: 'startBricks', servers},
			{kind: 'mountMaintenance', need: 'all'},
			{kind: 'decide', servers},
			...stepsAfterDecision(change, {
				by: survivor.uuid,
				now: o.now,
				members: listeners(o),
				brick: o.state.brick.directory,
			}),
		],
		warnings: [...sizeWarnings(to), `${dead} must never be started again with its old brick.`],
	};
};

const stepsOf = (o: ClusterObservation, change: SetChange, dead: boolean): readonly Step[] => {
	const {self, now, state} = o;
	const {from, subject} = change;
	const members = listeners(o);
	const servers = from.servers.map(s => s.uuid).filter(uuid => !dead || uuid !== subject);
	return [
		{kind: 'lock'},
		{kind: 'requireHealthy', except: dead ? subject : undefined},
		{kind: 'writeChange', change},
		{kind: 'closeGate'},
		{kind: 'tellMembersSwitching', members},
		{kind: 'prepareServers', servers},
		{kind: 'startBricks', servers},
		{kind: 'requireHealed', servers},
		{kind: 'mountMaintenance', need: 'all'},
		{kind: 'decide', servers},
		...stepsAfterDecision(change, {by: self.uuid, now, members, brick: state?.brick?.directory}),
	];
};

/** The set that this node last knew, when it is the one of two that lost its quorum with the other. */
const halvedSet = (o: ClusterObservation, subject: NodeUuid): ServerSet | undefined => {
	const set = o.state?.set;
	const unsure = o.verdict === undefined || o.verdict.kind === 'unknown';
	return unsure && set?.servers.length === 2 && set.servers[0]!.uuid === subject ? set : undefined;
};

/**
 * Refused for the last server, for who isn't one, for a remote node that is alive, and while the others aren't whole.
 * A dead server of two that breaks the ties needs `force`.
 */
export const planRetire = (o: ClusterObservation, request: RetireRequest): PlanResult => {
	const {subject} = request;
	const halved = subject === o.self.uuid ? undefined : halvedSet(o, subject);
	if (halved !== undefined)
		return alive(o, subject) ?? newerKnown(o, halved) ?? planWithoutQuorum(o, halved, request);
	const from = agreedSet(o);
	if ('kind' in from) return from;
	const dead = !o.up.has(subject);
	const refusal =
		notServing(o, from, subject) ??
		lastServer(from) ??
		alive(o, subject) ??
		oneFilesystem(o, from) ??
		allServing(
			o,
			from.servers.filter(s => s.uuid !== subject),
		) ??
		nothingToHeal(o, {pendingAllowed: dead});
	if (refusal !== undefined) return refusal;
	// The operator's word counts only where the cluster can't know better.
	const change = changeOf(o, from, {subject, force: false});
	const {to} = change;
	return {
		kind: 'plan',
		from,
		to,
		change,
		steps: stepsOf(o, change, dead),
		warnings: sizeWarnings(to),
	};
};
