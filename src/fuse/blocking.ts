/** The main thread's side of `blocking-thread.ts`: calls in order, each answered when the kernel lets it. */
import {Worker} from 'node:worker_threads';
import type {BlockingAnswer, BlockingCall, BlockingRequest} from './blocking-thread.ts';
import {ERRNO} from '../posix/errno.ts';

export class BlockingThread {
	#worker: Worker | undefined;
	readonly #waiting = new Map<number, (result: number) => void>();
	#nextId = 1;
	#closed = false;

	/** Calls that have no answer yet. */
	get pending(): number {
		return this.#waiting.size;
	}

	/** @returns what the call gave; -EINTR when the thread ended before it did. Starts the thread when needed. */
	call(call: BlockingCall): Promise<number> {
		if (this.#closed) return Promise.resolve(-ERRNO.EINTR);
		const worker = (this.#worker ??= this.#start());
		const id = this.#nextId++;
		return new Promise(resolve => {
			this.#waiting.set(id, resolve);
			worker.ref();
			worker.postMessage({id, call} satisfies BlockingRequest);
		});
	}

	/** Ends the thread, or leaves it to itself when a call hangs: it ends once the kernel lets it go. */
	close(): void {
		this.#closed = true;
		this.#worker?.unref();
		void this.#worker?.terminate();
		this.#drop();
	}

	#start(): Worker {
		const worker = new Worker(new URL('./blocking-thread.js', import.meta.url), {
			resourceLimits: {maxYoungGenerationSizeMb: 2},
		});
		worker.on('message', ({id, result}: BlockingAnswer) => {
			this.#waiting.get(id)?.(result);
			this.#waiting.delete(id);
			if (this.#waiting.size === 0) worker.unref();
		});
		worker.on('error', () => this.#drop());
		worker.on('exit', () => {
			this.#worker = undefined;
			this.#drop();
		});
		worker.unref();
		return worker;
	}

	#drop(): void {
		for (const resolve of this.#waiting.values()) resolve(-ERRNO.EINTR);
		this.#waiting.clear();
	}
}
