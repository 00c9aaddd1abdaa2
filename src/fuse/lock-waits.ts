/**
 * Clients that wait for a lock (SETLKW). They may wait for hours, so they hold no thread each: their requests are parked,
 * and one worker, the waiter, tries them in turn as long as there are any.
 */
import type {Control} from './control.ts';
import {createQueueBuffers, type QueueBuffers, RequestQueue, type Taken} from './queue.ts';
import {OPCODE} from './wire/abi.ts';

/** Clients at most that can wait at the same time; more get ENOLCK. */
const PARKED_MAX = 4096;
/** A SETLKW: the header and fuse_lk_in, with room for extensions. */
const SLOT_BYTES = 256;

/** The waiter tries again this often: first soon, then less and less. A lock given back on this node wakes it at once. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** How long a lock that is asked for without waiting waits for the releases of closed files before it. */
const SETTLE_MS = 100;

/** Cells: the waiter's slot plus one, or 0; and how often it was told to try at once. */
const WAITER = 0;
const EVENTS = 1;
/** Nobody ever changes it: to sleep on. */
const NEVER = 2;
const CELLS = 4;

export interface LockWaitBuffers {
	readonly parked: QueueBuffers;
	readonly waiter: SharedArrayBuffer;
}

export const createLockWaitBuffers = (): LockWaitBuffers => ({
	parked: createQueueBuffers(PARKED_MAX, 0, SLOT_BYTES),
	waiter: new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT),
});

/** Main thread, after a thread has ended: another worker may be the waiter now. */
export const leaveWaiter = (buffers: LockWaitBuffers, slot: number): void => {
	Atomics.compareExchange(new Int32Array(buffers.waiter), WAITER, slot + 1, 0);
};

/** Requests that may give a lock back. */
const GIVES_BACK = new Set<number>([
	OPCODE.SETLK,
	OPCODE.SETLKW,
	OPCODE.FLUSH,
	OPCODE.RELEASE,
	OPCODE.RELEASEDIR,
]);

/** One worker's part in the waiting. */
export class LockWaits {
	readonly parked: RequestQueue;
	readonly #control: Control;
	readonly #slot: number;
	readonly #cells: Int32Array;

	constructor(control: Control, buffers: LockWaitBuffers, slot: number) {
		this.#control = control;
		this.parked = new RequestQueue(buffers.parked);
		this.#cells = new Int32Array(buffers.waiter);
		this.#slot = slot;
	}

	/** After a request of a worker has ended. */
	ended(opcode: number): void {
		if (this.parked.count === 0 || !GIVES_BACK.has(opcode)) return;
		Atomics.add(this.#cells, EVENTS, 1);
		Atomics.notify(this.#cells, EVENTS);
	}

	/**
	 * Becomes the waiter unless there is one; comes back when nobody waits any more, or with the session's end.
	 * @param attempt tries a request that was parked; it parks it again, or answers it and returns true
	 * @param take takes the next one into the worker's own buffer
	 */
	serve(take: () => Taken | undefined, attempt: (taken: Taken) => boolean): void {
		const cells = this.#cells;
		const goOn = (): boolean => this.parked.count > 0 && this.#control.ended === undefined;
		while (goOn() && Atomics.compareExchange(cells, WAITER, 0, this.#slot + 1) === 0) {
			for (let pauseMs = FIRST_PAUSE_MS; goOn();) {
				const before = Atomics.load(cells, EVENTS);
				const progress = this.#round(take, attempt);
				const woken = Atomics.wait(cells, EVENTS, before, pauseMs) !== 'timed-out';
				pauseMs = progress || woken ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
			}
			Atomics.store(cells, WAITER, 0);
		}
	}

	/** Tries each parked request once. @returns whether one was answered */
	#round(take: () => Taken | undefined, attempt: (taken: Taken) => boolean): boolean {
		let progress = false;
		for (let left = this.parked.count; left > 0; left--) {
			const taken = take();
			if (taken === undefined) break;
			if (attempt(taken)) progress = true;
		}
		return progress;
	}

	/**
	 * Tries a lock that somebody has, without waiting for it. close(2) does not wait for the RELEASE that gives a lock back:
	 * one that was read before is waited for, so that who comes after finds the lock free.
	 * @returns the last answer
	 */
	settle(first: number, attempt: () => number): number {
		let result = first;
		for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs++) {
			// Once in any case: the RELEASE may have been read and not yet be recorded.
			if (waitedMs > 0 && !this.#runs(OPCODE.RELEASE)) break;
			Atomics.wait(this.#cells, NEVER, 0, 1);
			const again = attempt();
			if (again !== first) return again;
			result = again;
		}
		return result;
	}

	#runs(opcode: number): boolean {
		for (let slot = 0; slot < this.#control.maxWorkers; slot++)
			if (this.#control.inFlight(slot)?.opcode === opcode) return true;
		return false;
	}
}
