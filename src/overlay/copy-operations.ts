/** What can be done with the copy: lookups, reads, listings. Changes never come here: the guard refuses them. */
import {type Entry, type FilesystemOps} from '../fuse/filesystem.ts';
import {DT} from '../posix/dents.ts';
import {ERRNO} from '../posix/errno.ts';
import {F, flock, LOCK} from '../posix/locks.ts';
import {O} from '../posix/open-flags.ts';
import {STATX} from '../posix/statx.ts';
import {type CopyIndex, type Place} from '../snapshot/copy-index.ts';
import {copyGeneration, copyOf} from './copy-generation.ts';
import {type Context} from './context.ts';
import {type CopyView} from './copy-view.ts';
import {S_IFLNK, S_IFREG} from './identity.ts';
import {NAME_MAX, ROOT_NODE} from './inode-layout.ts';

const {EBADF, EINVAL, EIO, ENFILE, ENODATA, ENOENT, ENOLCK, ENXIO, ERANGE, ESTALE} = ERRNO;
const S_IFMT = 0o170000;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const BLOCK_BYTES = 4096;

/** Operations that the copy answers. */
export type CopyOperations = Pick<
	FilesystemOps,
	| 'lookup'
	| 'getattr'
	| 'readlink'
	| 'statfs'
	| 'open'
	| 'read'
	| 'lseek'
	| 'fsync'
	| 'fsyncdir'
	| 'opendir'
	| 'readdir'
	| 'getxattr'
	| 'listxattr'
	| 'getlk'
	| 'setlk'
>;

