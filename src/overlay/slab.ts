/** Variable-sized byte blocks in shared memory: free lists by size class over a bump allocator. */

const SMALLEST_SHIFT = 4;
const LARGEST_SHIFT = 19;
const CLASSES = LARGEST_SHIFT - SMALLEST_SHIFT + 1;
/** Words before the arena: heads of the free lists, then the bump offset. */
const BUMP = CLASSES;
const USED = CLASSES + 1;
const HEADER_BYTES = 128;

/** The largest block that can be asked for, in bytes. */
export const SLAB_MAX_BYTES = 1 << LARGEST_SHIFT;

/** @param bytes how much the blocks may take together; untouched memory costs nothing */
export const createSlabBuffer = (bytes: number): SharedArrayBuffer => {
	const buffer = new SharedArrayBuffer(HEADER_BYTES + bytes);
	new Int32Array(buffer)[BUMP] = HEADER_BYTES;
	return buffer;
};

const classOf = (length: number): number =>
	Math.max(0, 32 - Math.clz32(Math.max(length, 1) - 1) - SMALLEST_SHIFT);
const bytesOf = (sizeClass: number): number => 1 << (sizeClass + SMALLEST_SHIFT);

/**
 * A block's number is its offset, a multiple of 16, with the size class (of 16) in the low bits. Blocks keep their
 * class for ever; an empty class borrows from a larger one when the arena is used up.
 * No locking of its own: the callers hold the lock of the table that the blocks belong to.
 */
export class Slab {
	readonly #words: Int32Array;
	readonly #bytes: Uint8Array;

	constructor(buffer: SharedArrayBuffer) {
		this.#words = new Int32Array(buffer);
		this.#bytes = new Uint8Array(buffer);
	}

	/** Blocks given out and not freed. */
	get used(): number {
		return this.#words[USED]!;
	}

	/** Copies the bytes into a block. @returns its number, never 0; 0 when there is no room */
	store(bytes: Uint8Array): number {
		if (bytes.length > SLAB_MAX_BYTES) return 0;
		const block = this.#take(classOf(bytes.length));
		if (block !== 0) this.#bytes.set(bytes, block & ~0xf);
		return block;
	}

	/** A view of the first `length` bytes of a block; valid while the block is. */
	view(block: number, length: number): Uint8Array {
		const at = block & ~0xf;
		return this.#bytes.subarray(at, at + length);
	}

	equals(block: number, length: number, bytes: Uint8Array): boolean {
		if (bytes.length !== length) return false;
		const at = block & ~0xf;
		for (let i = 0; i < length; i++) if (this.#bytes[at + i] !== bytes[i]) return false;
		return true;
	}

	free(block: number): void {
		const words = this.#words;
		const sizeClass = block & 0xf;
		words[(block & ~0xf) >> 2] = words[sizeClass]!;
		words[sizeClass] = block;
		words[USED] = words[USED]! - 1;
	}

	#take(wanted: number): number {
		const words = this.#words;
		let block = 0;
		if (words[wanted] === 0) block = this.#bump(wanted);
		for (let c = wanted; block === 0 && c < CLASSES; c++) {
			block = words[c]!;
			if (block !== 0) words[c] = words[(block & ~0xf) >> 2]!;
		}
		if (block !== 0) words[USED] = words[USED]! + 1;
		return block;
	}

	#bump(sizeClass: number): number {
		const at = this.#words[BUMP]!;
		const end = at + bytesOf(sizeClass);
		if (end > this.#bytes.length) return 0;
		this.#words[BUMP] = end;
		return at | sizeClass;
	}
}
