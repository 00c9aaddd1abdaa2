/** Filesystem identity of the calling *thread*: the libc calls that glibc does not spread over all threads. */
import {ENOSYS} from './errno.ts';
import {bind, checked, syscallNumber, type Int64} from './libc.ts';

const sysSetfsuid = bind<(uid: number) => number>('int setfsuid(unsigned int uid)');
const sysSetfsgid = bind<(gid: number) => number>('int setfsgid(unsigned int gid)');
const sysSyscall = bind<(number: Int64, size: Int64, list: Buffer | null) => Int64>(
	'int64_t syscall(int64_t number, int64_t size, const void *list)',
);
const sysSyscall0 = bind<(number: Int64) => Int64>('int64_t syscall(int64_t number)');

/**
 * Sets the uid that this thread's file accesses are checked with and new files get. Leaving 0 also drops the thread's
 * file capabilities, going back to 0 restores them (capabilities(7)). Can't report failure. @returns the uid before
 */
export const setfsuid = (uid: number): number => sysSetfsuid(uid);

/** As `setfsuid`, for the group. Set it before the uid. @returns the gid before */
export const setfsgid = (gid: number): number => sysSetfsgid(gid);

const groupsCell = Buffer.alloc(4 * 64);

/**
 * Sets the supplementary groups of this thread by the raw system call (glibc's setgroups changes all threads).
 * @param groups at most 64
 * @returns 0 or a negative errno
 */
export const setThreadGroups = (groups: readonly number[]): number => {
	const number = syscallNumber('setgroups');
	if (number === undefined) return -ENOSYS;
	const count = Math.min(groups.length, 64);
	for (let i = 0; i < count; i++) groupsCell.writeUInt32LE(groups[i]!, i * 4);
	return checked(sysSyscall(number, count, groupsCell));
};

/** The calling thread's id, as /proc/<pid>/task lists it. */
export const gettid = (): number => {
	const number = syscallNumber('gettid');
	return number === undefined ? -ENOSYS : checked(sysSyscall0(number));
};
