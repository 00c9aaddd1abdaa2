/** The loop of a worker thread: read a request, run it or leave it to others, answer. Called by the worker module. */
import {parentPort, workerData} from 'node:worker_threads';
import {Control} from './control.ts';
import {answersByItself, Dispatcher, NO_REPLY, WAITS} from './dispatch.ts';
import type {FilesystemOps} from './filesystem.ts';
import {interrupt, type Interruptible} from './interrupts.ts';
import {type LockWaitBuffers, LockWaits} from './lock-waits.ts';
import {callEverybody, ReadingTurn} from './reading-turn.ts';
import {mustNotBeRefused, RequestQueue, type QueueBuffers, type Taken} from './queue.ts';
import {Tally} from './tally.ts';
import {IN_HEADER_SIZE, OPCODE, opcodeName, OUT_HEADER_SIZE} from './wire/abi.ts';
import {encodeErrorReply, ReplyBuffer} from './wire/reply.ts';
import {RequestBuffer, type ParseFailure} from './wire/request.ts';
import {ERRNO, errnoName} from '../posix/errno.ts';
import {read, write} from '../posix/files.ts';

/** What the session hands to each of its workers as `workerData.fuse`. */
export interface WorkerContext {
	readonly fd: number;
	readonly slot: number;
	readonly steady: number;
	readonly maxWrite: number;
	readonly control: SharedArrayBuffer;
	readonly queue: QueueBuffers;
	readonly lockWaits: LockWaitBuffers;
	readonly turn: SharedArrayBuffer;
	readonly tally: SharedArrayBuffer;
}

/** A message of the loop to the session, told apart from the worker module's own by this key. */
export interface WorkerProblem {
	readonly hekafsFuseProblem: string;
}

/** Largest answers that are not file data: an xattr or a list of them is at most 64 KiB (linux/limits.h). */
const MIN_REPLY_CAPACITY = 65536;

const errnoOf = (failure: ParseFailure): number => (failure === 'opcode' ? -ERRNO.ENOSYS : -ERRNO.EINVAL);

/** One worker's state; `run` is its life. */
export class ServingThread {
	readonly #context: WorkerContext;
	readonly #ops: FilesystemOps;
	readonly #control: Control;
	readonly #queue: RequestQueue;
	readonly #waits: LockWaits;
	readonly #turn: ReadingTurn;
	readonly #tally: Tally;
	readonly #request: RequestBuffer;
	readonly #reply: ReplyBuffer;
	readonly #dispatcher: Dispatcher;
	readonly #interruptible: Interruptible;
	readonly #report: (problem: string) => void;

