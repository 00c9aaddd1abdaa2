/** Writes through an open handle, counted in shared memory until it is closed: together they make one record. */
import {HANDLES_MAX, nowMs, SLOT_MASK} from './handle-layout.ts';

const WORDS = 8;
const COUNT = 0;
const UID = 1;
const PID = 2;
/** When the first of them was, in ms modulo 2^32. */
const SINCE = 3;
/** Bytes written, 64 bits, at words 4 and 5. */
const BYTES_64 = 2;

/** Writes of a handle that stays open make a record each time they have lasted this long. */
const OPEN_HANDLE_MS = 5000;

export const createWriteCounts = (): SharedArrayBuffer =>
	new SharedArrayBuffer(HANDLES_MAX * WORDS * Int32Array.BYTES_PER_ELEMENT);

export interface Writes {
	readonly count: number;
	readonly bytes: number;
	/** Of the first write: who closes the handle may be another process. */
	readonly uid: number;
	readonly pid: number;
}

export class WriteCounts {
	readonly #words: Int32Array;
	readonly #bytes: BigInt64Array;

	constructor(buffer: SharedArrayBuffer) {
		this.#words = new Int32Array(buffer);
		this.#bytes = new BigInt64Array(buffer);
	}

	/** @returns whether a record is due, because the handle has been written to for long */
	add(fh: number, bytes: number, {uid, pid}: {readonly uid: number; readonly pid: number}): boolean {
		const at = (fh & SLOT_MASK) * WORDS;
		const words = this.#words;
		Atomics.add(this.#bytes, at / 2 + BYTES_64, BigInt(bytes));
		if (Atomics.add(words, at + COUNT, 1) > 0)
			return ((nowMs() - Atomics.load(words, at + SINCE)) | 0) >= OPEN_HANDLE_MS;
		Atomics.store(words, at + UID, uid | 0);
		Atomics.store(words, at + PID, pid);
		Atomics.store(words, at + SINCE, nowMs());
		return false;
	}

	/** Takes what was written through the handle since the last time; of several threads one gets it. */
	take(fh: number): Writes | undefined {
		const at = (fh & SLOT_MASK) * WORDS;
		const count = Atomics.exchange(this.#words, at + COUNT, 0);
		if (count === 0) return undefined;
		return {
			count,
			bytes: Number(Atomics.exchange(this.#bytes, at / 2 + BYTES_64, 0n)),
			uid: Atomics.load(this.#words, at + UID) >>> 0,
			pid: Atomics.load(this.#words, at + PID),
		};
	}
}
