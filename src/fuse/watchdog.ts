/** The main thread's look at all workers, a few dozen times a second: overdue requests, interrupts, and the pool's size. */
import type {Control} from './control.ts';
import {interrupt, type AnswerError} from './interrupts.ts';
import type {RequestQueue} from './queue.ts';
import {ERRNO} from '../posix/errno.ts';

/** How often `tick` is to be called. A queue that nobody takes from for a whole tick makes the pool grow. */
export const TICK_MS = 25;
/** Surplus workers stay this long after the pool last grew. */
const CALM_MS = 5000;

export interface WatchdogOptions {
	readonly control: Control;
	readonly queue: RequestQueue;
	/** Those who wait for a lock. */
	readonly parked: RequestQueue;
	readonly maxWorkers: number;
	readonly answer: AnswerError;
	/** Told each request that was answered because its time was over. */
	readonly onOverdue: (opcode: number) => void;
	/** Starts that many workers more. */
	readonly grow: (count: number) => void;
	/** Workers that were started and don't serve yet. */
	readonly starting: () => number;
}

export class Watchdog {
	readonly #o: WatchdogOptions;
	/** Of the tick before: how many were taken from the queue, and whether it had entries. */
	#taken = 0;
	#waiting = false;
	#grownAtMs = 0;
	overdueAnswered = 0;

	constructor(options: WatchdogOptions) {
		this.#o = options;
	}

	/** @param nowMs monotonic, in 32 bits */
	tick(nowMs: number): void {
		const {control, queue, parked} = this.#o;
		control.clockMs = nowMs;
		for (let slot = 0; slot < control.maxWorkers; slot++) {
			const request = control.inFlight(slot);
			if (request === undefined || !this.#isOverdue(request.opcode, request.runningMs)) continue;
			if (!control.claimAnswer(request)) continue;
			this.#answerOverdue(request.opcode, request.uniqueLow, request.uniqueHigh);
		}
		for (const waiting of [queue, parked])
			waiting.expire(
				(opcode, readAtMs) => this.#isOverdue(opcode, (nowMs - readAtMs) | 0),
				(uniqueLow, uniqueHigh, opcode) => this.#answerOverdue(opcode, uniqueLow, uniqueHigh),
			);
		control.forEachInterrupt((uniqueLow, uniqueHigh, ageMs) =>
			interrupt(this.#o, uniqueLow, uniqueHigh, ageMs),
		);
		this.#size(nowMs);
	}

	#answerOverdue(opcode: number, uniqueLow: number, uniqueHigh: number): void {
		this.overdueAnswered++;
		this.#o.onOverdue(opcode);
		this.#o.answer(uniqueLow, uniqueHigh, -ERRNO.ETIMEDOUT);
	}

	#isOverdue(opcode: number, runningMs: number): boolean {
		const deadlineMs = this.#o.control.deadlineMs(opcode);
		return deadlineMs > 0 && runningMs > deadlineMs;
	}

	/** Doubles the pool at most, so that a burst of hung requests is outgrown in a few ticks, not in one each. */
	#size(nowMs: number): void {
		const {control, queue, maxWorkers} = this.#o;
		const count = queue.count;
		const stalled = count > 0 && this.#waiting && queue.taken === this.#taken;
		this.#taken = queue.taken;
		this.#waiting = count > 0;
		if (stalled && this.#o.starting() === 0) {
			const live = control.live;
			const more = Math.min(count, live, maxWorkers - live);
			this.#grownAtMs = nowMs;
			if (more > 0) this.#o.grow(more);
		}
		control.mayRetire = count === 0 && ((nowMs - this.#grownAtMs) | 0) > CALM_MS;
	}
}
