/** The main thread's end: one follower at a time, and what is known of the newest copy. */
import {extname} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {Worker} from 'node:worker_threads';
import {ChangedRing} from './changed-ring.ts';
import {type CopyFacts, type FollowerData, type FollowerReport} from './protocol.ts';
import {createTurn, Turn} from './turn.ts';

const MODULE = new URL(`thread${extname(import.meta.url)}`, import.meta.url);
const GIVE_POLL_MS = 2;

export interface CopiesOptions {
	/** Where copies are kept: made 0700. */
	readonly directory: string;
	readonly limitBytes: number;
	/** Where the serving threads note what they change. */
	readonly ring: SharedArrayBuffer;
	/** A bug, in words. */
	readonly onProblem: (problem: string) => void;
}

/** What is known of the copy. */
export type CopiesState = Omit<FollowerReport, 'follower'>;

export class Copies {
	readonly #o: CopiesOptions;
	readonly #turnBuffer = createTurn();
	readonly #turn = new Turn(this.#turnBuffer);
	#follower = 0;
	#state: CopiesState = {copy: undefined, problem: undefined, unreadable: 0, lookMs: 0, taken: undefined};
	#queue: Promise<void> = Promise.resolve();

	constructor(options: CopiesOptions) {
		this.#o = options;
	}

	get directory(): string {
		return this.#o.directory;
	}

	get state(): CopiesState {
		return this.#state;
	}

	/** The newest copy, if it is of that filesystem. */
	newestOf(filesystem: string): CopyFacts | undefined {
		return this.#state.copy?.filesystem === filesystem ? this.#state.copy : undefined;
	}

	/** Whether everything that this node's users have changed is in the newest copy. */
	get isComplete(): boolean {
		return this.#state.taken === new ChangedRing(this.#o.ring).head;
	}

	/** The copy of that number is being read: it stays on the disk. 0: none is. */
	served(serial: number): void {
		this.#turn.served = serial;
	}

	/**
	 * Follows a generation from now on, and no other. Resolves when the copy that is on the disk has been looked at, or when
	 * the thread has ended; never rejects.
	 * @param root the generation's root directory; undefined: only find out what there is
	 */
	follow(root: string | undefined, filesystem: string): Promise<void> {
		this.#queue = this.#queue.then(() => this.#follow(root, filesystem));
		return this.#queue;
	}

	/** Follows nothing any more; a thread that hangs is left behind. */
	async stop(): Promise<void> {
		await this.#queue;
		await this.#take();
	}

	async #take(): Promise<number> {
		const follower = ++this.#follower;
		while (!this.#turn.give(follower)) await delay(GIVE_POLL_MS);
		new ChangedRing(this.#o.ring).wake();
		return follower;
	}

	async #follow(root: string | undefined, filesystem: string): Promise<void> {
		const {directory, limitBytes, ring, onProblem} = this.#o;
		const follower = await this.#take();
		const workerData: FollowerData = {
			follower,
			directory,
			root,
			filesystem,
			limitBytes,
			ring,
			turn: this.#turnBuffer,
		};
		const worker = new Worker(MODULE, {workerData});
		worker.unref();
		await new Promise<void>(resolve => {
			worker.on('message', (report: FollowerReport) => {
				if (report.follower === this.#follower) this.#state = report;
				resolve();
			});
			worker.once('error', error => {
				onProblem(`the copy is not followed: ${error.stack ?? error.message}`);
				resolve();
			});
			worker.once('exit', () => resolve());
		});
	}
}
