/** A mounted filesystem: handshake, workers, watchdog, and an end that comes about whatever hangs. */
import createDebug from 'debug';
import {BlockingThread} from './blocking.ts';
import {Control, createControlBuffer, type EndReason} from './control.ts';
import {
	abortConnection,
	closeDevice,
	connectionAt,
	deadlines,
	ensureFusectl,
	handshake,
	mountDevice,
	openDevice,
	tearDown,
} from './device.ts';
import type {AnswerError} from './interrupts.ts';
import {Notifier} from './notifier.ts';
import {WorkerPool} from './pool.ts';
import {createLockWaitBuffers} from './lock-waits.ts';
import {createQueueBuffers, RequestQueue} from './queue.ts';
import {settle, type SessionOptions, type Settings} from './session-options.ts';
export type {SessionOptions} from './session-options.ts';
import {callEverybody, createTurnBuffer} from './reading-turn.ts';
import {addUp, createTallyBuffer, Tally, type Tallied} from './tally.ts';
import {TICK_MS, Watchdog} from './watchdog.ts';
import {OPCODE, OUT_HEADER_SIZE, READ_BUFFER_SLACK, type OpcodeName} from './wire/abi.ts';
import {encodeErrorReply} from './wire/reply.ts';
import {HekafsError} from '../errors.ts';
import {ERRNO} from '../posix/errno.ts';
import {write} from '../posix/files.ts';
import {MNT, UMOUNT_NOFOLLOW} from '../posix/mount.ts';

export interface SessionStats {
	readonly workers: number;
	readonly inFlight: number;
	readonly queued: number;
	readonly overdueAnswered: number;
	readonly requests: number;
	/** Requests refused because the queue was full. */
	readonly refused: number;
	/**
	 * Threads that still hang in a system call although the session has ended. While there are any, `process.exit()`
	 * does not return (it joins all threads): end such a process by SIGKILL.
	 */
	readonly stuckWorkers: number;
}

export interface Session extends AsyncDisposable {
	/** N of /sys/fs/fuse/connections/N. */
	readonly connection: number;
	/** Resolves when the kernel sends no more requests, and why. */
	readonly closed: Promise<EndReason>;
	readonly notifier: Notifier;
	stats(): SessionStats;
	/** What was answered since the start, by opcode. */
	tallied(): readonly Tallied[];
	/**
	 * Unmounts, also with files open (then lazily, and their handles die). Resolves within a few seconds whatever hangs.
	 * @param options lazy: do not even try a plain unmount
	 */
	unmount(options?: {readonly lazy?: boolean}): Promise<void>;
}

const debug = createDebug('hekafs:fuse');

const QUEUE_SLOTS = 256;
const QUEUE_RESERVED = 64;
/** How long each step of an end may take before the next, rougher one. */
const STEP_MS = 2000;
/** How long operations in flight may go on after a lazy unmount. */
const DRAIN_MS = 1000;

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
/** Does not keep the process alive. */
const timeout = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms).unref());
/** CLOCK_MONOTONIC in ms, cut to 32 bits; compared by signed difference. */
const monotonicMs = (): number => Math.trunc(performance.now()) | 0;

class FuseSession implements Session {
	readonly connection: number;
	readonly closed: Promise<EndReason>;
	readonly notifier: Notifier;
	readonly #fd: number;
	readonly #settings: Settings;
	readonly #control: Control;
	readonly #queue: RequestQueue;
	readonly #pool: WorkerPool;
	readonly #watchdog: Watchdog;
	readonly #turn: SharedArrayBuffer;
	readonly #tally: SharedArrayBuffer;
	readonly #timer: NodeJS.Timeout;
	readonly #onExit: () => void;
	#resolveClosed!: (reason: EndReason) => void;
	#failure: unknown;
	#unmounting: Promise<void> | undefined;
	/** The clean-up after the end of the session, once it has begun. */
	#ending: Promise<void> | undefined;
	#stuckWorkers = 0;

