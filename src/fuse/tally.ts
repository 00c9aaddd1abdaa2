/**
 * What has been answered, by opcode and result, and how long it ran: counted in shared memory, where each thread has cells
 * of its own and adds without a lock, and added up by whoever asks.
 */
import {OPCODE_LIMIT} from './wire/abi.ts';
import {ERRNO} from '../posix/errno.ts';

/** How a request was answered; `error`: any errno that has no word of its own here. */
export const RESULTS = [
	'ok',
	'error',
	'absent',
	'refused',
	'disconnected',
	'stale',
	'timeout',
	'io',
] as const;
export type Result = (typeof RESULTS)[number];

/** Upper bounds of the durations' buckets, in ms; a further one takes what is longer. */
export const BOUNDS_MS = [0.1, 0.5, 2, 10, 50, 250, 1000, 10_000] as const;

const OTHER_ERROR = 1;
const RESULT_OF = new Uint8Array(4096).fill(OTHER_ERROR);
const WORDS: readonly (readonly [number, Result])[] = [
	[ERRNO.ENOENT, 'absent'],
	[ERRNO.EROFS, 'refused'],
	[ERRNO.ENOTCONN, 'disconnected'],
	[ERRNO.ESTALE, 'stale'],
	[ERRNO.ETIMEDOUT, 'timeout'],
	[ERRNO.EIO, 'io'],
];
for (const [errno, result] of WORDS) RESULT_OF[errno] = RESULTS.indexOf(result);

const BUCKETS = BOUNDS_MS.length + 1;
const DURATIONS = RESULTS.length;
const SUM = DURATIONS + BUCKETS;
const ROW = SUM + 1;
const PART = OPCODE_LIMIT * ROW;

/** @param threads the workers' slots; one part more is the main thread's. Only what is used takes memory. */
export const createTallyBuffer = (threads: number): SharedArrayBuffer =>
	new SharedArrayBuffer((threads + 1) * PART * Float64Array.BYTES_PER_ELEMENT);

/** One thread's part. 64-bit machines store a double in one piece, so a reader never sees half a number. */
export class Tally {
	readonly #cells: Float64Array;

	/** @param slot the worker's; the last part is the main thread's */
	constructor(buffer: SharedArrayBuffer, slot: number) {
		this.#cells = new Float64Array(buffer, slot * PART * Float64Array.BYTES_PER_ELEMENT, PART);
	}

	/** @param result what the request was answered with: a negative errno, or anything else for success */
	count(opcode: number, result: number): void {
		const word = result < 0 ? RESULT_OF[-result & 4095]! : 0;
		this.#cells[(opcode & (OPCODE_LIMIT - 1)) * ROW + word]!++;
	}

	/** @param ms how long the request ran */
	took(opcode: number, ms: number): void {
		const row = (opcode & (OPCODE_LIMIT - 1)) * ROW;
		let bucket = 0;
		while (bucket < BOUNDS_MS.length && ms > BOUNDS_MS[bucket]!) bucket++;
		this.#cells[row + DURATIONS + bucket]!++;
		this.#cells[row + SUM]! += ms;
	}
}

/** Of one opcode, all threads together. */
export interface Tallied {
	readonly opcode: number;
	/** In the order of RESULTS. */
	readonly results: readonly number[];
	/** In the order of BOUNDS_MS, the longer ones last; not cumulated. */
	readonly durations: readonly number[];
	readonly durationsMs: number;
}

/** Adds all parts up. @returns the opcodes that there was anything of */
export const addUp = (buffer: SharedArrayBuffer): readonly Tallied[] => {
	const cells = new Float64Array(buffer);
	const sums = new Float64Array(PART);
	for (let at = 0; at < cells.length; at++) sums[at % PART]! += cells[at]!;
	return Array.from({length: OPCODE_LIMIT}, (_, opcode) => {
		const row = sums.subarray(opcode * ROW, (opcode + 1) * ROW);
		return {
			opcode,
			results: [...row.subarray(0, DURATIONS)],
			durations: [...row.subarray(DURATIONS, SUM)],
			durationsMs: row[SUM]!,
		};
	}).filter(({results, durations}) => [...results, ...durations].some(count => count > 0));
};
