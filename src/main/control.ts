/** What hfs_config may ask of this daemon, carried out by heal/. */
import os from 'node:os';
import {HekafsError} from '../errors.ts';
import {describeCorrection} from '../heal/correct.ts';
import {type Changes} from '../heal/changes.ts';
import {type Decision} from '../heal/decide.ts';
import {initialise} from '../heal/initialise.ts';
import {initialTree} from '../heal/initial-tree.ts';
import {type Loop} from '../heal/loop.ts';
import {type Node} from '../heal/node.ts';
import {startServing} from '../heal/serving.ts';
import {
	type Control,
	type ControlContext,
	type ControlResult,
	type HistoryRequest,
	type InitRequest,
	type LogRequest,
	type PlanView,
	type VersionRequest,
} from '../http/control.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {type Member} from '../membership/report.ts';
import {tellHistory, tellVersion} from './history.ts';
import {type Journal} from './journal.ts';
import {tellLog} from './log.ts';

export interface ControlOptions {
	readonly node: Node;
	readonly loop: Loop;
	readonly changes: Changes;
	readonly members: () => readonly Member[];
	readonly backend: 'gluster' | 'local';
	/** The client volfile of a set, as this node uses it. */
	readonly volfile: (set: ServerSet) => string;
	readonly journal: Journal;
	readonly mountpoint: string;
}

/** `init` waits this long for what this node is doing just now. */
const INIT_WAIT_MS = 15_000;
/** How long `heal` waits for a count of what is left. */
const COUNT_LIMIT_MS = 10_000;

const HOW_TO_WATCH =
	'it is being filled from the others and counts as a copy only then; watch it with: hfs_config status (until it is healthy)';

const notHere = (what: string): HekafsError =>
	new HekafsError(
		'HEKAFS_REFUSED',
		`${what} needs the gluster backend; this hekafsd runs with --backend local`,
		{
			remedy: 'A local directory has no servers. Start hekafsd without --backend.',
		},
	);

export class DaemonControl implements Control {
	readonly #o: ControlOptions;

	constructor(options: ControlOptions) {
		this.#o = options;
	}

	async serve(
		{found, wait}: {found: boolean; wait: boolean},
		{progress}: ControlContext,
	): Promise<ControlResult> {
		this.#requireGluster('serve');
		const text = await this.#o.changes.serve({found, wait, progress});
		const isAlone = (this.#o.node.state?.set.servers.length ?? 1) === 1;
		return {text: wait || isAlone ? text : `${text}\n${HOW_TO_WATCH}`};
	}

	async retire(
		{node, force}: {node: Node['self'] | undefined; force: boolean},
		{progress}: ControlContext,
	): Promise<ControlResult> {
		this.#requireGluster('retire');
		if (force)
			this.#o.node.ports.log(
				`forced by the operator, who says that ${node ?? 'this node'} is off for good: what only it holds is given up`,
			);
		return {text: await this.#o.changes.retire({subject: node ?? this.#o.node.self, force, progress})};
	}

	async init({tree}: InitRequest, {progress}: ControlContext): Promise<ControlResult> {
		const {node, loop, members} = this.#o;
		const decision = await loop.turnNow();
		const store = node.current?.store;
		if (store === undefined || decision.gate !== 'open') {
			throw new HekafsError(
				'HEKAFS_REFUSED',
				`writes are refused now: ${decision.reasons.map(r => r.text).join('; ')}`,
				{
					remedy: decision.reasons[0]?.remedy ?? 'Look with: hfs_config status',
				},
			);
		}
		progress('filling in the initial values');
		const entries =
			tree ??
			initialTree({
				filesystemId: node.state?.filesystemId,
				servers: node.state?.set.servers ?? [],
				// A node that is no server is not among them by itself.
				members: [...members(), {uuid: node.self, addresses: [os.hostname()]}],
			});
		// One at a time on this node; between nodes the lock in the filesystem decides.
		const count = await node.exclusive(INIT_WAIT_MS, async () =>
			initialise(store, entries, `${node.self}-${process.pid}`),
		);
		return {text: `the config filesystem is initialised: ${entries.length} entries, ${count} at the top`};
	}

	async heal({progress}: ControlContext): Promise<ControlResult> {
		progress('looking, healing and counting');
		this.#o.loop.recount();
		const {node} = this.#o;
		const set = node.current?.set;
		if (set !== undefined) await startServing(node, set);
		return this.#result(await this.#o.loop.untilCounted(COUNT_LIMIT_MS));
	}

	async verify(): Promise<ControlResult> {
		return this.#result(await this.#o.loop.turnNow());
	}

	async remount({progress}: ControlContext): Promise<ControlResult> {
		this.#requireGluster('remount');
		const {node, loop, changes} = this.#o;
		const set = node.state?.set;
		if (set === undefined)
			throw new HekafsError('HEKAFS_REFUSED', 'there is no config filesystem to mount', {
				remedy: 'Found one with: hfs_config serve',
			});
		progress(`mounting epoch ${set.epoch} anew`);
		await changes.remount();
		const {health} = await loop.turnNow();
		return {text: `generation ${node.current?.generation ?? 0} is in use`, health};
	}

	async log(request: LogRequest, context: ControlContext): Promise<ControlResult> {
		await tellLog(this.#o, request, context);
		return {text: ''};
	}

	async history(request: HistoryRequest, context: ControlContext): Promise<ControlResult> {
		await tellHistory(this.#o, request, context);
		return {text: ''};
	}

	async version(request: VersionRequest, context: ControlContext): Promise<ControlResult> {
		await tellVersion(this.#o, request, context);
		return {text: ''};
	}

	async plan(): Promise<PlanView> {
		const {loop} = this.#o;
		const correction = await loop.plannedCorrection();
		const {health, reasons} = loop.decision;
		const why = reasons.map(r => r.text).join('; ') || 'everything is as it should be';
		return {
			summary: correction.kind === 'none' ? `${health}; nothing to do` : `${health}; one step`,
			steps:
				correction.kind === 'none'
					? []
					: [{name: correction.kind, text: describeCorrection(correction), why}],
		};
	}

	// eslint-disable-next-line @typescript-eslint/require-await -- the interface is asynchronous, this answer is at hand
	async volfile(): Promise<string> {
		this.#requireGluster('volfile');
		const {node} = this.#o;
		const set = node.current?.set ?? node.state?.set;
		if (set === undefined) {
			throw new HekafsError('HEKAFS_REFUSED', 'there is no config filesystem, so it has no volfile', {
				remedy: 'Found one with: hfs_config serve',
			});
		}
		return this.#o.volfile(set);
	}

	#result({health, reasons}: Decision): ControlResult {
		return {text: [health, ...reasons.map(r => `${r.code}: ${r.text}`)].join('\n'), health};
	}

	#requireGluster(what: string): void {
		if (this.#o.backend === 'local') throw notHere(what);
	}
}