	constructor(fd: number, connection: number, settings: Settings) {
		this.#fd = fd;
		this.connection = connection;
		this.#settings = settings;
		this.closed = new Promise(resolve => (this.#resolveClosed = resolve));
		const controlBuffer = createControlBuffer(settings.maxWorkers);
		const queueBuffers = createQueueBuffers(
			QUEUE_SLOTS,
			QUEUE_RESERVED,
			settings.maxWrite + READ_BUFFER_SLACK,
		);
		const lockWaits = createLockWaitBuffers();
		const turn = (this.#turn = createTurnBuffer());
		const tally = (this.#tally = createTallyBuffer(settings.maxWorkers));
		const control = (this.#control = new Control(controlBuffer));
		control.clockMs = monotonicMs();
		deadlines(settings.deadlineMs).forEach((ms, opcode) => control.setDeadlineMs(opcode, ms));
		for (const [name, ms] of Object.entries(settings.deadlinesMs ?? {}))
			control.setDeadlineMs(OPCODE[name as OpcodeName], ms);
		const queue = (this.#queue = new RequestQueue(queueBuffers));
		const message = Buffer.alloc(OUT_HEADER_SIZE);
		const answer: AnswerError = (low, high, error) => {
			encodeErrorReply(message, low, high, error);
			write(fd, message);
		};
		const {workers: steady, maxWrite, workerModule, workerData, onMessage, onProblem, maxWorkers} = settings;
		const pool = (this.#pool = new WorkerPool({
			fd,
			workerModule,
			workerData,
			steady,
			maxWrite,
			control,
			controlBuffer,
			queue: queueBuffers,
			lockWaits,
			turn,
			tally,
			answer,
			onMessage,
			onProblem,
			onFailure: cause => this.#fail(cause),
		}));
		const grow = (count: number): void => {
			debug('%d more workers: requests wait', count);
			pool.start(count);
		};
		const parked = new RequestQueue(lockWaits.parked);
		const starting = (): number => pool.starting;
		const late = new Tally(tally, maxWorkers);
		const onOverdue = (opcode: number): void => late.count(opcode, -ERRNO.ETIMEDOUT);
		this.#watchdog = new Watchdog({control, queue, parked, maxWorkers, answer, onOverdue, grow, starting});
		this.notifier = new Notifier(fd);
		this.#timer = setInterval(() => this.#tick(), TICK_MS);
		this.#onExit = (): void => tearDown(settings.mountpoint, connection);
		// Without this, process.exit() would wait for ever for threads that read from the device.
		process.on('exit', this.#onExit);
	}

	/** Starts the steady workers and waits until they serve. */
	async start(): Promise<void> {
		const {workers} = this.#settings;
		this.#pool.start(workers);
		while (this.#pool.serving < workers) {
			if (this.#control.ended !== undefined)
				throw new HekafsError('HEKAFS_MOUNT_FAILED', 'the FUSE workers do not start', {
					cause: this.#failure,
				});
			await sleep(5);
		}
	}

	stats(): SessionStats {
		return {
			...this.#control.totals(),
			workers: this.#pool.size,
			queued: this.#queue.count,
			overdueAnswered: this.#watchdog.overdueAnswered,
			refused: this.#control.refused,
			stuckWorkers: this.#stuckWorkers,
		};
	}

	tallied(): readonly Tallied[] {
		return addUp(this.#tally);
	}

	unmount({lazy = false}: {readonly lazy?: boolean} = {}): Promise<void> {
		return (this.#unmounting ??= this.#unmount(lazy));
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.unmount();
	}

	#tick(): void {
		const reason = this.#control.ended;
		if (reason === undefined) this.#watchdog.tick(monotonicMs());
		else this.#ending ??= this.#cleanUp(reason);
	}

	#fail(cause: unknown): void {
		this.#failure = cause;
		this.#control.end('failed');
		tearDown(this.#settings.mountpoint, this.connection);
	}

	async #unmount(lazy: boolean): Promise<void> {
		if (this.#control.ended === undefined) await this.#detach(lazy);
		this.#ending ??= this.#cleanUp(this.#control.ended ?? 'unmounted');
		await this.#ending;
	}

	/** Takes the mount out of the tree and brings the connection to its end. */
	async #detach(lazy: boolean): Promise<void> {
		const thread = new BlockingThread();
		const {mountpoint} = this.#settings;
		const umount = async (flags: number): Promise<number> => {
			if (connectionAt(mountpoint) !== this.connection) return -ERRNO.EINVAL;
			const done = thread.call({kind: 'umount', path: mountpoint, flags: flags | UMOUNT_NOFOLLOW});
			return Promise.race([done, timeout(STEP_MS).then(() => -ERRNO.ETIMEDOUT)]);
		};
		let result = lazy ? -ERRNO.EBUSY : await umount(0);
		if (result === -ERRNO.EBUSY) {
			result = await umount(MNT.DETACH);
			await this.#until(() => this.#isIdle(), DRAIN_MS);
		} else await this.#until(() => this.#control.ended !== undefined, DRAIN_MS);
		// Open files, other mount namespaces or hung requests keep the connection alive: no more.
		if (this.#control.ended === undefined) {
			this.#control.end('unmounted');
			if (!abortConnection(this.connection)) await umount(MNT.FORCE | MNT.DETACH);
		}
		if (result === -ERRNO.ETIMEDOUT) await umount(MNT.DETACH);
		thread.close();
		// Whatever went wrong above: no dead mount stays. It is aborted, so this can't block.
		if (connectionAt(mountpoint) === this.connection) tearDown(mountpoint, this.connection);
	}

	#isIdle(): boolean {
		return this.#control.ended !== undefined || (this.stats().inFlight === 0 && this.#queue.count === 0);
	}

	async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
		for (const end = performance.now() + timeoutMs; !condition() && performance.now() < end;) await sleep(5);
	}

	/** After the end: no thread and no descriptor stays, except those that a system call holds. */
	async #cleanUp(reason: EndReason): Promise<void> {
		debug('%s: %s', this.#settings.mountpoint, reason);
		this.#resolveClosed(reason);
		clearInterval(this.#timer);
		this.notifier.close();
		callEverybody(this.#turn);
		// Workers leave by themselves; the second time those that a module keeps alive, or that hang in JavaScript.
		const gone =
			(await this.#pool.empty(DRAIN_MS)) || (this.#pool.terminate(), await this.#pool.empty(DRAIN_MS));
		process.off('exit', this.#onExit);
		if (reason === 'aborted' || reason === 'failed') tearDown(this.#settings.mountpoint, this.connection);
		if (gone) {
			closeDevice(this.#fd);
			return;
		}
		// A thread that comes back would answer into a descriptor that may be someone else's by then: it stays open.
		this.#stuckWorkers = this.#pool.size;
		void this.#pool.whenEmpty().then(() => {
			this.#stuckWorkers = 0;
			closeDevice(this.#fd);
		});
	}
}

/**
 * Mounts a filesystem and serves it in worker threads.
 * @throws HekafsError HEKAFS_USAGE, HEKAFS_NO_FUSE, HEKAFS_NOT_ROOT, HEKAFS_MOUNT_FAILED; then nothing stays mounted
 */
export const mountSession = async (options: SessionOptions): Promise<Session> => {
	const settings = settle(options);
	ensureFusectl();
	const fd = openDevice();
	let connection: number | undefined;
	try {
		connection = mountDevice(fd, settings);
		handshake(fd, settings);
	} catch (error) {
		if (connection !== undefined) tearDown(settings.mountpoint, connection);
		closeDevice(fd);
		throw error;
	}
	debug('%s is connection %d', settings.mountpoint, connection);
	const session = new FuseSession(fd, connection, settings);
	try {
		await session.start();
		return session;
	} catch (error) {
		await session.unmount();
		throw error;
	}
};
