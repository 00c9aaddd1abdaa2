/** A tiny filesystem in shared memory, as a worker module: enough to prove what the FUSE layer promises. */
import {workerData} from 'node:worker_threads';
import {CELL, DATA_CAPACITY, type MemoryState} from './memory-state.ts';
import type {AttrReply, Entry, FilesystemOps, Name} from '../../src/fuse/filesystem.ts';
import {serve} from '../../src/fuse/serve.ts';
import {OPCODE} from '../../src/fuse/wire/abi.ts';
import {DT} from '../../src/posix/dents.ts';
import {ERRNO} from '../../src/posix/errno.ts';
import {close, openat} from '../../src/posix/files.ts';
import {AT_FDCWD, cstring} from '../../src/posix/libc.ts';
import {O} from '../../src/posix/open-flags.ts';
import {STATX, STATX_SIZE} from '../../src/posix/statx.ts';

const {user} = workerData as {readonly user: MemoryState};
const cells = new Int32Array(user.cells);
const data = new Uint8Array(user.data);

const NODES = {root: 1, local: 2, plain: 3, counter: 4, data: 5, appearing: 6, hang: 7} as const;
type NodeName = keyof typeof NODES;
const HOUR_MS = 3_600_000;
/** `data` has some, or the kernel would ask for its attributes at every read(2). */
const attrTimeoutMs = (nodeid: number): number =>
	nodeid === NODES.counter ? HOUR_MS : nodeid === NODES.data ? 1000 : 0;
const nameOf = (nodeid: number): NodeName | undefined =>
	(Object.keys(NODES) as NodeName[]).find(name => NODES[name] === nodeid);

const content = (nodeid: number): Buffer => {
	switch (nodeid) {
		case NODES.counter:
			return Buffer.from('x'.repeat(Atomics.load(cells, CELL.counter)));
		case NODES.data:
			return Buffer.from(user.data, 0, Atomics.load(cells, CELL.dataSize));
		default:
			return Buffer.from(`${nameOf(nodeid) ?? ''}\n`);
	}
};

const statx = Buffer.alloc(STATX_SIZE);
const attributes = (nodeid: number): AttrReply => {
	const directory = nodeid === NODES.root;
	statx.fill(0);
	statx.writeUInt16LE(directory ? 0o40755 : 0o100644, STATX.mode);
	statx.writeUInt32LE(1, STATX.nlink);
	statx.writeBigUInt64LE(BigInt(nodeid), STATX.ino);
	statx.writeUInt32LE(4096, STATX.blksize);
	if (!directory) statx.writeBigUInt64LE(BigInt(content(nodeid).length), STATX.size);
	return {statx, modeMask: 0o7777, attrTimeoutMs: attrTimeoutMs(nodeid)};
};
const entry = (nodeid: number): Entry => ({
	...attributes(nodeid),
	nodeid,
	generation: 1,
	entryTimeoutMs: nodeid === NODES.counter ? HOUR_MS : 0,
});

/** Waits as a system call on a dead backing would, until the test lets go. */
const hang = (): void => {
	Atomics.add(cells, CELL.hung, 1);
	while (Atomics.load(cells, CELL.hanging) === 1) Atomics.wait(cells, CELL.hanging, 1);
	Atomics.sub(cells, CELL.hung, 1);
};
const isHanging = (name: Name): boolean => name.toString('latin1', 0, 4) === 'hang';
const refuse = (): number => -ERRNO.EROFS;
const unsupported = (): number => -ERRNO.ENOSYS;

const ops: FilesystemOps = {
	isLocal: (opcode, nodeid, _fh, name) =>
		opcode === OPCODE.FORGET ||
		opcode === OPCODE.BATCH_FORGET ||
		nodeid === NODES.local ||
		(nodeid === NODES.root && opcode === OPCODE.GETATTR) ||
		(opcode === OPCODE.LOOKUP && name?.toString('latin1') === 'local'),
	lookup: (_caller, _parent, name) => {
		if (isHanging(name)) hang();
		const text = name.toString('latin1');
		if (text === 'stuck') close(openat(AT_FDCWD, cstring(user.fifo), O.RDONLY));
		if (text === 'throws') throw new Error('planted');
		const nodeid = text.startsWith('hang') ? NODES.hang : NODES[text as NodeName];
		if ((nodeid as number | undefined) === undefined) return -ERRNO.ENOENT;
		if (nodeid === NODES.appearing && Atomics.load(cells, CELL.appearing) === 0)
			return {...entry(nodeid), nodeid: 0, entryTimeoutMs: HOUR_MS};
		Atomics.add(cells, CELL.lookups, 1);
		return entry(nodeid);
	},
	forget: (_nodeid, nlookup) => void Atomics.add(cells, CELL.forgets, nlookup),
	getattr: (_caller, nodeid) => attributes(nodeid),
	setattr: (_caller, nodeid, change) => {
		if (nodeid !== NODES.data) return -ERRNO.EROFS;
		if (change.size !== undefined) Atomics.store(cells, CELL.dataSize, Number(change.size));
		return attributes(nodeid);
	},
	readlink: () => -ERRNO.EINVAL,
	symlink: refuse,
	mknod: refuse,
	mkdir: refuse,
	unlink: refuse,
	rmdir: refuse,
	rename: refuse,
	link: refuse,
	create: refuse,
	tmpfile: unsupported,
	open: (_caller, nodeid) => {
		Atomics.add(cells, CELL.opens, 1);
		return {fh: nodeid, openFlags: 0};
	},
	read: (_caller, nodeid, _fh, offset, _flags, into) => {
		const bytes = content(nodeid).subarray(Number(offset));
		return bytes.copy(into);
	},
	write: (_caller, nodeid, _fh, offset, _flags, bytes) => {
		const end = Number(offset) + bytes.length;
		if (nodeid !== NODES.data || end > DATA_CAPACITY) return -ERRNO.ENOSPC;
		data.set(bytes, Number(offset));
		if (end > Atomics.load(cells, CELL.dataSize)) Atomics.store(cells, CELL.dataSize, end);
		return bytes.length;
	},
	flush: () => 0,
	release: () => void Atomics.add(cells, CELL.releases, 1),
	fsync: () => 0,
	opendir: () => ({fh: 0, openFlags: 0}),
	readdir: (_caller, _nodeid, _fh, offset, sink) => {
		const names = Object.keys(NODES).filter(name => name !== 'root');
		for (let i = Number(offset); i < names.length; i++)
			if (!sink.add(Buffer.from(names[i]!), BigInt(i + 2), DT.REG, BigInt(i + 1))) break;
		return 0;
	},
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
		frsize: 4096,
	}),
	setxattr: unsupported,
	getxattr: () => -ERRNO.ENODATA,
	listxattr: () => 0,
	removexattr: unsupported,
	fallocate: unsupported,
	lseek: () => BigInt(-ERRNO.EINVAL),
	copyFileRange: unsupported,
	getlk: unsupported,
	setlk: unsupported,
	undo: () => void Atomics.add(cells, CELL.undone, 1),
};

serve(ops);
