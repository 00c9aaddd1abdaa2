/** Extended attributes, each call by path (following links), by path of the link itself (`l…`) and by descriptor (`f…`). */
import {bind, checked, type CString, type Int64} from './libc.ts';

/** Flags of setxattr(2). */
export const XATTR = {CREATE: 1, REPLACE: 2} as const;

const sysSet = bind<(path: CString, name: CString, value: Buffer, size: number, flags: number) => number>(
	'int setxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
);
const sysGet = bind<(path: CString, name: CString, into: Buffer, size: number) => Int64>(
	'int64_t getxattr(const void *path, const void *name, void *into, size_t size)',
);
const sysList = bind<(path: CString, into: Buffer, size: number) => Int64>(
	'int64_t listxattr(const void *path, void *into, size_t size)',
);
const sysRemove = bind<(path: CString, name: CString) => number>(
	'int removexattr(const void *path, const void *name)',
);
const sysLSet = bind<(path: CString, name: CString, value: Buffer, size: number, flags: number) => number>(
	'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
);
const sysLGet = bind<(path: CString, name: CString, into: Buffer, size: number) => Int64>(
	'int64_t lgetxattr(const void *path, const void *name, void *into, size_t size)',
);
const sysLList = bind<(path: CString, into: Buffer, size: number) => Int64>(
	'int64_t llistxattr(const void *path, void *into, size_t size)',
);
const sysLRemove = bind<(path: CString, name: CString) => number>(
	'int lremovexattr(const void *path, const void *name)',
);
const sysFSet = bind<(fd: number, name: CString, value: Buffer, size: number, flags: number) => number>(
	'int fsetxattr(int fd, const void *name, const void *value, size_t size, int flags)',
);
const sysFGet = bind<(fd: number, name: CString, into: Buffer, size: number) => Int64>(
	'int64_t fgetxattr(int fd, const void *name, void *into, size_t size)',
);
const sysFList = bind<(fd: number, into: Buffer, size: number) => Int64>(
	'int64_t flistxattr(int fd, void *into, size_t size)',
);
const sysFRemove = bind<(fd: number, name: CString) => number>('int fremovexattr(int fd, const void *name)');

// By path, following symbolic links.

/** @param flags XATTR.* or 0 */
export const setxattr = (path: CString, name: CString, value: Buffer, flags = 0): number =>
	checked(sysSet(path, name, value, value.length, flags));
/** @param into empty: only the size is asked for. @returns size of the value; -ERANGE when it does not fit */
export const getxattr = (path: CString, name: CString, into: Buffer): number =>
	checked(sysGet(path, name, into, into.length));
/** @param into empty: only the size is asked for. @returns size of the list of NUL-terminated names */
export const listxattr = (path: CString, into: Buffer): number => checked(sysList(path, into, into.length));
export const removexattr = (path: CString, name: CString): number => checked(sysRemove(path, name));

// By path; a symbolic link itself.

/** @param flags XATTR.* or 0 */
export const lsetxattr = (path: CString, name: CString, value: Buffer, flags = 0): number =>
	checked(sysLSet(path, name, value, value.length, flags));
/** @param into empty: only the size is asked for. @returns size of the value; -ERANGE when it does not fit */
export const lgetxattr = (path: CString, name: CString, into: Buffer): number =>
	checked(sysLGet(path, name, into, into.length));
/** @param into empty: only the size is asked for. @returns size of the list of NUL-terminated names */
export const llistxattr = (path: CString, into: Buffer): number => checked(sysLList(path, into, into.length));
export const lremovexattr = (path: CString, name: CString): number => checked(sysLRemove(path, name));

// By descriptor (not O.PATH: EBADF).

/** @param flags XATTR.* or 0 */
export const fsetxattr = (fd: number, name: CString, value: Buffer, flags = 0): number =>
	checked(sysFSet(fd, name, value, value.length, flags));
/** @param into empty: only the size is asked for. @returns size of the value; -ERANGE when it does not fit */
export const fgetxattr = (fd: number, name: CString, into: Buffer): number =>
	checked(sysFGet(fd, name, into, into.length));
/** @param into empty: only the size is asked for. @returns size of the list of NUL-terminated names */
export const flistxattr = (fd: number, into: Buffer): number => checked(sysFList(fd, into, into.length));
export const fremovexattr = (fd: number, name: CString): number => checked(sysFRemove(fd, name));
