/** A directory that may hang (a private mount, or a local one), reached from a thread of its own with a deadline on each call. */
import {Worker} from 'node:worker_threads';
import createDebug from 'debug';
import {HekafsError, type HekafsErrorCode} from '../errors.ts';
import {type FromWorker, type ToWorker, type WorkerData} from './messages.ts';
import {type AllCalls} from './record-calls.ts';

export interface CallOptions {
	/** From the call to the answer, waiting for earlier calls included. */
	readonly timeoutMs: number;
}

export interface Backing extends AsyncDisposable {
	readonly root: string;
	/** A call has passed its deadline and has not answered since; calls fail at once with HEKAFS_TIMEOUT meanwhile. */
	readonly silent: boolean;
	/**
	 * Does one of `AllCalls` in the thread; calls are done one after the other.
	 * A call that was not begun before its deadline is never done; one that was may still take effect later.
	 * @throws HEKAFS_TIMEOUT · HEKAFS_MOUNT_LOST (no connection to the servers, or not mounted) · HEKAFS_NO_SPACE ·
	 * HEKAFS_STATE_INVALID (too long, not a regular file) · HEKAFS_STATE_UNREADABLE (any other errno: see `errnoOf`)
	 */
	call<K extends keyof AllCalls>(
		name: K,
		args: Parameters<AllCalls[K]>,
		options: CallOptions,
	): Promise<ReturnType<AllCalls[K]>>;
	/**
	 * Ends the thread and with it its locks. Never hangs: a thread that does is left behind; abort the mount's connection
	 * then, for the process can't exit while it hangs.
	 */
	[Symbol.asyncDispose](): Promise<void>;
}

export interface BackingOptions {
	/** Absolute path. */
	readonly root: string;
	/** The FUSE connection that must be mounted there: without it a directory below a lost mount would be taken for it. */
	readonly connection?: number;
}

interface Call {
	readonly id: number;
	readonly name: keyof AllCalls;
	readonly args: unknown[];
	readonly timer: NodeJS.Timeout;
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: Error) => void;
}

const debug = createDebug('hekafs:backing');

/** How long `asyncDispose` waits for a thread that is not known to hang. */
const CLOSE_TIMEOUT_MS = 1000;
/** More waiting calls than this are a fault of the caller. */
const MAX_QUEUED = 256;

const CODES: Readonly<Partial<Record<string, HekafsErrorCode>>> = {
	ENOTCONN: 'HEKAFS_MOUNT_LOST',
	ECONNABORTED: 'HEKAFS_MOUNT_LOST',
	ESTALE: 'HEKAFS_MOUNT_LOST',
	ENOSPC: 'HEKAFS_NO_SPACE',
	EDQUOT: 'HEKAFS_NO_SPACE',
	EFBIG: 'HEKAFS_STATE_INVALID',
	EINVAL: 'HEKAFS_STATE_INVALID',
};

/** The name of the system error behind an error of `call` (`ENOTEMPTY`), undefined when there is none. */
export const errnoOf = (error: unknown): string | undefined => {
	const cause = error instanceof HekafsError ? error.cause : undefined;
	if (!(cause instanceof Error) || !('code' in cause)) return undefined;
	return typeof cause.code === 'string' ? cause.code : undefined;
};

const callError = (
	root: string,
	{name, args}: Pick<Call, 'name' | 'args'>,
	failure: Extract<FromWorker, {kind: 'failed'}>,
): HekafsError => {
	const what = `${name} ${typeof args[0] === 'string' ? args[0] : ''}`.trim();
	const {errno} = failure;
	const cause = Object.assign(new Error(failure.message), errno === undefined ? {} : {code: errno});
	if (errno === undefined) return new HekafsError('HEKAFS_INTERNAL', `${what} below ${root} failed`, {cause});
	return new HekafsError(CODES[errno] ?? 'HEKAFS_STATE_UNREADABLE', `${what} below ${root} failed`, {cause});
};

const timeoutError = (root: string, name: string, why: string): HekafsError =>
	new HekafsError('HEKAFS_TIMEOUT', `${name} below ${root}: ${why}`, {
		remedy: 'Servers do not answer, or this machine is overloaded; see the log of the mount.',
	});

/** FUSE mounts have major device number 0; st_dev packs the minor as glibc's makedev does. */
const deviceOf = (connection: number): bigint =>
	(BigInt(connection) & 0xffn) | ((BigInt(connection) & ~0xffn) << 12n);

