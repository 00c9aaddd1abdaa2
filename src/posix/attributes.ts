/** Modes, owners, times, and the state of a whole filesystem. Every function returns ≥ 0 or a negative errno. */
import {bind, checked, type CString} from './libc.ts';

const sysFchmod = bind<(fd: number, mode: number) => number>('int fchmod(int fd, unsigned int mode)');
const sysFchmodat = bind<(dirfd: number, path: CString, mode: number, flags: number) => number>(
	'int fchmodat(int dirfd, const void *path, unsigned int mode, int flags)',
);
const sysFchown = bind<(fd: number, uid: number, gid: number) => number>(
	'int fchown(int fd, unsigned int uid, unsigned int gid)',
);
const sysFchownat = bind<(dirfd: number, path: CString, uid: number, gid: number, flags: number) => number>(
	'int fchownat(int dirfd, const void *path, unsigned int uid, unsigned int gid, int flags)',
);
const sysUtimensat = bind<(dirfd: number, path: CString, times: Buffer, flags: number) => number>(
	'int utimensat(int dirfd, const void *path, const void *times, int flags)',
);
const sysFutimens = bind<(fd: number, times: Buffer) => number>('int futimens(int fd, const void *times)');
const sysFstatfs = bind<(fd: number, into: Buffer) => number>('int fstatfs(int fd, void *into)');
const sysStatfs = bind<(path: CString, into: Buffer) => number>('int statfs(const void *path, void *into)');

/** Stands for "leave as it is" in the owner calls: (uid_t)-1. */
export const KEEP_ID = 0xffffffff;

/** A time stamp in seconds since 1970 (may be negative) and nanoseconds, the current time, or unchanged. */
export type TimeChange = {readonly sec: bigint; readonly nsec: number} | 'now' | 'omit';

/** linux/stat.h: in place of nanoseconds. */
const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const timesCell = Buffer.alloc(32);

const putTime = (time: TimeChange, at: number): void => {
	timesCell.writeBigInt64LE(typeof time === 'string' ? 0n : time.sec, at);
	const nsec = time === 'now' ? UTIME_NOW : time === 'omit' ? UTIME_OMIT : time.nsec;
	timesCell.writeBigInt64LE(BigInt(nsec), at + 8);
};

export const fchmod = (fd: number, mode: number): number => checked(sysFchmod(fd, mode));

/** Follows symbolic links. */
export const fchmodat = (dirfd: number, path: CString, mode: number): number =>
	checked(sysFchmodat(dirfd, path, mode, 0));

/** @param uid, gid KEEP_ID leaves one as it is */
export const fchown = (fd: number, uid: number, gid: number): number => checked(sysFchown(fd, uid, gid));

/** @param flags AT.SYMLINK_NOFOLLOW, AT.EMPTY_PATH (then `dirfd` may be an O.PATH descriptor) */
export const fchownat = (dirfd: number, path: CString, uid: number, gid: number, flags: number): number =>
	checked(sysFchownat(dirfd, path, uid, gid, flags));

/** @param flags AT.SYMLINK_NOFOLLOW, AT.EMPTY_PATH (Linux ≥ 5.8) or 0 */
export const utimensat = (
	dirfd: number,
	path: CString,
	atime: TimeChange,
	mtime: TimeChange,
	flags: number,
): number => {
	putTime(atime, 0);
	putTime(mtime, 16);
	return checked(sysUtimensat(dirfd, path, timesCell, flags));
};

/** Times of an open file (not of an O.PATH descriptor). */
export const futimens = (fd: number, atime: TimeChange, mtime: TimeChange): number => {
	putTime(atime, 0);
	putTime(mtime, 16);
	return checked(sysFutimens(fd, timesCell));
};

export const STATFS_SIZE = 120;
/** Byte offsets in `struct statfs` of 64-bit architectures (asm-generic/statfs.h); all are 64-bit words. */
export const STATFS = {
	type: 0,
	bsize: 8,
	blocks: 16,
	bfree: 24,
	bavail: 32,
	files: 40,
	ffree: 48,
	fsid: 56,
	namelen: 64,
	frsize: 72,
	flags: 80,
} as const;

/** FUSE_SUPER_MAGIC of linux/magic.h: `type` of every FUSE filesystem, a GlusterFS mount among them. */
export const FUSE_SUPER_MAGIC = 0x65735546n;

/** @param fd may be an O.PATH descriptor. @param into at least STATFS_SIZE bytes */
export const fstatfs = (fd: number, into: Buffer): number => checked(sysFstatfs(fd, into));
export const statfs = (path: CString, into: Buffer): number => checked(sysStatfs(path, into));
