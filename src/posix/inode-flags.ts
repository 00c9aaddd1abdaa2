/** Inode flags as chattr(1) sets them (ioctl FS_IOC_GETFLAGS and SETFLAGS), on filesystems that know them. */
import {bind, checked} from './libc.ts';

const sysIoctl = bind<(fd: number, request: number, argument: Buffer) => number>(
	'int ioctl(int fd, unsigned long request, void *argument)',
);

/** linux/fs.h, for 64-bit machines. The kernel reads and writes an int in spite of the `long` in the macro. */
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;

/** FS_IMMUTABLE_FL: nothing can be created, changed or removed, not even by root. */
export const FS_IMMUTABLE = 0x10;
export const FS_APPEND_ONLY = 0x20;

const flagsCell = Buffer.alloc(8);

/** @returns the flags of an open file or directory, or a negative errno (ENOTTY, EOPNOTSUPP: not known there) */
export const getInodeFlags = (fd: number): number => {
	flagsCell.fill(0);
	const result = checked(sysIoctl(fd, FS_IOC_GETFLAGS, flagsCell));
	return result < 0 ? result : flagsCell.readInt32LE(0);
};

/** @returns 0 or a negative errno */
export const setInodeFlags = (fd: number, flags: number): number => {
	flagsCell.fill(0);
	flagsCell.writeInt32LE(flags, 0);
	return checked(sysIoctl(fd, FS_IOC_SETFLAGS, flagsCell));
};
