/** What the session's threads share: counters, the clock, and the table of requests in flight, one slot per worker. */
import {OPCODE_LIMIT} from './wire/abi.ts';

/** Why a session ended; the cell holds the index, 0 while it runs. */
export const END_REASONS = ['running', 'unmounted', 'aborted', 'failed'] as const;
export type EndReason = Exclude<(typeof END_REASONS)[number], 'running'>;

/** Header cells. */
const END = 0;
/** Milliseconds, written by the watchdog: workers read the time without a call. Coarse (one tick) and monotonic. */
const CLOCK = 1;
/** Workers that wait in read(2) or run something local: whoever leaves this count may hang. */
const FREE = 2;
const LIVE = 3;
const MAY_RETIRE = 4;
const REFUSED = 5;
const HEADER_CELLS = 16;

/** Cells of one worker's slot. The state word is a sequence number times 4 plus one of the codes below. */
const STATE = 0;
const UNIQUE_LOW = 1;
const UNIQUE_HIGH = 2;
const REQUEST_OPCODE = 3;
const STARTED = 4;
/** 1 while this worker is part of FREE. */
const COUNTED = 5;
const REQUESTS = 6;
const LIFE = 7;
const SLOT_CELLS = 16;

/** A worker's life. */
const STARTING = 0;
const SERVING = 1;
const RETIRED = 2;
const LEFT = 3;
const LIVES = ['starting', 'serving', 'retired', 'left'] as const;
export type WorkerLife = (typeof LIVES)[number];

const CODE_MASK = 3;
const IDLE = 0;
const RUNNING = 1;
const ANSWERED = 2;

/** An interrupt that could not be acted upon yet. Free, being written, to be looked at. */
const PENDING_FREE = 0;
const PENDING_CLAIMED = 1;
const PENDING_SET = 2;
const PENDING_CELLS = 4;
const PENDING_SLOTS = 256;

export interface InFlight {
	readonly slot: number;
	/** The state word at the time of looking: `answer` works only while it is still the same. */
	readonly state: number;
	readonly opcode: number;
	readonly uniqueLow: number;
	readonly uniqueHigh: number;
	readonly runningMs: number;
}

export const createControlBuffer = (maxWorkers: number): SharedArrayBuffer =>
	new SharedArrayBuffer(
		4 * (HEADER_CELLS + OPCODE_LIMIT + PENDING_SLOTS * PENDING_CELLS + maxWorkers * SLOT_CELLS),
	);

/** A view of the shared state; any thread. Methods about a slot are for the worker that owns it unless they say so. */
export class Control {
	readonly #cells: Int32Array;
	readonly maxWorkers: number;
	static readonly #deadlines = HEADER_CELLS;
	static readonly #pending = HEADER_CELLS + OPCODE_LIMIT;
	static readonly #slots = HEADER_CELLS + OPCODE_LIMIT + PENDING_SLOTS * PENDING_CELLS;

