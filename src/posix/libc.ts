/** The door to libc: the only file that imports koffi. Everything here runs on the calling thread and blocks it. */
import koffi from 'koffi';
import {EIO} from './errno.ts';

/**
 * The process's own symbols: node is linked with libc, so neither its file name nor its flavour needs to be known.
 * Variadic functions (openat, fcntl, ioctl, syscall) are declared with fixed arguments: on x86_64 and aarch64 Linux
 * integers and pointers travel in the same registers either way.
 */
const library = koffi.load(null);

/** What stands for a size or an offset: bigint only where it may pass 2^53. */
export type Int64 = number | bigint;

/**
 * A path or name as libc takes it: bytes, with a NUL *right behind* the view's last byte in the same memory, so that
 * names inside a FUSE request need no copy. The view itself has no NUL. Make others with `cstring`.
 */
export type CString = Buffer;

/** Copies text (UTF-8) or bytes into memory with a NUL behind it. */
export const cstring = (text: string | Uint8Array): CString => {
	const bytes = typeof text === 'string' ? Buffer.from(text) : text;
	const memory = Buffer.alloc(bytes.length + 1);
	memory.set(bytes);
	return memory.subarray(0, bytes.length);
};

/** Binds a C prototype; the caller gives the matching TypeScript type. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a checked cast in one place
export const bind = <F extends (...args: never[]) => Int64>(prototype: string): F =>
	library.func(prototype) as unknown as F;

/** Turns libc's -1 with `errno` into a negative errno; other results go through. To be called right after the call. */
export const checked = (result: Int64): number => {
	if (result !== -1) return Number(result);
	// errno is per thread and nothing runs between the two calls; 0 would mean success and must not come out of here.
	const errno = koffi.errno();
	return errno > 0 ? -errno : -EIO;
};

/** `checked` for results that may pass 2^53. */
export const checked64 = (result: Int64): bigint =>
	result === -1 ? BigInt(checked(result)) : BigInt(result);

/** Numbers of the system calls that libc does not wrap as we need them; they differ per architecture. */
const SYSCALLS = {
	x64: {getdents64: 217, setgroups: 116, gettid: 186},
	arm64: {getdents64: 61, setgroups: 159, gettid: 178},
} as const;

/** The number of a system call, or undefined on an architecture that is not supported. */
export const syscallNumber = (name: keyof (typeof SYSCALLS)['x64']): number | undefined => {
	const table = (SYSCALLS as Partial<Record<string, Record<typeof name, number>>>)[process.arch];
	return table?.[name];
};

/** Start directory of `*at` calls: the current directory (only for absolute paths here). */
export const AT_FDCWD = -100;
/** Flags of `*at` calls, from linux/fcntl.h: the same on every architecture. */
export const AT = {
	SYMLINK_NOFOLLOW: 0x100,
	REMOVEDIR: 0x200,
	SYMLINK_FOLLOW: 0x400,
	NO_AUTOMOUNT: 0x800,
	EMPTY_PATH: 0x1000,
	STATX_FORCE_SYNC: 0x2000,
	STATX_DONT_SYNC: 0x4000,
} as const;

/** The empty path, for calls with AT.EMPTY_PATH. */
export const EMPTY_PATH: CString = cstring('');
