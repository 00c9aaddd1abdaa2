/** The main thread's end of root-thread.ts: one generation's root, opened, watched and left in a thread of its own. */
import {extname} from 'node:path';
import {Worker} from 'node:worker_threads';
import {HekafsError} from '../errors.ts';
import {errnoName} from '../posix/errno.ts';
import {type CurrentRoot} from './current-root.ts';
import {ENDED, type RootMessage, type RootThreadData, SUPERSEDED} from './root-protocol.ts';
import {type SharedState} from './shared-state.ts';

/** This file's own extension: `.js` when built. */
const MODULE = new URL(`root-thread${extname(import.meta.url)}`, import.meta.url);

type Opened = Extract<RootMessage, {readonly kind: 'opened'}>;

export interface GenerationRootOptions {
	readonly state: SharedState;
	readonly generation: number;
	readonly path: string;
	/** How long the directory may take to open. */
	readonly timeoutMs: number;
}

export class GenerationRoot {
	readonly generation: number;
	/** The root directory as it was opened. */
	readonly #opened: Opened;
	readonly #worker: Worker;
	readonly #stop: Int32Array;
	readonly #root: CurrentRoot;

	private constructor(
		options: GenerationRootOptions,
		worker: Worker,
		stop: Int32Array,
		opened: Opened,
		root: CurrentRoot,
	) {
		this.generation = options.generation;
		this.#opened = opened;
		this.#worker = worker;
		this.#stop = stop;
		this.#root = root;
	}

	/** @throws HekafsError HEKAFS_MOUNT_LOST (no such directory), HEKAFS_TIMEOUT */
	static async open(options: GenerationRootOptions, root: CurrentRoot): Promise<GenerationRoot> {
		const {state, generation, path, timeoutMs} = options;
		const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
		const worker = new Worker(MODULE, {workerData: {state, generation, path, stop} satisfies RootThreadData});
		const message = await firstMessage(worker, path, timeoutMs).catch((error: unknown) => {
			// Should it come back from open(2) after all, it closes what it has opened.
			Atomics.store(new Int32Array(stop), 0, ENDED);
			throw error;
		});
		if (message.kind === 'opened') {
			// A thread that hangs below a dead mount must not keep the process.
			worker.unref();
			return new GenerationRoot(options, worker, new Int32Array(stop), message, root);
		}
		const why = message.kind === 'failed' ? errnoName(message.errno) : message.kind;
		throw new HekafsError('HEKAFS_MOUNT_LOST', `can't open ${path}: ${why}`);
	}

	/**
	 * Makes the generation current.
	 * @returns how many locks could not be had in it; resolves after `timeoutMs` at the latest
	 */
	async becomeCurrent(timeoutMs: number): Promise<number> {
		const moved = new Promise<number>(resolve =>
			this.#worker.once('message', (message: RootMessage) =>
				resolve(message.kind === 'locks moved' ? message.lost : 0),
			),
		);
		this.#root.attach(this.generation, this.#opened.attributes, this.#opened.isFuse);
		this.#root.wake();
		return Promise.race([
			moved,
			new Promise<number>(resolve => setTimeout(() => resolve(0), timeoutMs).unref()),
		]);
	}

	/** The copy was current meanwhile; nothing of this generation was closed. */
	becomeCurrentAgain(): void {
		this.#root.attach(this.generation, this.#opened.attributes, this.#opened.isFuse);
	}

	/** Another generation is current: the thread closes what is left of this one, as it falls out of use, and ends. */
	supersede(): void {
		this.#tell(SUPERSEDED);
	}

	/** The overlay is gone: the thread closes everything and ends. Resolves after `timeoutMs` at the latest. */
	async end(timeoutMs: number): Promise<void> {
		const ended = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()));
		if (this.#worker.threadId === -1) return;
		this.#tell(ENDED);
		await Promise.race([ended, new Promise<void>(resolve => setTimeout(resolve, timeoutMs).unref())]);
	}

	#tell(state: number): void {
		Atomics.store(this.#stop, 0, state);
		Atomics.notify(this.#stop, 0);
		this.#root.wake();
	}
}

const firstMessage = async (worker: Worker, path: string, timeoutMs: number): Promise<RootMessage> => {
	let timer: NodeJS.Timeout | undefined;
	try {
		return await new Promise<RootMessage>((resolve, reject) => {
			worker.once('message', resolve);
			worker.once('error', reject);
			timer = setTimeout(() => {
				// It can't be ended while it hangs in open(2).
				worker.unref();
				reject(new HekafsError('HEKAFS_TIMEOUT', `opening ${path} takes longer than ${timeoutMs} ms`));
			}, timeoutMs);
		});
	} finally {
		clearTimeout(timer);
	}
};
