/** What this node's own users have changed, told by the threads that serve to the one that follows: a ring in shared memory. */

/** Counts all changes; the follower sleeps on it. */
const HEAD = 0;
const HEADER_WORDS = 4;
const ENTRIES = 2048;
/** Sequence, length of the name, inode number, the name's bytes (NAME_MAX of Linux is 255). */
const ENTRY_BYTES = 272;
const LENGTH = 4;
const INO = 8;
const NAME = 16;
const NAME_MAX = ENTRY_BYTES - NAME;

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
		// The sequence of an entry is its place while it is written, and one more when it is whole.
		Atomics.store(this.#words, at / 4, place);
		this.#bytes.writeBigUInt64LE(ino, at + INO);
		this.#bytes.writeUInt32LE(Math.min(name.length, NAME_MAX), at + LENGTH);
		this.#bytes.set(name.subarray(0, NAME_MAX), at + NAME);
		Atomics.store(this.#words, at / 4, (place + 1) | 0);
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

	/**
	 * Follower: what was noted from a place on, up to the first entry that is still being written.
	 * @returns the changes and the place to go on from; undefined when more was noted than the ring holds
	 */
	takeFrom(from: number): {readonly changes: readonly Changed[]; readonly next: number} | undefined {
		const count = (this.head - from) | 0;
		if (count > ENTRIES) return undefined;
		const changes: Changed[] = [];
		for (let i = 0; i < count; i++) {
			const place = (from + i) | 0;
			const at = this.#at(place);
			const ahead = this.#aheadOf(place, at);
			// Not whole yet.
			if (ahead < 1) return {changes, next: place};
			const length = Math.min(this.#bytes.readUInt32LE(at + LENGTH), NAME_MAX);
			const ino = this.#bytes.readBigUInt64LE(at + INO);
			const name = Buffer.from(this.#bytes.subarray(at + NAME, at + NAME + length));
			// Overwritten by a later one, maybe while it was read.
			if (this.#aheadOf(place, at) !== 1) return undefined;
			changes.push({ino, name});
		}
		return {changes, next: (from + count) | 0};
	}

	/** 1: the entry is whole and of that place; less: not written yet; more: a later one is there. */
	#aheadOf(place: number, at: number): number {
		return (Atomics.load(this.#words, at / 4) - place) | 0;
	}

	#at(place: number): number {
		return HEADER_WORDS * 4 + ((place >>> 0) % ENTRIES) * ENTRY_BYTES;
	}
}

const NO_NAME = new Uint8Array(0);
