/**
 * Whose turn it is to read from the device. One worker reads and runs what it has read; the others stand by, asleep. Threads
 * that all block in read(2) take turns at each request, which costs a wake-up, a cold cache and code compiled in every one
 * of them. One of those who stand by, the deputy, looks after the reader: it takes the turn over when a request runs long,
 * so that no request waits behind one that hangs.
 */
import type {Control} from './control.ts';

/** The worker that reads, by slot + 1; 0: the turn is free. */
const READER = 0;
/** The worker that looks after it, by slot + 1. */
const DEPUTY = 1;
/** Counts what the deputy is to look at: a free turn, a reader that runs something while the deputy sleeps deeply. */
const CALLS = 2;
/** 1 while the deputy sleeps until it is called. */
const ASLEEP = 3;
/** Counts the changes of the deputy; the others wait for it. */
const CHANGES = 4;
const CELLS = 5;

/** How long a request may run before the deputy takes the turn; between one and two times as long in fact. */
const PATIENCE_MS = 1;
/** Looks without any request, after which the deputy sleeps until it is called. */
const CALM_LOOKS = 20;
/** Nobody sleeps longer: the end of the session and the pool's wish to be smaller are seen then at the latest. */
const LONGEST_SLEEP_MS = 250;
/** Kinds of requests that take longer than this as a rule (GlusterFS: 0.3 to 20 ms) hand the turn on before they run. */
const QUICK_MS = 0.15;
/** Weight of the newest request in the memory of how long its kind takes. */
const NEWEST = 0.25;
const OPCODES = 64;

export const createTurnBuffer = (): SharedArrayBuffer =>
	new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT);

/** Ends every sleep; any thread. */
export const callEverybody = (buffer: SharedArrayBuffer): void => {
	const cells = new Int32Array(buffer);
	for (const cell of [CALLS, CHANGES]) {
		Atomics.add(cells, cell, 1);
		Atomics.notify(cells, cell);
	}
};

/** Main thread, after a thread has ended: what it was, another may be. */
export const leaveTurn = (buffer: SharedArrayBuffer, slot: number): void => {
	const cells = new Int32Array(buffer);
	for (const cell of [READER, DEPUTY]) Atomics.compareExchange(cells, cell, slot + 1, 0);
	callEverybody(buffer);
};

/** One worker's part. */
export class ReadingTurn {
	readonly #buffer: SharedArrayBuffer;
	readonly #cells: Int32Array;
	readonly #control: Control;
	readonly #me: number;
	/** By opcode: how long requests of this kind took of late, in ms. */
	readonly #usualMs = new Float64Array(OPCODES);

	constructor(control: Control, buffer: SharedArrayBuffer, slot: number) {
		this.#control = control;
		this.#buffer = buffer;
		this.#cells = new Int32Array(buffer);
		this.#me = slot + 1;
	}

	get mine(): boolean {
		return Atomics.load(this.#cells, READER) === this.#me;
	}

	/**
	 * Waits until this worker is to read.
	 * @param leaves whether this worker is to end, asked now and then
	 * @returns false when the session has ended or the worker leaves
	 */
	take(leaves: () => boolean): boolean {
		const cells = this.#cells;
		while (!leaves() && this.#control.ended === undefined) {
			if (this.mine || Atomics.compareExchange(cells, READER, 0, this.#me) === 0) return true;
			const changes = Atomics.load(cells, CHANGES);
			if (Atomics.compareExchange(cells, DEPUTY, 0, this.#me) !== 0) {
				Atomics.wait(cells, CHANGES, changes, LONGEST_SLEEP_MS);
				continue;
			}
			const taken = this.#lookAfterReader();
			Atomics.store(cells, DEPUTY, 0);
			Atomics.add(cells, CHANGES, 1);
			Atomics.notify(cells, CHANGES, 1);
			if (taken) return true;
		}
		this.letGo();
		return false;
	}

	/** The deputy's watch. @returns whether the turn is this worker's now */
	#lookAfterReader(): boolean {
		const cells = this.#cells;
		let before = 0;
		let calm = 0;
		while (this.#control.ended === undefined) {
			const calls = Atomics.load(cells, CALLS);
			const reader = Atomics.load(cells, READER);
			const running = reader === 0 ? 0 : this.#control.runningMark(reader - 1);
			const overlong = running !== 0 && running === before;
			// The old reader may have come back meanwhile: then two read for once, which harms nobody.
			if ((reader === 0 || overlong) && Atomics.compareExchange(cells, READER, reader, this.#me) === reader)
				return true;
			calm = running === before && running === 0 ? calm + 1 : 0;
			before = running;
			if (calm < CALM_LOOKS) {
				Atomics.wait(cells, CALLS, calls, PATIENCE_MS);
				continue;
			}
			Atomics.store(cells, ASLEEP, 1);
			// Once more after the store: a reader that began before it did not call.
			if (this.#control.runningMark(reader - 1) === 0) Atomics.wait(cells, CALLS, calls, LONGEST_SLEEP_MS);
			Atomics.store(cells, ASLEEP, 0);
		}
		return false;
	}

	/** The turn is free: the deputy takes it. */
	letGo(): void {
		const cells = this.#cells;
		if (Atomics.compareExchange(cells, READER, this.#me, 0) !== this.#me) return;
		this.#call();
		if (this.#control.ended !== undefined) callEverybody(this.#buffer);
	}

	#call(): void {
		Atomics.add(this.#cells, CALLS, 1);
		Atomics.notify(this.#cells, CALLS);
	}

	/** Before this worker runs a request that may hang, which it has recorded as running. */
	begin(opcode: number): void {
		if (this.#usualMs[opcode & (OPCODES - 1)]! > QUICK_MS) this.letGo();
		else if (Atomics.load(this.#cells, ASLEEP) === 1) this.#call();
	}

	/** @param tookMs how long the request took */
	note(opcode: number, tookMs: number): void {
		const at = opcode & (OPCODES - 1);
		this.#usualMs[at] = this.#usualMs[at]! * (1 - NEWEST) + tookMs * NEWEST;
	}
}
