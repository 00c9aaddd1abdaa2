/** The loop: looks through the mount, decides, moves the gate, corrects. It owns the gate and the clock (I1, I2). */
import createDebug from 'debug';
import {type FilesystemId, type NodeUuid} from '../membership/ids.ts';
import {reasonFor} from '../membership/reasons.ts';
import {type Reason} from '../membership/reason.ts';
import {setIdOf} from '../membership/server-set.ts';
import {sleep} from './clock.ts';
import {chooseCorrection, type Correction, correct} from './correct.ts';
import {decide, type Decision, type Facts} from './decide.ts';
import {HealCounter} from './heal-counter.ts';
import {type Knowledge, newestOf} from './knowledge.ts';
import {lookThrough} from './look.ts';
import {type Node} from './node.ts';
import {type Heals} from './ports.ts';
import {Reads, START_GRACE_MS} from './reads.ts';
import {exportedSet} from './serving.ts';

const debug = createDebug('hekafs:heal');

/** Markers and connections are looked at this often; together with a mount's 1 s caches the gate closes within 2 s. */
const TURN_MS = 500;
/** After a correction that failed. */
const RETRY_MS = 2000;
const COUNT_POLL_MS = 200;
/** Nobody is heard of who carries a change out for three rounds of discovery: it is settled by its servers. */
const ORPHANED_MS = 6500;
const ORPHANED_STAGGER_MS = 2500;

export interface LoopOptions {
	readonly node: Node;
	readonly knowledge: () => Knowledge;
	/** Called after each turn, also when nothing changed. */
	readonly afterTurn: (decision: Decision) => void;
}

export class Loop {
	readonly #options: LoopOptions;
	readonly #heals = new HealCounter();
	readonly #reads: Reads;
	/** Calls the next turn off. */
	#callOff: () => void = () => undefined;
	/** Calls off that reads go to the copy when nothing is mounted yet. */
	#callOffStart: () => void = () => undefined;
	#turning: Promise<void> | undefined;
	#again = false;
	#stopping = false;
	#retryAtMs = 0;
	#upBefore: ReadonlySet<NodeUuid> = new Set();
	#decision: Decision;

	constructor(options: LoopOptions) {
		this.#options = options;
		this.#reads = new Reads(options.node);
		this.#decision = decide(this.#facts());
	}

	get decision(): Decision {
		return this.#decision;
	}

	get heals(): Heals | undefined {
		return this.#heals.heals;
	}

