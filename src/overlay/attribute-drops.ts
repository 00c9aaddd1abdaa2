/** Makes the kernel drop the attributes that it keeps of all files: the root and the first files at once, the rest in turns. */

/** Invalidations per turn of the event loop. */
const AT_ONCE = 256;

export class AttributeDrops {
	readonly #nodes: () => Generator<number>;
	readonly #drop: (nodeid: number) => void;
	#left: Generator<number> | undefined;

	/** @param nodes all files that the kernel knows. @param drop drops one's attributes; never blocks */
	constructor(nodes: () => Generator<number>, drop: (nodeid: number) => void) {
		this.#nodes = nodes;
		this.#drop = drop;
	}

	/** Begins anew with all files. */
	start(): void {
		const running = this.#left !== undefined;
		this.#left = this.#nodes();
		this.#some();
		if (!running) this.#later();
	}

	stop(): void {
		this.#left = undefined;
	}

	/** Other work goes on meanwhile. */
	#later(): void {
		setImmediate(() => {
			this.#some();
			if (this.#left !== undefined) this.#later();
		});
	}

	#some(): void {
		for (let i = 0; i < AT_ONCE; i++) {
			const next = this.#left?.next();
			if (next === undefined || next.done === true) {
				this.#left = undefined;
				return;
			}
			this.#drop(next.value);
		}
	}
}
