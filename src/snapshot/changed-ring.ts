/** What this node's own users have changed, told by the threads that serve to the one that follows: a ring in shared memory. */

/** Counts all changes; the follower sleeps on it. */
const HEAD = 0;
const HEADER_WORDS = 4;
const ENTRIES = 2048;
/** Inode number, its two halves; length of the name; the name's bytes. */
const ENTRY_BYTES = 272;

export interface Changed {
	/** The file that was changed, or the directory in which a name was. */
	readonly ino: bigint;
	/** Empty: the file itself. */
	readonly name: Buffer;
}

export const createChangedRing = (): SharedArrayBuffer =>
	new SharedArrayBuffer(HEADER_WORDS * 4 + ENTRIES * ENTRY_BYTES);

export class ChangedRing {
	readonly #words: Int32Array;
	readonly #bytes: Buffer;

	constructor(buffer: SharedArrayBuffer) {
		this.#words = new Int32Array(buffer);
		this.#bytes = Buffer.from(buffer);
	}

	/** Any thread; never waits. */
	note(ino: bigint, name: Uint8Array = NO_NAME): void {
		const place = Atomics.add(this.#words, HEAD, 1);
		const at = this.#at(place);
		this.#bytes.writeBigUInt64LE(ino, at);
		this.#bytes.writeUInt32LE(name.length, at + 8);
		this.#bytes.set(name.subarray(0, ENTRY_BYTES - 12), at + 12);
		Atomics.notify(this.#words, HEAD);
	}

	get head(): number {
		return Atomics.load(this.#words, HEAD);
	}

	/** Wakes the follower without a change. */
	wake(): void {
		Atomics.notify(this.#words, HEAD);
	}

	/** Follower: sleeps until something is noted, or for `ms`. */
	wait(seen: number, ms: number): void {
		Atomics.wait(this.#words, HEAD, seen, ms);
	}

	/** Follower: what was noted between two heads; undefined when it was more than the ring holds. */
	between(from: number, to: number): Changed[] | undefined {
		const count = (to - from) | 0;
		if (count > ENTRIES / 2) return undefined;
		return Array.from({length: count}, (_, i) => {
			const at = this.#at((from + i) | 0);
			const length = Math.min(this.#bytes.readUInt32LE(at + 8), ENTRY_BYTES - 12);
			return {
				ino: this.#bytes.readBigUInt64LE(at),
				name: Buffer.from(this.#bytes.subarray(at + 12, at + 12 + length)),
			};
		});
	}

	#at(place: number): number {
		return HEADER_WORDS * 4 + ((place >>> 0) % ENTRIES) * ENTRY_BYTES;
	}
}

const NO_NAME = new Uint8Array(0);
