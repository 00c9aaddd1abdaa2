/** What a session can be told, with its defaults and limits. */
import {resolveMountpoint} from './device.ts';
import type {OpcodeName} from './wire/abi.ts';
import {HekafsError} from '../errors.ts';

export interface SessionOptions {
	/** A directory; its last component is no symbolic link. */
	readonly mountpoint: string;
	/** Shown in /proc/mounts as `<fsname> <mountpoint> fuse.<subtype>`. */
	readonly fsname: string;
	readonly subtype: string;
	/** Run in each worker thread; it calls `serve`. Its `workerData.user` is `workerData`. */
	readonly workerModule: URL;
	readonly workerData: unknown;
	/** Threads that are always there, at least 2. Default 4. */
	readonly workers?: number;
	/** Threads at most, when requests hang. Default 128. */
	readonly maxWorkers?: number;
	/** After this time a request is answered ETIMEDOUT. Default 10,000. */
	readonly deadlineMs?: number;
	/** Deadlines of single opcodes; 0: none (the default of SETLKW). */
	readonly deadlinesMs?: Readonly<Partial<Record<OpcodeName, number>>>;
	/** Largest WRITE and READ in bytes: a multiple of 4096, at most 1 MiB. Default 256 KiB. */
	readonly maxWrite?: number;
	readonly allowOther?: boolean;
	readonly defaultPermissions?: boolean;
	/** Whether flock and fcntl locks come to the filesystem. Default true. */
	readonly locks?: boolean;
	/** What the worker modules post to their parentPort. */
	readonly onMessage?: (message: unknown) => void;
	/** A bug in the filesystem or here: an operation threw, the kernel rejected an answer, a worker died. */
	readonly onProblem?: (problem: string) => void;
}

/** Options with every default filled in. */
export type Settings = Required<Omit<SessionOptions, 'deadlinesMs'>> & Pick<SessionOptions, 'deadlinesMs'>;

/** @throws HekafsError HEKAFS_USAGE, HEKAFS_MOUNT_FAILED (no such directory) */
export const settle = (options: SessionOptions): Settings => {
	const settings: Settings = {
		workers: 4,
		maxWorkers: 128,
		deadlineMs: 10_000,
		maxWrite: 256 * 1024,
		allowOther: true,
		defaultPermissions: true,
		locks: true,
		onMessage: () => undefined,
		onProblem: () => undefined,
		...options,
		mountpoint: resolveMountpoint(options.mountpoint),
	};
	const {maxWrite, workers, maxWorkers} = settings;
	if (maxWrite % 4096 !== 0 || maxWrite < 4096 || maxWrite > 1 << 20)
		throw new HekafsError('HEKAFS_USAGE', `maxWrite ${maxWrite} is no multiple of 4096 up to 1 MiB`);
	// With one worker alone, that one would always be the last free one and never run anything.
	if (workers < 2 || maxWorkers < workers)
		throw new HekafsError('HEKAFS_USAGE', `${workers} workers of at most ${maxWorkers}: need 2 or more`);
	return settings;
};
