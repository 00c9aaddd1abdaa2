/** The texts of the sentinel files in shared memory: one writer, many readers, none of whom ever waits. */
import {HekafsError} from '../errors.ts';

const SEQUENCE = 0;
const ACTIVE = 1;
const HEADER_WORDS = 16;
/** Per text: offset, length, time of the last change in seconds (two words) and nanoseconds. */
const ROW_WORDS = 8;

/** All texts together, in bytes. */
export const BOARD_MAX_BYTES = 1 << 20;

const halfBytes = (rows: number): number => rows * ROW_WORDS * Int32Array.BYTES_PER_ELEMENT + BOARD_MAX_BYTES;

export const createBoardBuffer = (rows: number): SharedArrayBuffer =>
	new SharedArrayBuffer(HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT + 2 * halfBytes(rows));

export interface BoardText {
	readonly text: Buffer;
	/** When the text last changed; 0 before the first. */
	readonly changedMs: number;
}

/**
 * Two halves: the writer fills the one that nobody is sent to, then switches. The sequence number goes up with each
 * switch, *before* the other half is touched again, so a reader that finds it unchanged has read an undisturbed half.
 */
export class Board {
	readonly #words: Int32Array;
	readonly #bytes: Uint8Array;
	readonly #rows: number;

	constructor(buffer: SharedArrayBuffer, rows: number) {
		this.#words = new Int32Array(buffer);
		this.#bytes = new Uint8Array(buffer);
		this.#rows = rows;
	}

	/** @throws HekafsError HEKAFS_INTERNAL when the texts together pass BOARD_MAX_BYTES; the old ones stay */
	publish(texts: readonly string[], nowMs: number = Date.now()): void {
		const encoded = Array.from({length: this.#rows}, (_, row) => Buffer.from(texts[row] ?? ''));
		const total = encoded.reduce((sum, text) => sum + text.length, 0);
		if (total > BOARD_MAX_BYTES)
			throw new HekafsError('HEKAFS_INTERNAL', `sentinel texts of ${total} bytes pass ${BOARD_MAX_BYTES}`);
		const before = encoded.map((_, row) => this.read(row));
		const half = 1 - Atomics.load(this.#words, ACTIVE);
		const base = this.#base(half);
		let offset = base + this.#rows * ROW_WORDS * Int32Array.BYTES_PER_ELEMENT;
		for (const [row, text] of encoded.entries()) {
			const at = (base >> 2) + row * ROW_WORDS;
			const old = before[row]!;
			const changedMs = old.changedMs !== 0 && old.text.equals(text) ? old.changedMs : nowMs;
			this.#bytes.set(text, offset);
			this.#words[at] = offset;
			this.#words[at + 1] = text.length;
			this.#words[at + 2] = Math.floor(changedMs / 1000);
			this.#words[at + 3] = Math.floor(changedMs % 1000);
			offset += text.length;
		}
		Atomics.store(this.#words, ACTIVE, half);
		Atomics.add(this.#words, SEQUENCE, 1);
	}

	/** A copy of one text. */
	read(row: number): BoardText {
		return this.#undisturbed(at => {
			const offset = this.#words[at]!;
			return {
				text: Buffer.from(this.#bytes.subarray(offset, offset + this.#words[at + 1]!)),
				changedMs: this.#changedMs(at),
			};
		}, row);
	}

	/** Length in bytes and time of the last change, without the copy. */
	describe(row: number): {readonly length: number; readonly changedMs: number} {
		return this.#undisturbed(at => ({length: this.#words[at + 1]!, changedMs: this.#changedMs(at)}), row);
	}

	#changedMs(at: number): number {
		return (this.#words[at + 2]! >>> 0) * 1000 + this.#words[at + 3]!;
	}

	#base(half: number): number {
		return HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT + half * halfBytes(this.#rows);
	}

	/** Repeats the reading until no switch happened meanwhile; the writer switches a few times a second at most. */
	#undisturbed<T>(read: (at: number) => T, row: number): T {
		for (;;) {
			const sequence = Atomics.load(this.#words, SEQUENCE);
			const base = this.#base(Atomics.load(this.#words, ACTIVE));
			const result = read((base >> 2) + row * ROW_WORDS);
			if (Atomics.load(this.#words, SEQUENCE) === sequence) return result;
		}
	}
}
