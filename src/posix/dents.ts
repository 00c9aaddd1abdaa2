/** getdents64(2): raw directory entries, and their layout (linux/dirent.h, the same on every architecture). */
import {ENOSYS} from './errno.ts';
import {bind, checked, syscallNumber, type Int64} from './libc.ts';

const sysGetdents64 = bind<(number: Int64, fd: Int64, into: Buffer, size: Int64) => Int64>(
	'int64_t syscall(int64_t number, int64_t fd, void *into, int64_t size)',
);

/** Byte offsets in one record. The name is NUL-terminated; `offset` is the cookie of the *next* entry. */
export const DIRENT64 = {
	ino: 0, // u64
	offset: 8, // s64
	recordLength: 16, // u16
	type: 18, // u8
	name: 19,
} as const;

/** File types in directory entries: `(mode >> 12) & 15`. */
export const DT = {UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12} as const;

/** @returns bytes of records put into `into`, 0 at the end, or a negative errno */
export const getdents64 = (fd: number, into: Buffer): number => {
	const number = syscallNumber('getdents64');
	return number === undefined ? -ENOSYS : checked(sysGetdents64(number, fd, into, into.length));
};
