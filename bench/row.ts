/** One row of the table: a directory to work in, and the processes that serve it. */

export interface Row extends AsyncDisposable {
	readonly name: string;
	/** Touch it from children only. */
	readonly directory: string;
	/** Whose CPU time counts; none for a kernel filesystem. */
	readonly pids: readonly number[];
}

/** Rows that are compared with each other; the last one that is started is the first one that ends. */
export class Rows implements AsyncDisposable {
	readonly rows: Row[] = [];
	readonly #below: AsyncDisposable[] = [];

	add(row: Row): void {
		this.rows.push(row);
	}

	/** What must outlive the rows: bricks. */
	standOn(below: AsyncDisposable): void {
		this.#below.push(below);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const part of [...this.#below, ...this.rows].reverse()) await part[Symbol.asyncDispose]();
	}
}