class ThreadBacking implements Backing {
	readonly root: string;
	readonly #worker: Worker;
	readonly #exited: Promise<void>;
	readonly #queue: Call[] = [];
	/** The call that the thread is doing. */
	#current: Call | undefined;
	#silent = false;
	#nextId = 1;
	#ended: HekafsError | undefined;

	constructor({root, connection}: BackingOptions) {
		this.root = root;
		const workerData: WorkerData = {
			root,
			device: connection === undefined ? undefined : deviceOf(connection),
		};
		// tsc rewrites specifiers of imports, not this one.
		const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
		this.#worker = new Worker(new URL(file, import.meta.url), {workerData, name: 'backing'});
		this.#worker.on('message', (message: FromWorker) => this.#answered(message));
		this.#worker.on('error', error => this.#end(this.#broken(error)));
		this.#exited = new Promise(resolve => {
			this.#worker.on('exit', () => {
				this.#end(this.#broken());
				resolve();
			});
		});
	}

	get silent(): boolean {
		return this.#silent;
	}

	async call<K extends keyof AllCalls>(
		name: K,
		args: Parameters<AllCalls[K]>,
		{timeoutMs}: CallOptions,
	): Promise<ReturnType<AllCalls[K]>> {
		if (this.#ended !== undefined) throw this.#ended;
		if (this.#silent) throw timeoutError(this.root, name, 'an earlier call still has no answer');
		if (this.#queue.length >= MAX_QUEUED) throw timeoutError(this.root, name, 'too many calls are waiting');
		const value = await new Promise<unknown>((resolve, reject) => {
			const id = this.#nextId++;
			// Behind the answers that are already here: this thread itself may have been busy until now.
			const timer = setTimeout(() => setImmediate(() => this.#late(id, timeoutMs)), timeoutMs);
			this.#queue.push({id, name, args, timer, resolve, reject});
			this.#next();
		});
		// A Buffer crosses threads as a Uint8Array.
		const revived =
			value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length) : value;
		return revived as ReturnType<AllCalls[K]>;
	}

	#post(message: ToWorker): void {
		this.#worker.postMessage(message);
	}

	#next(): void {
		if (this.#current !== undefined || this.#ended !== undefined) return;
		const call = this.#queue.shift();
		if (call === undefined) return;
		this.#current = call;
		this.#post({kind: 'call', id: call.id, name: call.name, args: call.args});
	}

	#answered(message: FromWorker): void {
		const call = this.#current;
		if (call?.id !== message.id) return;
		this.#current = undefined;
		this.#silent = false;
		clearTimeout(call.timer);
		if (message.kind === 'done') call.resolve(message.value);
		else call.reject(callError(this.root, call, message));
		this.#next();
	}

	#late(id: number, timeoutMs: number): void {
		const queued = this.#queue.findIndex(call => call.id === id);
		const [call] = queued === -1 ? [this.#current] : this.#queue.splice(queued, 1);
		if (call?.id !== id) return;
		debug('%s: %s is late after %d ms', this.root, call.name, timeoutMs);
		call.reject(timeoutError(this.root, call.name, `no answer within ${timeoutMs} ms`));
		if (queued !== -1) return;
		this.#silent = true;
		// Whoever waits behind it would only find out later.
		for (const waiting of this.#queue.splice(0)) {
			clearTimeout(waiting.timer);
			waiting.reject(timeoutError(this.root, waiting.name, 'an earlier call has no answer'));
		}
	}

	#broken(cause?: unknown): HekafsError {
		return new HekafsError('HEKAFS_INTERNAL', `The thread for ${this.root} has ended`, {cause});
	}

	/** No call will be answered any more. Only the first reason counts. */
	#end(error: HekafsError): void {
		this.#ended ??= error;
		const waiting = [...(this.#current === undefined ? [] : [this.#current]), ...this.#queue.splice(0)];
		this.#current = undefined;
		for (const call of waiting) {
			clearTimeout(call.timer);
			call.reject(this.#ended);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const hangs = this.#silent;
		this.#end(new HekafsError('HEKAFS_NOT_RUNNING', `The backing ${this.root} was closed`));
		this.#worker.unref();
		if (hangs) {
			void this.#worker.terminate();
			return;
		}
		this.#post({kind: 'close'});
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<'late'>(resolve => {
			timer = setTimeout(resolve, CLOSE_TIMEOUT_MS, 'late');
		});
		if ((await Promise.race([this.#exited, late])) === 'late') void this.#worker.terminate();
		clearTimeout(timer);
	}
}

/** Starts the thread; the directory is first touched by the first call. */
export const openBacking = (options: BackingOptions): Backing => new ThreadBacking(options);
