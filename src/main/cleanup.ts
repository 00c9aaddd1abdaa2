/** What has to be undone when a start fails half-way, in reverse order. (Node 20 lacks AsyncDisposableStack.) */
export class Cleanup implements AsyncDisposable {
	readonly #actions: Array<() => Promise<void>> = [];

	add(action: () => Promise<void>): void {
		this.#actions.push(action);
	}

	/** The start went well: nothing is undone any more. */
	release(): void {
		this.#actions.length = 0;
	}

	/** Every action runs, also when one before it failed. */
	async [Symbol.asyncDispose](): Promise<void> {
		for (const action of this.#actions.reverse()) await action().catch(() => undefined);
	}
}