export const copyOperations = (
	ctx: Context,
	view: CopyView,
	inoOf: (nodeid: number) => bigint,
): CopyOperations => {
	const {handles, root} = ctx;

	/** Runs `use` with the copy's record of the node; -ESTALE when it has no such file. */
	const withNode = <T>(nodeid: number, use: (index: CopyIndex, place: Place) => T): T | number => {
		const index = view.open(copyOf(root.generation));
		if (index === undefined) return -EIO;
		const place = nodeid === ROOT_NODE ? index.root() : index.find(inoOf(nodeid));
		if (place === undefined) return -ESTALE;
		index.attributes(place, ctx.statx);
		return use(index, place);
	};
	const typeNow = (): number => ctx.statx.readUInt16LE(STATX.mode) & S_IFMT;

	const openHandle = (nodeid: number, kind: 'file' | 'directory', flags: number): number =>
		handles.open({kind, nodeid, fd: -1, generation: copyGeneration(copyOf(root.generation)), flags});

	const entryOf = (index: CopyIndex, place: Place, parent: number, name: Buffer): Entry | number => {
		index.attributes(place, ctx.statx);
		return ctx.entry(parent, name);
	};

	/** Whether the handle could have written: what it wrote is not in our hands now. */
	const sync = (fh: number): number => {
		const handle = handles.pin(fh);
		if (handle === undefined) return -EBADF;
		return ctx.bindings.release(handle, () => ((handle.flags & O.ACCMODE) === O.RDONLY ? 0 : -EIO));
	};

	return {
		lookup: (_caller, parent, name) =>
			withNode(parent, (index, directory) => {
				const found = index.lookup(directory, name);
				return found === undefined ? -ENOENT : entryOf(index, found, parent, name);
			}),

		getattr: (_caller, nodeid) => withNode(nodeid, () => ctx.attrReply()),

		readlink: (_caller, nodeid, into) =>
			withNode(nodeid, (index, place) => (typeNow() === S_IFLNK ? index.target(place).copy(into) : -EINVAL)),

		statfs: () =>
			withNode(ROOT_NODE, index => ({
				blocks: BigInt(Math.ceil(index.contentBytes / BLOCK_BYTES)),
				bfree: 0n,
				bavail: 0n,
				files: BigInt(index.files),
				ffree: 0n,
				bsize: BLOCK_BYTES,
				namelen: NAME_MAX,
				frsize: BLOCK_BYTES,
			})),

		open: (_caller, nodeid, flags) =>
			withNode(nodeid, () => {
				const fh = openHandle(nodeid, 'file', flags);
				return fh === 0 ? -ENFILE : {fh, openFlags: 0};
			}),

		read: (_caller, nodeid, _fh, offset, _flags, into) =>
			withNode(nodeid, (index, place) => {
				ctx.kept.forget(nodeid);
				return typeNow() === S_IFREG ? view.read(index.content(place), offset, into) : -EINVAL;
			}),

		lseek: (_caller, nodeid, _fh, offset, whence) =>
			withNode(nodeid, (index, place): bigint | number => {
				const {length} = index.content(place);
				if (offset >= BigInt(length)) return -ENXIO;
				if (whence === SEEK_DATA) return offset;
				return whence === SEEK_HOLE ? BigInt(length) : -EINVAL;
			}),

		fsync: (_caller, _nodeid, fh) => sync(fh),
		fsyncdir: () => 0,

		opendir: (_caller, nodeid, flags) =>
			withNode(nodeid, () => {
				const fh = openHandle(nodeid, 'directory', flags);
				return fh === 0 ? -ENFILE : {fh, openFlags: 0};
			}),

		readdir: (_caller, nodeid, _fh, offset, sink, plus) =>
			withNode(nodeid, (index, directory) => {
				ctx.kept.forget(nodeid);
				const own = ctx.statx.readBigUInt64LE(STATX.ino);
				// A cookie of the mount's, from before the switch, is past the end or means another place: then names may be
				// missing or come twice, as POSIX allows for a directory that changes while it is listed.
				const dots = [Buffer.from('.\0'), Buffer.from('..\0')];
				const count = index.nameCount(directory) + dots.length;
				for (let at = Number(BigInt.asUintN(53, offset)); at < count; at++) {
					const dot = dots[at];
					if (dot !== undefined) {
						if (!sink.add(dot.subarray(0, -1), own, DT.DIR, BigInt(at + 1))) return 0;
						continue;
					}
					const {name, place} = index.nameAt(directory, at - dots.length);
					const entry = plus ? entryOf(index, place, nodeid, name) : undefined;
					if (entry === undefined) index.attributes(place, ctx.statx);
					const given = typeof entry === 'number' ? undefined : entry;
					const ino = ctx.statx.readBigUInt64LE(STATX.ino);
					if (!sink.add(name, ino, typeNow() >> 12, BigInt(at + 1), given)) {
						if (given !== undefined) ctx.inodes.forget(given.nodeid, 1);
						return 0;
					}
				}
				return 0;
			}),

		getxattr: (_caller, nodeid, name, into) =>
			withNode(nodeid, (index, place) => {
				const found = index.xattrs(place).find(xattr => xattr.name.equals(name));
				if (found === undefined) return -ENODATA;
				if (into.length > 0 && found.value.length > into.length) return -ERANGE;
				found.value.copy(into);
				return found.value.length;
			}),

		listxattr: (_caller, nodeid, into) =>
			withNode(nodeid, (index, place) => {
				const list = Buffer.concat(index.xattrs(place).flatMap(({name}) => [name, Buffer.alloc(1)]));
				if (into.length > 0 && list.length > into.length) return -ERANGE;
				list.copy(into);
				return list.length;
			}),

		getlk: () => -ENOLCK,

		// A lock that only this node knows of would be none. One that is held is let go where it was had.
		setlk(_caller, nodeid, lock) {
			if (lock.type !== F.UNLCK) return -ENOLCK;
			const held = lock.flock ? handles.pin(lock.fh) : handles.pinLockOf(nodeid, lock.owner);
			if (held === undefined) return 0;
			return ctx.bindings.release(held, () => {
				if (!lock.flock) handles.close(held.fh);
				else {
					handles.setFlock(held.fh, 0);
					if (held.fd >= 0) flock(held.fd, LOCK.UN);
				}
				return 0;
			});
		},
	};
};
