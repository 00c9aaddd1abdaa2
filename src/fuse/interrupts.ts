/** FUSE_INTERRUPT: a client got a signal while it waits. Whoever reads the message acts, whichever thread has the request. */
import type {Control} from './control.ts';
import type {RequestQueue} from './queue.ts';
import {OPCODE} from './wire/abi.ts';
import {ERRNO} from '../posix/errno.ts';

/**
 * A running request is answered EINTR only after this time: a killed client always gets away, and plain file I/O is not
 * surprised by a SIGCHLD.
 */
export const INTERRUPT_AFTER_MS = 1000;
/** The request may be between two tables (taken from the queue, not yet recorded as running); then it has ended. */
const FORGET_AFTER_MS = 1000;

/** Writes an error reply for a request that some other thread may hold. */
export type AnswerError = (uniqueLow: number, uniqueHigh: number, error: number) => void;

export interface Interruptible {
	readonly control: Control;
	readonly queue: RequestQueue;
	/** Those who wait for a lock. */
	readonly parked: RequestQueue;
	readonly answer: AnswerError;
}

/**
 * Acts on an interrupt if that is possible now.
 * @param ageMs how long ago the interrupt came
 * @returns whether nothing is left to do for it
 */
export const interrupt = (
	{control, queue, parked, answer}: Interruptible,
	uniqueLow: number,
	uniqueHigh: number,
	ageMs: number,
): boolean => {
	for (const waiting of [parked, queue]) {
		if (waiting.count === 0 || !waiting.remove(uniqueLow, uniqueHigh)) continue;
		answer(uniqueLow, uniqueHigh, -ERRNO.EINTR);
		return true;
	}
	for (let slot = 0; slot < control.maxWorkers; slot++) {
		const request = control.inFlight(slot);
		if (request?.uniqueLow !== uniqueLow || request.uniqueHigh !== uniqueHigh) continue;
		if (request.opcode !== OPCODE.SETLKW && request.runningMs < INTERRUPT_AFTER_MS) return false;
		if (control.claimAnswer(request)) {
			answer(uniqueLow, uniqueHigh, -ERRNO.EINTR);
			return true;
		}
		// Its try has ended just now: it was answered, or waits for its lock among the parked ones again.
	}
	return ageMs > FORGET_AFTER_MS;
};
