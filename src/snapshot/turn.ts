/**
 * Who may write to the copy: one follower at a time. One that hung in a dead mount and wakes up later finds that it is not
 * its turn any more (I6). A cell in shared memory: twice the number of the follower, plus one while it writes.
 */
const OWNER = 0;
/** The copy that is being served; it must not be removed. */
const SERVED = 1;

export const createTurn = (): SharedArrayBuffer => new SharedArrayBuffer(8);

export class Turn {
	readonly #cells: Int32Array;

	constructor(buffer: SharedArrayBuffer) {
		this.#cells = new Int32Array(buffer);
	}

	get served(): number {
		return Atomics.load(this.#cells, SERVED);
	}
	set served(serial: number) {
		Atomics.store(this.#cells, SERVED, serial);
	}

	isOf(follower: number): boolean {
		return Atomics.load(this.#cells, OWNER) >> 1 === follower;
	}

	/** Follower: runs a short piece of local writing. @returns undefined when it is another one's turn */
	write<T>(follower: number, section: () => T): {readonly value: T} | undefined {
		if (Atomics.compareExchange(this.#cells, OWNER, follower * 2, follower * 2 + 1) !== follower * 2)
			return undefined;
		try {
			return {value: section()};
		} finally {
			Atomics.store(this.#cells, OWNER, follower * 2);
		}
	}

	/** Gives the turn to another follower. @returns false while the one before writes: ask again soon */
	give(follower: number): boolean {
		const now = Atomics.load(this.#cells, OWNER);
		return (now & 1) === 0 && Atomics.compareExchange(this.#cells, OWNER, now, follower * 2) === now;
	}
}
