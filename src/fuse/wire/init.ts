/** INIT: what the kernel offers, what we ask for, and the answer. */
import {FUSE_KERNEL_VERSION, INIT, INIT2, INIT_OUT_SIZE, OUT_HEADER_SIZE} from './abi.ts';
import type {ReplyBuffer} from './reply.ts';
import type {RequestBuffer} from './request.ts';

/** The newest minor version whose structs are those in this folder. */
const NEWEST_MINOR = 41;
/** Older kernels have other struct sizes (7.23 brought the 64-byte fuse_init_out). */
const OLDEST_MINOR = 23;

/**
 * Not asked for, on purpose: WRITEBACK_CACHE (the kernel would accept writes before we see them), DONT_MASK (the kernel
 * applies the umask), HANDLE_KILLPRIV (its second version says who may keep set-id bits), NO_OPEN*, SPLICE*.
 * HANDLE_KILLPRIV_V2: without it the kernel asks for `security.capability` at each write, and neither O_TRUNC nor direct
 * writes of ordinary users take the set-id bits off.
 * ABORT_ERROR lets a reader tell an aborted connection (ECONNABORTED) from an unmounted one (ENODEV).
 */
const WANTED =
	INIT.ASYNC_READ |
	INIT.ATOMIC_O_TRUNC |
	INIT.BIG_WRITES |
	INIT.AUTO_INVAL_DATA |
	INIT.DO_READDIRPLUS |
	INIT.READDIRPLUS_AUTO |
	INIT.ASYNC_DIO |
	INIT.PARALLEL_DIROPS |
	INIT.ABORT_ERROR |
	INIT.MAX_PAGES |
	INIT.HANDLE_KILLPRIV_V2 |
	INIT.INIT_EXT;
const WANTED2 = INIT2.CREATE_SUPP_GROUP | INIT2.DIRECT_IO_ALLOW_MMAP;
const LOCKS = INIT.POSIX_LOCKS | INIT.FLOCK_LOCKS;

/** Background requests (readahead, asynchronous direct I/O) that the kernel may have under way, and where it throttles. */
const MAX_BACKGROUND = 64;
const CONGESTION_THRESHOLD = 48;

export interface InitOptions {
	readonly maxWrite: number;
	/** Whether flock and fcntl locks are sent to us instead of being kept in this kernel. */
	readonly locks: boolean;
}

export interface Negotiated {
	readonly minor: number;
	/** The low word of the flags in force. */
	readonly flags: number;
	readonly flags2: number;
}

/** 'retry': the kernel is of a newer major version and asks again. 'too-old': it speaks a protocol that we don't. */
export type InitOutcome = Negotiated | 'retry' | 'too-old';

/**
 * Writes the payload of the answer to INIT.
 * @param request a parsed INIT request
 * @returns what was agreed, and the payload's size in `size`
 */
export const answerInit = (
	request: RequestBuffer,
	reply: ReplyBuffer,
	options: InitOptions,
): {readonly outcome: InitOutcome; readonly size: number} => {
	const major = request.uint32(40);
	const kernelMinor = request.uint32(44);
	const out = reply.u32;
	const base = OUT_HEADER_SIZE >>> 2;
	out.fill(0, base, base + (INIT_OUT_SIZE >>> 2));
	out[base] = FUSE_KERNEL_VERSION;
	out[base + 1] = NEWEST_MINOR;
	if (major > FUSE_KERNEL_VERSION) return {outcome: 'retry', size: INIT_OUT_SIZE};
	if (major < FUSE_KERNEL_VERSION || kernelMinor < OLDEST_MINOR)
		return {outcome: 'too-old', size: INIT_OUT_SIZE};
	const minor = Math.min(kernelMinor, NEWEST_MINOR);
	const flags = (WANTED | (options.locks ? LOCKS : 0)) & request.uint32(52);
	const extended = (flags & INIT.INIT_EXT) !== 0 && request.end >= 60;
	const flags2 = extended ? WANTED2 & request.uint32(56) : 0;
	out[base + 1] = minor;
	out[base + 2] = request.uint32(48);
	out[base + 3] = flags;
	out[base + 4] = MAX_BACKGROUND | (CONGESTION_THRESHOLD << 16);
	out[base + 5] = options.maxWrite;
	// time_gran: stamps are exact to the nanosecond.
	out[base + 6] = 1;
	out[base + 7] = Math.max(1, options.maxWrite >>> 12);
	out[base + 8] = flags2;
	return {outcome: {minor, flags, flags2}, size: INIT_OUT_SIZE};
};
