/** A mutual exclusion for threads in one word of shared memory. Never held over a system call. */

const FREE = 0;
const HELD = 1;
/** Held, and somebody sleeps: whoever releases it must wake one. */
const CONTENDED = 2;
/** Sections are a microsecond long: look a few times before sleeping. */
const SPINS = 200;

/** The three-state futex mutex of U. Drepper, "Futexes are tricky", section "Mutex, take 2". Not recursive. */
export class SharedLock {
	readonly #cells: Int32Array;
	readonly #index: number;

	/** @param cells in shared memory, zero at first. @param index the lock's word */
	constructor(cells: Int32Array, index: number) {
		this.#cells = cells;
		this.#index = index;
	}

	/** Runs the section while no other thread runs one under the same lock. */
	run<T>(section: () => T): T {
		this.#acquire();
		try {
			return section();
		} finally {
			this.#release();
		}
	}

	#acquire(): void {
		const cells = this.#cells;
		const index = this.#index;
		for (let i = 0; i < SPINS; i++) if (Atomics.compareExchange(cells, index, FREE, HELD) === FREE) return;
		while (Atomics.exchange(cells, index, CONTENDED) !== FREE) Atomics.wait(cells, index, CONTENDED);
	}

	#release(): void {
		if (Atomics.exchange(this.#cells, this.#index, FREE) === CONTENDED)
			Atomics.notify(this.#cells, this.#index, 1);
	}
}
