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

/** Most bytes that stand behind the name's last byte in a record: its NUL and the padding to 8. */
const BEHIND_NAME_MAX = 8;

/** Length of the name in the record that begins at `at`. */
export const nameLengthOf = (records: Buffer, at: number): number => {
	const end = at + (records[at + DIRENT64.recordLength]! | (records[at + DIRENT64.recordLength + 1]! << 8));
	let nul = Math.max(at + DIRENT64.name, end - BEHIND_NAME_MAX);
	while (nul < end && records[nul] !== 0) nul++;
	return nul - at - DIRENT64.name;
};
