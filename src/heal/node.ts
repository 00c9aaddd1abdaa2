/** What the loop, a change of the set and the requests of other nodes share: this node, its ports, what it knows now. */
import {HekafsError} from '../errors.ts';
import {type SetChange} from '../membership/change.ts';
import {type Gate} from '../membership/gate.ts';
import {type NodeUuid, type SetId} from '../membership/ids.ts';
import {type NodeState} from '../membership/node-state.ts';
import {type Reason} from '../membership/reason.ts';
import {type Answer, type Ask, vote} from '../membership/vote.ts';
import {type Clock, sleep} from './clock.ts';
import {type Look} from './look.ts';
import {type StateStore} from './node-state-store.ts';
import {type Bricks, type GenerationMount, type Mounts, type OverlayControl, type PeerPort} from './ports.ts';

export interface Ports extends Clock {
	readonly gate: Gate;
	readonly stateStore: StateStore;
	readonly mounts: Mounts;
	readonly bricks: Bricks;
	readonly overlay: OverlayControl;
	readonly peers: PeerPort;
	/** One line to the log. */
	readonly log: (text: string) => void;
	/** Called before and after each step of a change, with `before:N` or `after:N`; only tests give one. */
	readonly atStep?: ((at: string) => Promise<void>) | undefined;
}

/** How long a peer's word that it changes the set keeps writers waiting, when nothing more is heard. */
export const SWITCHING_LIMIT_MS = 30_000;
/** How long closing the gate waits for mutations in flight. One that hangs longer is cut off by the fence. */
const DRAIN_LIMIT_MS = 3000;
const DRAIN_POLL_MS = 5;

export class Node {
	readonly self: NodeUuid;
	readonly ports: Ports;
	state: NodeState | undefined;
	current: GenerationMount | undefined;
	look: Look | undefined;
	/** When the mount in use last answered. */
	answeredAtMs = 0;
	/** The newest recorded epoch that this node has heard of: waiting for an older one is pointless. */
	heardEpoch = 0;
	/** What is wrong beyond the mount; by source, so that each source replaces its own. */
	readonly problems = new Map<'brick' | 'copy' | 'discovery' | 'mount' | 'self-heal', Reason>();
	/** The new set of the change that this node carries out now. */
	acting: SetId | undefined;
	/** When this node last heard that somebody carries out the change that is pending here. */
	pendingHeardAtMs: number;
	#switching: {readonly why: string; readonly untilMs: number} | undefined;
	#queue: Promise<unknown> = Promise.resolve();
	#bricks: Promise<unknown> = Promise.resolve();
	#waiting = 0;

	constructor(self: NodeUuid, ports: Ports) {
		this.self = self;
		this.ports = ports;
		this.state = ports.stateStore.read();
		this.pendingHeardAtMs = ports.now();
	}

	/** @param state undefined: this node belongs to no filesystem */
	setState(state: NodeState | undefined): void {
		if (state === undefined) this.ports.stateStore.remove();
		else this.ports.stateStore.write(state);
		this.state = state;
	}

	/** Answers as a server of the old set; what the answer rests on is written down before (P1). */
	vote(change: SetChange, ask: Ask): Answer {
		const {state} = this;
		if (state === undefined) return {kind: 'behind'};
		const {set, closed, pending} = state;
		const {voter, answer} = vote({set, closed, pending}, change, ask);
		if (voter.pending !== pending || voter.closed !== closed || voter.set !== set)
			this.setState({...state, ...voter});
		return answer;
	}

	/**
	 * One start or stop of this node's brick at a time. Short, unlike a turn: an answer to another node can't wait for that.
	 */
	async withBrick<T>(action: () => Promise<T>): Promise<T> {
		const turn = this.#bricks.then(action);
		this.#bricks = turn.catch(() => undefined);
		return turn;
	}

	/** The change under way, as a sentence. */
	get switching(): string | undefined {
		return this.#switching !== undefined && this.ports.now() < this.#switching.untilMs
			? this.#switching.why
			: undefined;
	}

	/** Closes the gate for a change that ends soon, and waits (bounded) for the mutations in flight (I2). */
	async closeForSwitch(why: string, limitMs = SWITCHING_LIMIT_MS): Promise<void> {
		this.#switching = {why, untilMs: this.ports.now() + limitMs};
		const {gate} = this.ports;
		if (gate.set({...gate.view(), state: 'switching'})) this.ports.overlay.gateChanged();
		const deadline = this.ports.now() + DRAIN_LIMIT_MS;
		while (gate.inFlight > 0 && this.ports.now() < deadline) await sleep(this.ports, DRAIN_POLL_MS);
	}

	endSwitch(): void {
		this.#switching = undefined;
	}

	/** Whether a change or a correction is being carried out or waits for its turn. */
	get busy(): boolean {
		return this.#waiting > 0;
	}

	/**
	 * Runs one thing at a time that moves mounts, bricks or the state.
	 * @throws HekafsError HEKAFS_BUSY when its turn does not come within `waitMs`
	 */
	async exclusive<T>(waitMs: number, action: () => Promise<T>): Promise<T> {
		let tooLate = false;
		let started = false;
		const before = this.#queue;
		this.#waiting++;
		const turn = before.then(async () => {
			if (tooLate) return undefined;
			started = true;
			return {value: await action()};
		});
		this.#queue = turn.catch(() => undefined);
		let callOff: () => void = () => undefined;
		const late = new Promise<never>((_, reject) => {
			callOff = this.ports.after(waitMs, () => {
				if (started) return;
				tooLate = true;
				reject(
					new HekafsError('HEKAFS_BUSY', 'this node is carrying out another change', {
						remedy: 'Wait for it, then look with: hfs_config status',
					}),
				);
			});
		});
		try {
			const result = await Promise.race([turn, late]);
			if (result === undefined) throw new Error('BUG: a turn that came too late has run');
			return result.value;
		} finally {
			callOff();
			this.#waiting--;
		}
	}
}