	constructor(context: WorkerContext, ops: FilesystemOps, report: (problem: string) => void) {
		this.#context = context;
		this.#ops = ops;
		this.#report = report;
		this.#control = new Control(context.control);
		this.#queue = new RequestQueue(context.queue);
		this.#waits = new LockWaits(this.#control, context.lockWaits, context.slot);
		this.#turn = new ReadingTurn(this.#control, context.turn, context.slot);
		this.#tally = new Tally(context.tally, context.slot);
		this.#request = new RequestBuffer(context.maxWrite);
		this.#reply = new ReplyBuffer(Math.max(context.maxWrite, MIN_REPLY_CAPACITY));
		this.#dispatcher = new Dispatcher(ops, this.#request, this.#reply);
		const small = Buffer.alloc(OUT_HEADER_SIZE);
		this.#interruptible = {
			control: this.#control,
			queue: this.#queue,
			parked: this.#waits.parked,
			answer: (low, high, error) => {
				encodeErrorReply(small, low, high, error);
				write(context.fd, small);
			},
		};
	}

	/** Serves until the session ends or this worker is surplus. */
	run(): void {
		const {fd, slot, steady} = this.#context;
		const control = this.#control;
		control.startServing(slot);
		this.#helpOut();
		while (this.#turn.take(() => control.retire(slot, steady))) {
			const length = read(fd, this.#request.memory);
			if (length >= 0) this.handle(length);
			else if (!this.#mayReadOn(length)) break;
		}
		if (control.ended !== undefined) callEverybody(this.#context.turn);
		control.stopServing(slot);
	}

	/** @param error what read(2) on the device said. @returns whether it is no end */
	#mayReadOn(error: number): boolean {
		// ENOENT: the request was interrupted before it was read.
		if (error === -ERRNO.EINTR || error === -ERRNO.EAGAIN || error === -ERRNO.ENOENT) return true;
		if (error === -ERRNO.ENODEV) this.#control.end('unmounted');
		else if (error === -ERRNO.ECONNABORTED) this.#control.end('aborted');
		else {
			this.#report(`can't read requests from /dev/fuse: ${errnoName(error)}`);
			this.#control.end('failed');
		}
		return false;
	}

	/** Deals with the message in the request buffer; never throws. Public for the tests. */
	handle(length: number): void {
		const request = this.#request;
		const control = this.#control;
		const {slot} = this.#context;
		control.countRequest(slot);
		const failure = request.parse(length);
		if (failure !== undefined) {
			this.#refuseMessage(failure, length);
			return;
		}
		if (request.opcode === OPCODE.INTERRUPT) {
			this.#interrupt();
			return;
		}
		if (this.#isLocal()) {
			this.#execute();
			return;
		}
		if (!control.leaveFree(slot)) {
			this.#enqueue();
			this.#helpOut();
			return;
		}
		this.#executeRecorded(control.clockMs);
		this.#drain();
		this.#waitForLocks();
		control.enterFree(slot);
		this.#helpOut();
	}

	#isLocal(): boolean {
		const {opcode, nodeid, name} = this.#request;
		if (answersByItself(opcode)) return true;
		try {
			return this.#ops.isLocal(opcode, nodeid, this.#dispatcher.handleOf(this.#request), name);
		} catch (error) {
			this.#reportThrown(error);
			return false;
		}
	}

	/** Runs what is in the queue; this worker is not among the free ones. */
	#drain(): void {
		for (;;) {
			if (this.#queue.count === 0) return;
			// What is queued may take long, one after the other.
			this.#turn.letGo();
			const taken = this.#queue.pop(this.#request.memory);
			if (taken === undefined) return;
			if (this.#request.parse(taken.length) === undefined) this.#executeRecorded(taken.readAtMs);
		}
	}

	/**
	 * A free worker takes from the queue if it is not the last one. Whoever pushes and whoever becomes free both do this
	 * after their own step, so that no request stays queued while two workers are free.
	 */
	#helpOut(): void {
		const {slot} = this.#context;
		while (this.#queue.count > 0 && this.#control.leaveFree(slot)) {
			this.#drain();
			this.#waitForLocks();
			this.#control.enterFree(slot);
		}
	}

	/** Tries the locks that clients wait for, if nobody else does; this worker is not among the free ones. */
	#waitForLocks(): void {
		if (this.#waits.parked.count === 0) return;
		this.#turn.letGo();
		const {memory} = this.#request;
		this.#waits.serve(
			() => this.#waits.parked.pop(memory),
			({length, readAtMs}: Taken) =>
				this.#request.parse(length) !== undefined || this.#executeRecorded(readAtMs),
		);
	}

	/** The request in hand waits for a lock. */
	#park(sinceMs: number): void {
		const {memory, length, opcode, uniqueLow, uniqueHigh} = this.#request;
		const {parked} = this.#waits;
		if (!parked.push(memory, length, opcode, uniqueLow, uniqueHigh, sinceMs)) this.#answer(-ERRNO.ENOLCK);
	}

	#enqueue(): void {
		const {memory, length, opcode, uniqueLow, uniqueHigh} = this.#request;
		const {clockMs} = this.#control;
		if (this.#queue.push(memory, length, opcode, uniqueLow, uniqueHigh, clockMs)) return;
		this.#control.countRefused();
		if (mustNotBeRefused(opcode))
			this.#report(`no room for a ${opcodeName(opcode)}: what it gives back is lost`);
		if (opcode !== OPCODE.FORGET && opcode !== OPCODE.BATCH_FORGET) this.#answer(-ERRNO.ETIMEDOUT);
	}

	#interrupt(): void {
		const low = this.#request.uint32(40) | 0;
		const high = this.#request.uint32(44) | 0;
		if (!interrupt(this.#interruptible, low, high, 0)) this.#control.addInterrupt(low, high);
	}

	/** Runs and answers a request that the watchdog can see. @returns false when it waits for a lock now */
	#executeRecorded(sinceMs: number): boolean {
		const {uniqueLow, uniqueHigh, opcode} = this.#request;
		this.#control.begin(this.#context.slot, uniqueLow, uniqueHigh, opcode, sinceMs);
		this.#turn.begin(opcode);
		const began = performance.now();
		let result = this.#runOperation();
		const tookMs = performance.now() - began;
		this.#turn.note(opcode, tookMs);
		this.#tally.took(opcode, tookMs);
		if (opcode === OPCODE.SETLK && result === -ERRNO.EAGAIN)
			result = this.#waits.settle(result, () => this.#runOperation());
		const mayAnswer = this.#control.finish(this.#context.slot);
		if (result === WAITS) {
			if (mayAnswer) this.#park(sinceMs);
			return false;
		}
		if (mayAnswer) this.#deliver(result);
		else this.#undo(result);
		this.#waits.ended(opcode);
		return true;
	}

	/** Runs and answers a local request. */
	#execute(): void {
		this.#deliver(this.#runOperation());
	}

	#runOperation(): number {
		try {
			return this.#dispatcher.run();
		} catch (error) {
			this.#reportThrown(error);
			return -ERRNO.EIO;
		}
	}

	#deliver(result: number): void {
		if (result === NO_REPLY) return;
		// ENOENT: the kernel gave the request up.
		if (this.#answer(result) === -ERRNO.ENOENT) this.#undo(result);
	}

	#undo(result: number): void {
		if (result === NO_REPLY) return;
		try {
			this.#dispatcher.undo(result);
		} catch (error) {
			this.#reportThrown(error);
		}
	}

	/** @returns what write(2) said */
	#answer(result: number): number {
		const {uniqueLow, uniqueHigh, opcode} = this.#request;
		const length = this.#reply.finish(uniqueLow, uniqueHigh, result);
		// An entry without a node: the kernel is to remember that the name is absent.
		const absent = opcode === OPCODE.LOOKUP && result > 0 && this.#dispatcher.givenNode === 0;
		this.#tally.count(opcode, absent ? -ERRNO.ENOENT : result);
		const written = write(this.#context.fd, this.#reply.memory, length);
		if (written === -ERRNO.EINVAL)
			this.#report(`the kernel rejects our answer to ${opcodeName(opcode)} (${length} bytes)`);
		return written;
	}

	#refuseMessage(failure: ParseFailure, length: number): void {
		if (length < IN_HEADER_SIZE) {
			this.#report(`a message of ${length} bytes from the kernel`);
			return;
		}
		const opcode = this.#request.uint32(4);
		if (failure !== 'opcode') this.#report(`malformed ${opcodeName(opcode)} from the kernel: ${failure}`);
		if (opcode === OPCODE.FORGET || opcode === OPCODE.BATCH_FORGET || opcode === OPCODE.INTERRUPT) return;
		this.#answer(errnoOf(failure));
	}

	#reportThrown(error: unknown): void {
		const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
		this.#report(`${opcodeName(this.#request.opcode)} threw: ${text}`);
	}
}

/**
 * Serves the session that started this thread; returns when it has ended or this thread is no longer needed.
 * To be called by the module named as `SessionOptions.workerModule`.
 */
export const serve = (ops: FilesystemOps): void => {
	const {fuse} = workerData as {readonly fuse: WorkerContext};
	const report = (problem: string): void =>
		parentPort?.postMessage({hekafsFuseProblem: problem} satisfies WorkerProblem);
	new ServingThread(fuse, ops, report).run();
};