	constructor(buffer: SharedArrayBuffer) {
		this.#cells = new Int32Array(buffer);
		this.maxWorkers = (this.#cells.length - Control.#slots) / SLOT_CELLS;
	}

	/** The first reason stays. */
	end(reason: EndReason): void {
		Atomics.compareExchange(this.#cells, END, 0, END_REASONS.indexOf(reason));
	}
	get ended(): EndReason | undefined {
		const reason = END_REASONS[Atomics.load(this.#cells, END)];
		return reason === 'running' ? undefined : reason;
	}

	get clockMs(): number {
		return this.#cells[CLOCK]!;
	}
	set clockMs(now: number) {
		Atomics.store(this.#cells, CLOCK, now);
	}

	/** How long requests of this kind may take; 0: for ever. */
	deadlineMs(opcode: number): number {
		return this.#cells[Control.#deadlines + (opcode & (OPCODE_LIMIT - 1))]!;
	}
	setDeadlineMs(opcode: number, deadlineMs: number): void {
		this.#cells[Control.#deadlines + opcode] = deadlineMs;
	}

	get free(): number {
		return Atomics.load(this.#cells, FREE);
	}
	get live(): number {
		return Atomics.load(this.#cells, LIVE);
	}
	set mayRetire(yes: boolean) {
		Atomics.store(this.#cells, MAY_RETIRE, yes ? 1 : 0);
	}
	get refused(): number {
		return Atomics.load(this.#cells, REFUSED);
	}
	countRefused(): void {
		Atomics.add(this.#cells, REFUSED, 1);
	}

	#slot(slot: number): number {
		return Control.#slots + slot * SLOT_CELLS;
	}

	/** Joins the free workers. */
	enterFree(slot: number): void {
		this.#cells[this.#slot(slot) + COUNTED] = 1;
		Atomics.add(this.#cells, FREE, 1);
	}

	/** Leaves the free workers, unless this is the last one of them. @returns whether it left */
	leaveFree(slot: number): boolean {
		if (Atomics.sub(this.#cells, FREE, 1) <= 1) {
			Atomics.add(this.#cells, FREE, 1);
			return false;
		}
		this.#cells[this.#slot(slot) + COUNTED] = 0;
		return true;
	}

	/** Retires a surplus worker that is free, when `steady` free ones remain. @returns whether it is to end */
	retire(slot: number, steady: number): boolean {
		const cells = this.#cells;
		if (Atomics.load(cells, MAY_RETIRE) === 0) return false;
		// By compare-exchange, so that FREE is never too low for a moment: someone could take itself for the last one.
		if (!this.#decrementAbove(LIVE, steady)) return false;
		if (!this.#decrementAbove(FREE, steady)) {
			Atomics.add(cells, LIVE, 1);
			return false;
		}
		cells[this.#slot(slot) + COUNTED] = 0;
		Atomics.store(cells, this.#slot(slot) + LIFE, RETIRED);
		return true;
	}

	#decrementAbove(cell: number, minimum: number): boolean {
		for (;;) {
			const value = Atomics.load(this.#cells, cell);
			if (value <= minimum) return false;
			if (Atomics.compareExchange(this.#cells, cell, value, value - 1) === value) return true;
		}
	}

	/** A worker begins to serve. Its LIVE was counted when it was started. */
	startServing(slot: number): void {
		Atomics.store(this.#cells, this.#slot(slot) + LIFE, SERVING);
		this.enterFree(slot);
	}

	/** A worker's loop has come to its end with the session. */
	stopServing(slot: number): void {
		Atomics.compareExchange(this.#cells, this.#slot(slot) + LIFE, SERVING, LEFT);
	}

	/** Main thread: a slot gets a new worker. */
	prepare(slot: number): void {
		Atomics.store(this.#cells, this.#slot(slot) + LIFE, STARTING);
		Atomics.add(this.#cells, LIVE, 1);
	}

	life(slot: number): WorkerLife {
		return LIVES[Atomics.load(this.#cells, this.#slot(slot) + LIFE)] ?? 'left';
	}

	/** Main thread, after a thread ended without retiring: takes back what it counts as. @returns what it was at */
	cleanUp(slot: number): InFlight | undefined {
		const at = this.#slot(slot);
		if (this.#cells[at + COUNTED] === 1) Atomics.sub(this.#cells, FREE, 1);
		this.#cells[at + COUNTED] = 0;
		Atomics.sub(this.#cells, LIVE, 1);
		return this.inFlight(slot);
	}

	/** Records the request that this worker now runs. @param sinceMs when it was read from the device */
	begin(slot: number, uniqueLow: number, uniqueHigh: number, opcode: number, sinceMs: number): void {
		const cells = this.#cells;
		const at = this.#slot(slot);
		cells[at + UNIQUE_LOW] = uniqueLow;
		cells[at + UNIQUE_HIGH] = uniqueHigh;
		cells[at + REQUEST_OPCODE] = opcode;
		cells[at + STARTED] = sinceMs;
		Atomics.store(cells, at + STATE, ((cells[at + STATE]! & ~CODE_MASK) + 4) | RUNNING);
	}

	/** The request is done. @returns false when someone else has answered it meanwhile */
	finish(slot: number): boolean {
		const at = this.#slot(slot) + STATE;
		const state = Atomics.load(this.#cells, at);
		const running = (state & ~CODE_MASK) | RUNNING;
		if (Atomics.compareExchange(this.#cells, at, running, (state & ~CODE_MASK) | IDLE) === running)
			return true;
		Atomics.store(this.#cells, at, (state & ~CODE_MASK) | IDLE);
		return false;
	}

	/** Whether the request that runs in this slot was answered by someone else. */
	isAnswered(slot: number): boolean {
		return (Atomics.load(this.#cells, this.#slot(slot) + STATE) & CODE_MASK) === ANSWERED;
	}

	/** Any thread: differs for each request that runs in a slot; 0 while none does. */
	runningMark(slot: number): number {
		const state = Atomics.load(this.#cells, this.#slot(slot) + STATE);
		return (state & CODE_MASK) === IDLE ? 0 : state;
	}

	countRequest(slot: number): void {
		this.#cells[this.#slot(slot) + REQUESTS]!++;
	}

	/** Any thread: the request that runs in a slot and has no answer yet. */
	inFlight(slot: number): InFlight | undefined {
		const cells = this.#cells;
		const at = this.#slot(slot);
		const state = Atomics.load(cells, at + STATE);
		if ((state & CODE_MASK) !== RUNNING) return undefined;
		return {
			slot,
			state,
			opcode: cells[at + REQUEST_OPCODE]!,
			uniqueLow: cells[at + UNIQUE_LOW]!,
			uniqueHigh: cells[at + UNIQUE_HIGH]!,
			runningMs: (this.clockMs - cells[at + STARTED]!) | 0,
		};
	}

	/** Any thread: takes over the duty to answer. @returns false when the request has ended meanwhile */
	claimAnswer(request: InFlight): boolean {
		const at = this.#slot(request.slot) + STATE;
		const answered = (request.state & ~CODE_MASK) | ANSWERED;
		return Atomics.compareExchange(this.#cells, at, request.state, answered) === request.state;
	}

	/** Remembers an interrupt for the watchdog; a full table loses it (the deadline still ends the request). */
	addInterrupt(uniqueLow: number, uniqueHigh: number): void {
		const cells = this.#cells;
		for (let i = 0; i < PENDING_SLOTS; i++) {
			const at = Control.#pending + i * PENDING_CELLS;
			if (Atomics.compareExchange(cells, at, PENDING_FREE, PENDING_CLAIMED) !== PENDING_FREE) continue;
			cells[at + 1] = uniqueLow;
			cells[at + 2] = uniqueHigh;
			cells[at + 3] = this.clockMs;
			Atomics.store(cells, at, PENDING_SET);
			return;
		}
	}

	/** Watchdog: looks at each remembered interrupt; those for which `settled` says true are forgotten. */
	forEachInterrupt(settled: (uniqueLow: number, uniqueHigh: number, ageMs: number) => boolean): void {
		const cells = this.#cells;
		for (let i = 0; i < PENDING_SLOTS; i++) {
			const at = Control.#pending + i * PENDING_CELLS;
			if (Atomics.load(cells, at) !== PENDING_SET) continue;
			const ageMs = (this.clockMs - cells[at + 3]!) | 0;
			if (settled(cells[at + 1]!, cells[at + 2]!, ageMs)) Atomics.store(cells, at, PENDING_FREE);
		}
	}

	/** Requests read so far by all workers, and how many run now. */
	totals(): {readonly requests: number; readonly inFlight: number} {
		let requests = 0;
		let inFlight = 0;
		for (let slot = 0; slot < this.maxWorkers; slot++) {
			requests += this.#cells[this.#slot(slot) + REQUESTS]!;
			if ((Atomics.load(this.#cells, this.#slot(slot) + STATE) & CODE_MASK) !== IDLE) inFlight++;
		}
		return {requests, inFlight};
	}
}
