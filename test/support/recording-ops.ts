/** A filesystem for tests without a kernel: records each call and answers what it was told, else plausible things. */
import type {AttrReply, Entry, FilesystemOps} from '../../src/fuse/filesystem.ts';
import {STATX, STATX_SIZE} from '../../src/posix/statx.ts';

/** The attributes that the golden replies hold. */
export const goldenStatx = (): Buffer => {
	const statx = Buffer.alloc(STATX_SIZE);
	statx.writeBigUInt64LE(77n, STATX.ino);
	statx.writeBigUInt64LE((1n << 32n) + 5n, STATX.size);
	statx.writeBigUInt64LE(9n, STATX.blocks);
	statx.writeBigInt64LE(-3n, STATX.atimeSec);
	statx.writeBigInt64LE(1000n, STATX.mtimeSec);
	statx.writeBigInt64LE(2000n, STATX.ctimeSec);
	statx.writeUInt32LE(11, STATX.atimeNsec);
	statx.writeUInt32LE(22, STATX.mtimeNsec);
	statx.writeUInt32LE(33, STATX.ctimeNsec);
	statx.writeUInt16LE(0o100666, STATX.mode);
	statx.writeUInt32LE(2, STATX.nlink);
	statx.writeUInt32LE(1000, STATX.uid);
	statx.writeUInt32LE(100, STATX.gid);
	statx.writeUInt32LE(8, STATX.rdevMajor);
	statx.writeUInt32LE(0x1234, STATX.rdevMinor);
	statx.writeUInt32LE(4096, STATX.blksize);
	return statx;
};

export const goldenEntry = (): Entry => ({
	nodeid: 42,
	generation: 3,
	entryTimeoutMs: 1500,
	attrTimeoutMs: 250,
	statx: goldenStatx(),
	modeMask: 0o7555,
});
export const goldenAttr = (): AttrReply => ({statx: goldenStatx(), modeMask: 0o7555, attrTimeoutMs: 1000});

export interface Recorded {
	readonly name: string;
	readonly args: readonly unknown[];
}

const open = {fh: 7, openFlags: 1};
const ANSWERS: Readonly<Record<keyof FilesystemOps, () => unknown>> = {
	isLocal: () => false,
	lookup: goldenEntry,
	forget: () => undefined,
	getattr: goldenAttr,
	setattr: goldenAttr,
	readlink: () => 3,
	symlink: goldenEntry,
	mknod: goldenEntry,
	mkdir: goldenEntry,
	unlink: () => 0,
	rmdir: () => 0,
	rename: () => 0,
	link: goldenEntry,
	open: () => open,
	create: () => ({entry: goldenEntry(), open}),
	tmpfile: () => ({entry: goldenEntry(), open}),
	read: () => 0,
	write: () => 5,
	flush: () => 0,
	release: () => undefined,
	fsync: () => 0,
	opendir: () => open,
	readdir: () => 0,
	releasedir: () => undefined,
	fsyncdir: () => 0,
	statfs: () => ({
		blocks: 1n << 40n,
		bfree: 5n,
		bavail: 4n,
		files: 3n,
		ffree: 2n,
		bsize: 4096,
		namelen: 255,
		frsize: 1024,
	}),
	setxattr: () => 0,
	getxattr: () => 2,
	listxattr: () => 2,
	removexattr: () => 0,
	fallocate: () => 0,
	lseek: () => 9n,
	copyFileRange: () => 4,
	getlk: () => ({fh: 7, owner: 0n, start: 10n, end: (1n << 63n) - 1n, type: 1, pid: 99, flock: false}),
	setlk: () => 0,
	undo: () => undefined,
};

/** @param overrides answers for single operations */
export const recordingOps = (
	overrides: Partial<FilesystemOps> = {},
): {readonly ops: FilesystemOps; readonly calls: Recorded[]} => {
	const calls: Recorded[] = [];
	const ops: Record<string, unknown> = {};
	for (const [name, answer] of Object.entries({...ANSWERS, ...overrides}) as [
		string,
		(...args: never[]) => unknown,
	][])
		ops[name] = (...args: never[]): unknown => {
			calls.push({name, args});
			return answer(...args);
		};
	return {ops: ops as unknown as FilesystemOps, calls};
};
