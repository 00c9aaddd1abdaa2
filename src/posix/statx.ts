/** statx(2) into a caller's buffer: `struct statx` has the same layout on every architecture (linux/stat.h). */
import {bind, checked, type CString} from './libc.ts';

export const STATX_SIZE = 256;

/** Byte offsets in `struct statx`; the comment is the field's type. Times are {sec s64, nsec u32} pairs. */
export const STATX = {
	mask: 0, // u32
	blksize: 4, // u32
	attributes: 8, // u64
	nlink: 16, // u32
	uid: 20, // u32
	gid: 24, // u32
	mode: 28, // u16
	ino: 32, // u64
	size: 40, // u64
	blocks: 48, // u64, of 512 bytes
	attributesMask: 56, // u64
	atimeSec: 64, // s64
	atimeNsec: 72, // u32
	btimeSec: 80, // s64
	btimeNsec: 88, // u32
	ctimeSec: 96, // s64
	ctimeNsec: 104, // u32
	mtimeSec: 112, // s64
	mtimeNsec: 120, // u32
	rdevMajor: 128, // u32
	rdevMinor: 132, // u32
	devMajor: 136, // u32
	devMinor: 140, // u32
	mntId: 144, // u64
} as const;

/** STATX_BASIC_STATS: everything that stat(2) gives. */
export const STATX_BASIC_STATS = 0x7ff;

const sysStatx = bind<(fd: number, path: CString, flags: number, mask: number, into: Buffer) => number>(
	'int statx(int dirfd, const void *path, int flags, unsigned int mask, void *into)',
);

/**
 * @param flags AT.*; AT.EMPTY_PATH with `EMPTY_PATH` asks for `dirfd` itself
 * @param into at least STATX_SIZE bytes
 * @returns 0 or a negative errno
 */
export const statx = (
	dirfd: number,
	path: CString,
	flags: number,
	into: Buffer,
	mask: number = STATX_BASIC_STATS,
): number => checked(sysStatx(dirfd, path, flags, mask, into));
