/** Directory entries: make, remove, rename, link. Every function returns ≥ 0 or a negative errno. */
import {bind, checked, type CString, type Int64} from './libc.ts';

const sysReadlinkat = bind<(dirfd: number, path: CString, into: Buffer, size: number) => Int64>(
	'int64_t readlinkat(int dirfd, const void *path, void *into, size_t size)',
);
const sysMkdirat = bind<(dirfd: number, path: CString, mode: number) => number>(
	'int mkdirat(int dirfd, const void *path, unsigned int mode)',
);
const sysMknodat = bind<(dirfd: number, path: CString, mode: number, device: Int64) => number>(
	'int mknodat(int dirfd, const void *path, unsigned int mode, uint64_t device)',
);
const sysSymlinkat = bind<(target: CString, dirfd: number, path: CString) => number>(
	'int symlinkat(const void *target, int dirfd, const void *path)',
);
const sysLinkat = bind<(fromDir: number, from: CString, toDir: number, to: CString, flags: number) => number>(
	'int linkat(int fromDir, const void *from, int toDir, const void *to, int flags)',
);
const sysUnlinkat = bind<(dirfd: number, path: CString, flags: number) => number>(
	'int unlinkat(int dirfd, const void *path, int flags)',
);
const sysRenameat2 = bind<
	(fromDir: number, from: CString, toDir: number, to: CString, flags: number) => number
>('int renameat2(int fromDir, const void *from, int toDir, const void *to, unsigned int flags)');
const sysUmask = bind<(mask: number) => number>('unsigned int umask(unsigned int mask)');

/** Flags of renameat2(2). */
export const RENAME = {NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4} as const;

/** @param path empty (`EMPTY_PATH`): `dirfd` is an O.PATH descriptor of the link. @returns length of the target */
export const readlinkat = (dirfd: number, path: CString, into: Buffer): number =>
	checked(sysReadlinkat(dirfd, path, into, into.length));

export const mkdirat = (dirfd: number, path: CString, mode: number): number =>
	checked(sysMkdirat(dirfd, path, mode));

/**
 * @param mode type and permission bits
 * @param device as FUSE and stat carry it: the kernel's 32-bit encoding equals the low half of glibc's
 */
export const mknodat = (dirfd: number, path: CString, mode: number, device: number): number =>
	checked(sysMknodat(dirfd, path, mode, device));

export const symlinkat = (target: CString, dirfd: number, path: CString): number =>
	checked(sysSymlinkat(target, dirfd, path));

/** @param flags AT.SYMLINK_FOLLOW, AT.EMPTY_PATH or 0 (a symbolic link itself gets the new name) */
export const linkat = (fromDir: number, from: CString, toDir: number, to: CString, flags = 0): number =>
	checked(sysLinkat(fromDir, from, toDir, to, flags));

/** @param flags AT.REMOVEDIR for a directory, else 0 */
export const unlinkat = (dirfd: number, path: CString, flags = 0): number =>
	checked(sysUnlinkat(dirfd, path, flags));

/** @param flags RENAME.* or 0 */
export const renameat2 = (fromDir: number, from: CString, toDir: number, to: CString, flags = 0): number =>
	checked(sysRenameat2(fromDir, from, toDir, to, flags));

/** Sets the umask of the whole process. @returns the one before */
export const umask = (mask: number): number => checked(sysUmask(mask));