	start(): void {
		const {node} = this.#options;
		// The first turn may wait long for a mount that never comes about: reads don't wait for it. (P4)
		this.#callOffStart = node.ports.after(START_GRACE_MS, () => {
			if (!this.#stopping && node.current === undefined) this.#moveGate();
		});
		this.nudge();
	}

	/** Discovery has new answers. */
	learnt(): void {
		const {node, knowledge} = this.#options;
		const newest = newestOf(knowledge().sets, node.state?.filesystemId);
		node.heardEpoch = Math.max(node.heardEpoch, newest?.epoch ?? 0);
		const pending = node.state?.pending;
		if (pending != null && knowledge().acting.includes(setIdOf(pending.change.to)))
			node.pendingHeardAtMs = node.ports.now();
		this.nudge();
	}

	/** Looks again soon; never acts from within the caller. */
	nudge(): void {
		if (this.#stopping) return;
		if (this.#turning !== undefined) {
			this.#again = true;
			return;
		}
		this.#callOff();
		this.#turning = this.#turn().finally(() => {
			this.#turning = undefined;
			if (this.#stopping) return;
			const again = this.#again;
			this.#again = false;
			this.#callOff = this.#options.node.ports.after(again ? 0 : TURN_MS, () => this.nudge());
		});
	}

	/** One whole turn now; for `verify`, and after a change. */
	async turnNow(): Promise<Decision> {
		await this.#turning;
		this.nudge();
		await this.#turning;
		return this.#decision;
	}

	/** Counts heals anew. */
	recount(): void {
		this.#heals.disturb();
		this.nudge();
	}

	/** Turns until the heals are known, or for `limitMs`. */
	async untilCounted(limitMs: number): Promise<Decision> {
		const {node} = this.#options;
		const deadline = node.ports.now() + limitMs;
		let decision = await this.turnNow();
		while (decision.verdict === 'agreed' && this.heals === undefined && node.ports.now() < deadline) {
			if (node.current?.set === undefined) break;
			await sleep(node.ports, COUNT_POLL_MS);
			decision = await this.turnNow();
		}
		return decision;
	}

	/** Closes the gate for good. */
	async stop(): Promise<void> {
		this.#stopping = true;
		this.#callOff();
		this.#callOffStart();
		this.#moveGate();
		await this.#turning;
	}

	/** What this node would do by itself now. */
	async plannedCorrection(): Promise<Correction> {
		const {node} = this.#options;
		const {state} = node;
		const directory = state?.brick?.directory;
		const exported = exportedSet(state, node.self);
		return chooseCorrection({
			self: node.self,
			state,
			brickRunning:
				directory === undefined ||
				exported === undefined ||
				// A start that failed half-way (the brick runs, its self-heal daemon does not) is tried again.
				(!node.problems.has('brick') && (await node.ports.bricks.running(exported, directory))),
			orphaned: this.#orphaned(),
			newestKnown:
				this.#otherFilesystem() !== undefined
					? undefined
					: newestOf(this.#options.knowledge().sets, state?.filesystemId),
			mounted: node.current?.set,
			mountAlive: (await node.current?.alive()) ?? false,
			silentForMs: this.#silentForMs(),
			decision: this.#decision,
		});
	}

	async #turn(): Promise<void> {
		const {node} = this.#options;
		const mount = node.current;
		if (mount !== undefined) {
			const look = await lookThrough(mount);
			debug('generation %d: %s', mount.generation, look.kind);
			// A switch may have happened meanwhile: an answer of an older generation is dropped (I6).
			if (node.current === mount) {
				node.look = look;
				if (look.kind === 'seen' || look.kind === 'local') node.answeredAtMs = node.ports.now();
			}
		}
		this.#noticeServers();
		this.#moveGate();
		void this.#countHeals();
		// While a change is under way this node follows when it is told, or when the others stop being heard of.
		const waits = node.switching !== undefined && !this.#orphaned();
		if (!this.#stopping && !waits && !node.busy && node.ports.now() >= this.#retryAtMs) await this.#correct();
	}

	async #correct(): Promise<void> {
		const {node} = this.#options;
		const correction = await this.plannedCorrection();
		// Before peers were asked, one that was away does nothing: a newer set may be in use.
		if (correction.kind === 'none' || !this.#options.knowledge().asked) return;
		await node.exclusive(0, async () => correct(node, correction)).catch(() => undefined);
		if (node.problems.has('mount') || node.problems.has('brick'))
			this.#retryAtMs = node.ports.now() + RETRY_MS;
		this.#heals.disturb();
		this.#moveGate();
		this.#again = true;
	}

	async #countHeals(): Promise<void> {
		const {node} = this.#options;
		const set = node.current?.set;
		if (set === undefined || this.#decision.verdict !== 'agreed') return;
		const changed = await this.#heals.turn(node.ports.now(), set, async s => node.ports.bricks.countHeals(s));
		if (changed) this.nudge();
	}

	#noticeServers(): void {
		const {look} = this.#options.node;
		const up = look?.kind === 'seen' ? look.view.up : new Set<NodeUuid>();
		const same = up.size === this.#upBefore.size && [...up].every(uuid => this.#upBefore.has(uuid));
		this.#upBefore = up;
		if (!same) this.#heals.disturb();
	}

	/** One server after the other: two that settle at once hold each other up. */
	#orphaned(): boolean {
		const {node} = this.#options;
		const pending = node.state?.pending;
		if (pending == null || node.acting !== undefined) return false;
		const {servers} = pending.change.from;
		const place = servers.findIndex(server => server.uuid === node.self);
		const patience = ORPHANED_MS + (place < 0 ? servers.length : place) * ORPHANED_STAGGER_MS;
		return node.ports.now() - node.pendingHeardAtMs > patience;
	}

	#silentForMs(): number {
		const {node} = this.#options;
		return node.look?.kind === 'silent' ? node.ports.now() - node.answeredAtMs : 0;
	}

	/** Another filesystem than ours among the peers. More than one in a cluster is a fault that nobody may write over. */
	#otherFilesystem(): {readonly ours: FilesystemId; readonly other: FilesystemId} | undefined {
		const {node, knowledge} = this.#options;
		const {sets} = knowledge();
		const ours = node.state?.filesystemId ?? sets[0]?.set.filesystemId;
		const other = sets.find(({set}) => set.filesystemId !== ours)?.set.filesystemId;
		return ours === undefined || other === undefined ? undefined : {ours, other};
	}

	#notMounted(): Reason {
		const {node, knowledge} = this.#options;
		const {asked, sets, alone, hints} = knowledge();
		const failed = node.problems.get('mount');
		if (failed !== undefined) return failed;
		if (node.state !== undefined || !asked || sets.length > 0) return reasonFor.starting();
		// Who can't be asked may well serve: that is not to be called "no filesystem".
		return hints[0] ?? (alone ? reasonFor.noMembers() : reasonFor.noFilesystem());
	}

	#facts(): Facts {
		const {node, knowledge} = this.#options;
		const two = this.#otherFilesystem();
		return {
			look: node.current === undefined ? undefined : node.look,
			silentForMs: this.#silentForMs(),
			failedForMs: node.ports.now() - node.answeredAtMs,
			switching: node.switching,
			stopping: this.#stopping,
			blocking: two === undefined ? [] : [reasonFor.twoFilesystems(two.ours, two.other)],
			problems: [...node.problems.values()],
			hints: knowledge().hints,
			notMounted: this.#notMounted(),
			heals: this.#heals.heals,
		};
	}

	/** Decides and moves the gate; closing comes before everything else, so this runs before any correction (I2). */
	#moveGate(): void {
		const {node, afterTurn} = this.#options;
		this.#reads.choose();
		this.#decision = decide(this.#facts());
		const {gate, overlay} = node.ports;
		const changed = gate.set({
			state: this.#decision.gate,
			generation: node.current?.generation ?? gate.view().generation,
			epoch: node.current?.set?.epoch ?? 0,
			degraded: this.#decision.degraded,
		});
		this.#reads.apply();
		if (changed) {
			overlay.gateChanged();
			node.ports.log(
				`gate ${this.#decision.gate}${this.#decision.degraded ? ', degraded' : ''}: ${this.#decision.reasons.map(r => r.text).join('; ') || 'healthy'}`,
			);
		}
		afterTurn(this.#decision);
	}
}
