/** A thread for calls that may block in the kernel and would stop the main thread; the module that runs in it. */
import {parentPort} from 'node:worker_threads';
import {write} from '../posix/files.ts';
import {umount2} from '../posix/mount.ts';

export type BlockingCall =
	| {readonly kind: 'write'; readonly fd: number; readonly data: Uint8Array}
	| {readonly kind: 'umount'; readonly path: string; readonly flags: number};

/** What such a thread gets and gives. */
export interface BlockingRequest {
	readonly id: number;
	readonly call: BlockingCall;
}
export interface BlockingAnswer {
	readonly id: number;
	/** As the system call gave it, or a negative errno. */
	readonly result: number;
}

parentPort?.on('message', ({id, call}: BlockingRequest) => {
	const result =
		call.kind === 'write' ? write(call.fd, Buffer.from(call.data)) : umount2(call.path, call.flags);
	parentPort?.postMessage({id, result} satisfies BlockingAnswer);
});
