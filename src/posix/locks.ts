/** File locks: flock(2) and open-file-description locks of fcntl(2). Every function returns ≥ 0 or a negative errno. */
import {bind, checked} from './libc.ts';

const sysFlock = bind<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
const sysFcntlLock = bind<(fd: number, command: number, lock: Buffer) => number>(
	'int fcntl(int fd, int command, void *lock)',
);

/** Operations of flock(2). */
export const LOCK = {SH: 1, EX: 2, NB: 4, UN: 8} as const;

/** Lock types of fcntl(2) on x86_64 and aarch64; FUSE carries the same numbers. */
export const F = {RDLCK: 0, WRLCK: 1, UNLCK: 2} as const;

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_OFD_SETLKW = 38;

/** `end` is the last byte, inclusive, as in FUSE; OFFSET_MAX means "to the end of the file". */
export interface ByteLock {
	readonly type: number;
	readonly start: bigint;
	readonly end: bigint;
	/** Only in answers of `ofdGetLock`; -1 for an open-file-description lock. */
	readonly pid: number;
}
export const OFFSET_MAX = 0x7fffffffffffffffn;

/** struct flock of 64-bit machines: type s16 @0, whence s16 @2, start s64 @8, len s64 @16, pid s32 @24. */
const lockCell = Buffer.alloc(32);

const putLock = (type: number, start: bigint, end: bigint): void => {
	lockCell.fill(0);
	lockCell.writeInt16LE(type, 0);
	lockCell.writeBigInt64LE(start, 8);
	lockCell.writeBigInt64LE(end >= OFFSET_MAX ? 0n : end - start + 1n, 16);
};

/** @param operation LOCK.SH, EX or UN, with LOCK.NB for an answer at once (EAGAIN) */
export const flock = (fd: number, operation: number): number => checked(sysFlock(fd, operation));

/** Sets or removes an OFD lock. @param wait blocks this thread until the lock is had. @returns 0, -EAGAIN, … */
export const ofdSetLock = (fd: number, type: number, start: bigint, end: bigint, wait = false): number => {
	putLock(type, start, end);
	return checked(sysFcntlLock(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, lockCell));
};

/** @returns the lock that is in the way, one of type F.UNLCK when there is none, or a negative errno */
export const ofdGetLock = (fd: number, type: number, start: bigint, end: bigint): ByteLock | number => {
	putLock(type, start, end);
	const result = checked(sysFcntlLock(fd, F_OFD_GETLK, lockCell));
	if (result < 0) return result;
	const foundStart = lockCell.readBigInt64LE(8);
	const length = lockCell.readBigInt64LE(16);
	return {
		type: lockCell.readInt16LE(0),
		start: foundStart,
		end: length === 0n ? OFFSET_MAX : foundStart + length - 1n,
		pid: lockCell.readInt32LE(24),
	};
};
