/** Versions of files in shared memory, by inode number: the main thread puts them in, worker threads answer from it. */
import {SharedLock} from './shared-lock.ts';
import {createSlabBuffer, Slab} from './slab.ts';

const SLOTS = 1 << 16;
const WORDS = 4;
const INO_LOW = 0;
const INO_HIGH = 1;
const BLOCK = 2;
const LENGTH = 3;
/** Words behind the slots. */
const LOCK = SLOTS * WORDS;
/** Half full at most, so that a search is short. */
export const VERSIONS_MAX = SLOTS / 2;
const TEXTS_MAX_BYTES = 16 << 20;

export interface VersionBuffers {
	readonly versions: SharedArrayBuffer;
	readonly versionTexts: SharedArrayBuffer;
}

export const createVersionBuffers = (): VersionBuffers => ({
	versions: new SharedArrayBuffer((LOCK + 1) * Int32Array.BYTES_PER_ELEMENT),
	versionTexts: createSlabBuffer(TEXTS_MAX_BYTES),
});

/** Open addressing with linear probing; an inode number is never taken out alone. */
export class VersionTable {
	readonly #cells: Int32Array;
	readonly #texts: Slab;
	readonly #lock: SharedLock;
	#used = 0;

	constructor({versions, versionTexts}: VersionBuffers) {
		this.#cells = new Int32Array(versions);
		this.#texts = new Slab(versionTexts);
		this.#lock = new SharedLock(this.#cells, LOCK);
	}

	/** For one thread only. @param ino unsigned. @returns false when there is no room: `clear` makes some */
	set(ino: bigint, text: string): boolean {
		const bytes = Buffer.from(text);
		return this.#lock.run(() => {
			const at = this.#find(ino);
			const fresh = this.#cells[at + BLOCK] === 0;
			if (fresh && this.#used >= VERSIONS_MAX) return false;
			const block = this.#texts.store(bytes);
			if (block === 0) return false;
			if (fresh) this.#used++;
			else this.#texts.free(this.#cells[at + BLOCK]!);
			this.#cells[at + INO_LOW] = Number(BigInt.asIntN(32, ino));
			this.#cells[at + INO_HIGH] = Number(BigInt.asIntN(32, ino >> 32n));
			this.#cells[at + BLOCK] = block;
			this.#cells[at + LENGTH] = bytes.length;
			return true;
		});
	}

	/** @returns a copy of the file's version, undefined when none is known */
	get(ino: bigint): Buffer | undefined {
		return this.#lock.run(() => {
			const at = this.#find(ino);
			const block = this.#cells[at + BLOCK]!;
			return block === 0 ? undefined : Buffer.from(this.#texts.view(block, this.#cells[at + LENGTH]!));
		});
	}

	clear(): void {
		this.#lock.run(() => {
			for (let at = 0; at < LOCK; at += WORDS) {
				if (this.#cells[at + BLOCK] !== 0) this.#texts.free(this.#cells[at + BLOCK]!);
				this.#cells[at + BLOCK] = 0;
			}
			this.#used = 0;
		});
	}

	/** The slot of that number, or the free one where it belongs. */
	#find(ino: bigint): number {
		const low = Number(BigInt.asIntN(32, ino));
		const high = Number(BigInt.asIntN(32, ino >> 32n));
		let slot = (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 8) & (SLOTS - 1);
		for (;;) {
			const at = slot * WORDS;
			if (this.#cells[at + BLOCK] === 0) return at;
			if (this.#cells[at + INO_LOW] === low && this.#cells[at + INO_HIGH] === high) return at;
			slot = (slot + 1) & (SLOTS - 1);
		}
	}
}
