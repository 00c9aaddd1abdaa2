/** The worker threads of a session, as the main thread keeps them. */
import {Worker} from 'node:worker_threads';
import type {Control} from './control.ts';
import type {AnswerError} from './interrupts.ts';
import {leaveWaiter, type LockWaitBuffers} from './lock-waits.ts';
import type {QueueBuffers} from './queue.ts';
import {leaveTurn} from './reading-turn.ts';
import type {WorkerContext, WorkerProblem} from './serve.ts';
import {ERRNO} from '../posix/errno.ts';

/** So many crashes without a calm minute between them are no accident: the session fails. */
const MAX_CRASHES = 16;
const CALM_MS = 60_000;

export interface PoolOptions {
	readonly fd: number;
	readonly workerModule: URL;
	readonly workerData: unknown;
	readonly steady: number;
	readonly maxWrite: number;
	readonly control: Control;
	readonly controlBuffer: SharedArrayBuffer;
	readonly queue: QueueBuffers;
	readonly lockWaits: LockWaitBuffers;
	readonly turn: SharedArrayBuffer;
	readonly tally: SharedArrayBuffer;
	readonly answer: AnswerError;
	readonly onMessage: (message: unknown) => void;
	readonly onProblem: (problem: string) => void;
	/** The pool can't be kept alive. */
	readonly onFailure: (cause: unknown) => void;
}

export class WorkerPool {
	readonly #o: PoolOptions;
	readonly #workers = new Map<number, Worker>();
	readonly #onEmpty: (() => void)[] = [];
	#crashes = 0;
	#lastCrashMs = 0;

	constructor(options: PoolOptions) {
		this.#o = options;
	}

	/** Threads that exist, also those that hang. */
	get size(): number {
		return this.#workers.size;
	}

	/** Started and not yet reading requests. */
	get starting(): number {
		return this.#count('starting');
	}
	get serving(): number {
		return this.#count('serving');
	}

	#count(life: ReturnType<Control['life']>): number {
		let count = 0;
		for (const slot of this.#workers.keys()) if (this.#o.control.life(slot) === life) count++;
		return count;
	}

	start(count: number): void {
		for (let slot = 0, left = count; left > 0 && slot < this.#o.control.maxWorkers; slot++) {
			if (this.#workers.has(slot)) continue;
			this.#startOne(slot);
			left--;
		}
	}

	#startOne(slot: number): void {
		const {fd, steady, maxWrite, controlBuffer, queue, lockWaits, turn, tally, control} = this.#o;
		const shared = {control: controlBuffer, queue, lockWaits, turn, tally};
		const fuse: WorkerContext = {fd, slot, steady, maxWrite, ...shared};
		control.prepare(slot);
		const worker = new Worker(this.#o.workerModule, {
			workerData: {fuse, user: this.#o.workerData},
			// Operations make little garbage; a small young generation keeps a hundred threads affordable.
			resourceLimits: {maxYoungGenerationSizeMb: 8},
		});
		this.#workers.set(slot, worker);
		let cause: unknown = new Error('the worker module returned without a reason');
		worker.on('message', (message: unknown) => {
			if (isProblem(message)) this.#o.onProblem(message.hekafsFuseProblem);
			else this.#o.onMessage(message);
		});
		worker.on('error', error => {
			cause = error;
			this.#o.onProblem(`worker ${slot} died: ${error.stack ?? error.message}`);
		});
		worker.on('exit', () => this.#exited(slot, cause));
	}

	#exited(slot: number, cause: unknown): void {
		const {control, steady, answer} = this.#o;
		this.#workers.delete(slot);
		if (this.#workers.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
		leaveTurn(this.#o.turn, slot);
		if (control.life(slot) === 'retired') return;
		const orphan = control.cleanUp(slot);
		leaveWaiter(this.#o.lockWaits, slot);
		if (control.ended !== undefined) return;
		if (orphan !== undefined && control.claimAnswer(orphan))
			answer(orphan.uniqueLow, orphan.uniqueHigh, -ERRNO.EIO);
		if (orphan !== undefined) control.finish(slot);
		if (control.clockMs - this.#lastCrashMs > CALM_MS) this.#crashes = 0;
		this.#lastCrashMs = control.clockMs;
		this.#crashes++;
		if (this.#crashes > MAX_CRASHES) this.#o.onFailure(cause);
		else if (control.live < steady) this.start(steady - control.live);
	}

	/** Resolves when no thread is left. */
	whenEmpty(): Promise<void> {
		return this.#workers.size === 0 ? Promise.resolve() : new Promise(resolve => this.#onEmpty.push(resolve));
	}

	/** Resolves with true when no thread is left, or with false after `timeoutMs`. */
	async empty(timeoutMs: number): Promise<boolean> {
		let timer: NodeJS.Timeout | undefined;
		const timeout = new Promise<boolean>(resolve => (timer = setTimeout(resolve, timeoutMs, false)));
		const result = await Promise.race([this.whenEmpty().then(() => true), timeout]);
		clearTimeout(timer);
		return result;
	}

	/**
	 * Ends all threads. One that hangs in a system call ends when that call returns, without running on; nobody waits
	 * for it any more, and it does not keep the process alive.
	 */
	terminate(): void {
		for (const worker of this.#workers.values()) {
			worker.unref();
			void worker.terminate();
		}
	}
}

const isProblem = (message: unknown): message is WorkerProblem =>
	typeof message === 'object' && message !== null && 'hekafsFuseProblem' in message;
