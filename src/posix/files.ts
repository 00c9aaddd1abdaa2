/** Open files: open, read, write, sync, size. Every function returns ≥ 0 or a negative errno. */
import {bind, checked, checked64, type CString, type Int64} from './libc.ts';

const sysOpenat = bind<(dirfd: number, path: CString, flags: number, mode: number) => number>(
	'int openat(int dirfd, const void *path, int flags, unsigned int mode)',
);
const sysClose = bind<(fd: number) => number>('int close(int fd)');
const sysRead = bind<(fd: number, into: Buffer, size: number) => Int64>(
	'int64_t read(int fd, void *into, size_t size)',
);
const sysWrite = bind<(fd: number, data: Buffer, size: number) => Int64>(
	'int64_t write(int fd, const void *data, size_t size)',
);
const sysPread = bind<(fd: number, into: Buffer, size: number, offset: Int64) => Int64>(
	'int64_t pread(int fd, void *into, size_t size, int64_t offset)',
);
const sysPwrite = bind<(fd: number, data: Buffer, size: number, offset: Int64) => Int64>(
	'int64_t pwrite(int fd, const void *data, size_t size, int64_t offset)',
);
const sysFsync = bind<(fd: number) => number>('int fsync(int fd)');
const sysFdatasync = bind<(fd: number) => number>('int fdatasync(int fd)');
const sysFtruncate = bind<(fd: number, size: Int64) => number>('int ftruncate(int fd, int64_t size)');
const sysFallocate = bind<(fd: number, mode: number, offset: Int64, length: Int64) => number>(
	'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
);
const sysLseek = bind<(fd: number, offset: Int64, whence: number) => Int64>(
	'int64_t lseek(int fd, int64_t offset, int whence)',
);
const sysCopyFileRange = bind<
	(from: number, fromOffset: Buffer, to: number, toOffset: Buffer, size: Int64, flags: number) => Int64
>(
	'int64_t copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t size, unsigned int flags)',
);

/** @param mode permission bits when O.CREAT or O.TMPFILE is among the flags. @returns a descriptor */
export const openat = (dirfd: number, path: CString, flags: number, mode = 0): number =>
	checked(sysOpenat(dirfd, path, flags, mode));

/** The descriptor is gone whatever the result is (Linux, also after EINTR and EIO): never call it again. */
export const close = (fd: number): number => checked(sysClose(fd));

/** @returns bytes read, 0 at the end */
export const read = (fd: number, into: Buffer, size: number = into.length): number =>
	checked(sysRead(fd, into, size));

/** @returns bytes written, which may be fewer than given */
export const write = (fd: number, data: Buffer, size: number = data.length): number =>
	checked(sysWrite(fd, data, size));

/** @returns bytes read, 0 at the end */
export const pread = (fd: number, into: Buffer, offset: Int64, size: number = into.length): number =>
	checked(sysPread(fd, into, size, offset));

/** @returns bytes written, which may be fewer than given */
export const pwrite = (fd: number, data: Buffer, offset: Int64, size: number = data.length): number =>
	checked(sysPwrite(fd, data, size, offset));

export const fsync = (fd: number): number => checked(sysFsync(fd));
export const fdatasync = (fd: number): number => checked(sysFdatasync(fd));
export const ftruncate = (fd: number, size: Int64): number => checked(sysFtruncate(fd, size));

/** @param mode FALLOC_FL_* bits of linux/falloc.h; 0 reserves */
export const fallocate = (fd: number, mode: number, offset: Int64, length: Int64): number =>
	checked(sysFallocate(fd, mode, offset, length));

/** @param whence 0 SET, 1 CUR, 2 END, 3 DATA, 4 HOLE. @returns the new offset or a negative errno, as bigint */
export const lseek = (fd: number, offset: Int64, whence: number): bigint =>
	checked64(sysLseek(fd, offset, whence));

const fromOffsetCell = Buffer.alloc(8);
const toOffsetCell = Buffer.alloc(8);

/** Copies between two open files at the given offsets; neither file position moves. @returns bytes copied */
export const copyFileRange = (
	from: number,
	fromOffset: bigint,
	to: number,
	toOffset: bigint,
	size: Int64,
): number => {
	fromOffsetCell.writeBigInt64LE(fromOffset);
	toOffsetCell.writeBigInt64LE(toOffset);
	return checked(sysCopyFileRange(from, fromOffsetCell, to, toOffsetCell, size, 0));
};
