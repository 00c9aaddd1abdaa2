/** The verified copy in the daemon: followed through the mount that is agreed on, served when the loop says so. */
import {type Node} from '../heal/node.ts';
import {type CopiesSeen} from '../heal/ports.ts';
import {type StatusReport} from '../membership/report.ts';
import {type Overlay} from '../overlay/overlay.ts';
import {Copies} from '../snapshot/follower.ts';

export interface KeptCopiesOptions {
	readonly directory: string;
	readonly limitBytes: number;
	readonly onProblem: (problem: string) => void;
}

export class KeptCopies {
	readonly #copies: Copies;
	readonly #overlay: Overlay;
	readonly #node: () => Node;
	#followed = 0;
	#served = 0;

	constructor(options: KeptCopiesOptions, overlay: Overlay, node: () => Node) {
		this.#copies = new Copies({...options, ring: overlay.changed});
		this.#overlay = overlay;
		this.#node = node;
		void this.#copies.follow(undefined, '');
	}

	seen(): CopiesSeen {
		const copy = this.#newest();
		return {
			copy: copy === undefined ? undefined : {checkedMs: copy.checkedMs},
			problem: this.#copies.state.problem,
			complete: this.#copies.isComplete,
		};
	}

	serve(): void {
		// A copy that is being served is not exchanged for a newer one: nothing newer can be had.
		const serial = this.#served === 0 ? this.#newest()?.serial : this.#served;
		if (serial === undefined) return;
		this.#copies.served(serial);
		this.#served = this.#overlay.serveCopy(serial) ? serial : 0;
	}

	serveMount(): void {
		if (this.#served === 0) return;
		this.#served = 0;
		this.#overlay.serveMount();
		this.#copies.served(0);
	}

	/** After each turn of the loop: follows the generation in use once it is agreed on. */
	turn(agreed: boolean): void {
		const {current, state} = this.#node();
		if (!agreed || current?.set === undefined || state === undefined) return;
		if (current.generation === this.#followed) return;
		this.#followed = current.generation;
		void this.#copies.follow(current.path, state.filesystemId);
	}

	report(nowMs = Date.now()): StatusReport['copy'] {
		const {problem, unreadable, lookMs} = this.#copies.state;
		const copy = this.#newest();
		return {
			serving: this.#served !== 0,
			checkedAt: copy === undefined ? null : new Date(copy.checkedMs).toISOString(),
			updatedAt: copy === undefined ? null : new Date(copy.updatedMs).toISOString(),
			ageSeconds: copy === undefined ? null : Math.max(0, Math.round((nowMs - copy.checkedMs) / 1000)),
			files: copy?.files ?? 0,
			bytes: copy?.bytes ?? 0,
			quiet: copy?.quiet ?? false,
			unreadable,
			lookMs,
			problem: problem ?? null,
		};
	}

	async stop(): Promise<void> {
		await this.#copies.stop();
	}

	#newest(): ReturnType<Copies['newestOf']> {
		const filesystem = this.#node().state?.filesystemId;
		return filesystem === undefined ? undefined : this.#copies.newestOf(filesystem);
	}
}
