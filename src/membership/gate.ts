/**
 * The gate: the one cell that says whether mutations are admitted. One writer (heal/loop.ts, main thread), many readers
 * (the overlay's worker threads), so it lives in shared memory. It starts closed, and it closes by itself when its
 * writer stops renewing the lease (P3: closed on doubt).
 */
import {type Generation} from './ids.ts';

/** `refusing`: a mutation gets EROFS at once. `switching`: it waits, bounded, for `open`. */
export type GateState = 'refusing' | 'switching' | 'open';
const STATES = ['refusing', 'switching', 'open'] as const satisfies readonly GateState[];

export interface GateView {
	readonly state: GateState;
	readonly generation: Generation;
	readonly epoch: number;
	/** Writes are admitted, but a server is down or heals are pending. */
	readonly degraded: boolean;
}

const STATE = 0;
const GENERATION = 1;
const EPOCH = 2;
const DEGRADED = 3;
/** Counts up with every change; readers that wait sleep on it. */
const CHANGES = 4;
/** Mutations being carried out now. */
const IN_FLIGHT = 5;
/** CLOCK_MONOTONIC in ms, wraps at 2^32; compared by signed difference. */
const LEASE_UNTIL = 6;
/** When `switching` began, on the same clock. */
const SWITCHING_SINCE = 7;
const CELLS = 8;

/** How long an unrenewed open gate stays open. The loop renews at least every 500 ms. */
export const GATE_LEASE_MS = 5000;

const nowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n) | 0;

export const createGateBuffer = (): SharedArrayBuffer =>
	new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT);

/** Reads the gate and admits mutations; any thread. */
export class GateReader {
	protected readonly cells: Int32Array;
	readonly #now: () => number;

	constructor(buffer: SharedArrayBuffer, now: () => number = nowMs) {
		this.cells = new Int32Array(buffer);
		this.#now = now;
	}

	get state(): GateState {
		const state = STATES[Atomics.load(this.cells, STATE)] ?? 'refusing';
		if (state === 'open' && ((Atomics.load(this.cells, LEASE_UNTIL) - this.#now()) | 0) <= 0)
			return 'refusing';
		return state;
	}

	view(): GateView {
		return {
			state: this.state,
			generation: Atomics.load(this.cells, GENERATION) as Generation,
			epoch: Atomics.load(this.cells, EPOCH),
			degraded: Atomics.load(this.cells, DEGRADED) === 1,
		};
	}

	/**
	 * Asks to mutate. Counted as in flight *before* the state is read, so that a writer that closes the gate and then
	 * waits for zero in flight can't miss one (P1).
	 * @param waitMs how long to wait while the gate is `switching`, counted from when it began to be: the kernel runs the
	 * mutations of a directory one by one, so that waits of their own would add up (P5)
	 * @returns the generation in which the mutation is admitted; 0 when refused. After a non-zero answer call `leave`.
	 */
	enter(waitMs: number): number {
		for (;;) {
			const changes = Atomics.load(this.cells, CHANGES);
			Atomics.add(this.cells, IN_FLIGHT, 1);
			const state = this.state;
			if (state === 'open') return Atomics.load(this.cells, GENERATION);
			this.leave();
			const left = (Atomics.load(this.cells, SWITCHING_SINCE) + waitMs - this.#now()) | 0;
			if (state === 'refusing' || left <= 0) return 0;
			Atomics.wait(this.cells, CHANGES, changes, left);
		}
	}

	leave(): void {
		Atomics.sub(this.cells, IN_FLIGHT, 1);
	}

	get inFlight(): number {
		return Atomics.load(this.cells, IN_FLIGHT);
	}
}

/** The gate's one writer. */
export class Gate extends GateReader {
	readonly #clock: () => number;

	constructor(buffer: SharedArrayBuffer = createGateBuffer(), now: () => number = nowMs) {
		super(buffer, now);
		this.#clock = now;
		this.buffer = buffer;
	}

	readonly buffer: SharedArrayBuffer;

	/** Stores a new state and wakes those that wait. @returns whether anything that a reader can see changed. */
	set(view: GateView): boolean {
		const before = this.view();
		// Leaving `open` happens first, entering it last: no reader sees `open` with another generation's number.
		if (view.state === 'switching' && before.state !== 'switching')
			Atomics.store(this.cells, SWITCHING_SINCE, this.#clock());
		if (view.state !== 'open') Atomics.store(this.cells, STATE, STATES.indexOf(view.state));
		Atomics.store(this.cells, GENERATION, view.generation);
		Atomics.store(this.cells, EPOCH, view.epoch);
		Atomics.store(this.cells, DEGRADED, view.degraded ? 1 : 0);
		this.renew();
		if (view.state === 'open') Atomics.store(this.cells, STATE, STATES.indexOf('open'));
		const changed =
			before.state !== view.state ||
			before.generation !== view.generation ||
			before.epoch !== view.epoch ||
			before.degraded !== view.degraded;
		if (changed) {
			Atomics.add(this.cells, CHANGES, 1);
			Atomics.notify(this.cells, CHANGES);
		}
		return changed;
	}

	/** Prolongs the lease of an open gate; called at each turn of the loop. */
	renew(): void {
		Atomics.store(this.cells, LEASE_UNTIL, (this.#clock() + GATE_LEASE_MS) | 0);
	}
}
