/** GETATTR, SETATTR, READLINK, STATFS on the backing. */
import {type Caller, type FilesystemOps, type SetAttr, type StatfsReply} from '../fuse/filesystem.ts';
import {
	fchmodat,
	fchownat,
	fstatfs,
	KEEP_ID,
	STATFS,
	STATFS_SIZE,
	type TimeChange,
	utimensat,
} from '../posix/attributes.ts';
import {ERRNO} from '../posix/errno.ts';
import {close, ftruncate} from '../posix/files.ts';
import {AT, AT_FDCWD, EMPTY_PATH} from '../posix/libc.ts';
import {readlinkat} from '../posix/names.ts';
import {O} from '../posix/open-flags.ts';
import {type Context} from './context.ts';
import {repeatable} from './guard.ts';
import {S_IFLNK} from './identity.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {pathOfDescriptor, reopen, statDescriptor} from './nodes.ts';
import {dropSetIds} from './set-ids.ts';

const setSize = (fd: number, size: bigint, writable: boolean): number => {
	if (writable) return ftruncate(fd, size);
	const own = reopen(fd, O.WRONLY);
	if (own < 0) return own;
	const result = ftruncate(own, size);
	close(own);
	return result;
};

const timeOf = (time: SetAttr['atime']): TimeChange => time ?? 'omit';

/** chown(-1, -1) comes as a SETATTR of nothing. It is no nothing: it takes the set-id bits off and updates the ctime. */
const isBareChown = ({mode, size, atime, mtime}: SetAttr): boolean =>
	mode === undefined && size === undefined && atime === undefined && mtime === undefined;

/** The changes other than the size, on whatever the descriptor (O_PATH or not) is of; the first failure ends them. */
const setOthers = (fd: number, change: SetAttr): number => {
	// The owner first: chown clears the set-id bits, which the mode that comes with it may set again.
	if (change.uid !== undefined || change.gid !== undefined || isBareChown(change)) {
		const result = fchownat(fd, EMPTY_PATH, change.uid ?? KEEP_ID, change.gid ?? KEEP_ID, AT.EMPTY_PATH);
		if (result < 0) return result;
	}
	if (change.mode !== undefined) {
		const result = fchmodat(AT_FDCWD, pathOfDescriptor(fd), change.mode & 0o7777);
		if (result < 0) return result;
	}
	if (change.atime !== undefined || change.mtime !== undefined)
		return utimensat(fd, EMPTY_PATH, timeOf(change.atime), timeOf(change.mtime), AT.EMPTY_PATH);
	return 0;
};

export const attributeOperations = (
	ctx: Context,
): Pick<FilesystemOps, 'getattr' | 'setattr' | 'readlink' | 'statfs'> => {
	const {guard, nodes, bindings, inodes} = ctx;

	const setSizeOf = (nodeid: number, change: SetAttr, size: bigint, generation: number): number => {
		const {fh} = change;
		if (fh === undefined) return nodes.withFile(nodeid, generation, fd => setSize(fd, size, false));
		return bindings.withHandle(fh, generation, handle =>
			setSize(handle.fd, size, (handle.flags & O.ACCMODE) !== O.RDONLY),
		);
	};

	const setattr = (caller: Caller, nodeid: number, change: SetAttr, generation: number): number => {
		if (change.size !== undefined) {
			const result = setSizeOf(nodeid, change, change.size, generation);
			if (result < 0) return result;
		}
		return nodes.withFile(nodeid, generation, fd => {
			// The backing itself does it at a change of the owner.
			const killed = change.killSuidgid && change.size !== undefined ? dropSetIds(fd, caller) : 0;
			if (killed < 0) return killed;
			// The mode of a symbolic link can't be changed on Linux; through /proc it would be refused all the same.
			if (change.mode !== undefined && inodes.typeOf(nodeid) === S_IFLNK) return -ERRNO.EOPNOTSUPP;
			const result = setOthers(fd, change);
			if (result < 0) return result;
			const got = statDescriptor(fd, ctx.statx);
			if (got === 0 && nodeid === ROOT_NODE) ctx.root.store(generation, ctx.statx);
			return got;
		});
	};

	const statfs: FilesystemOps['statfs'] = () => {
		const into = Buffer.alloc(STATFS_SIZE);
		const result = guard.read(generation =>
			nodes.inDirectory(ROOT_NODE, generation, fd => fstatfs(fd, into)),
		);
		if (result < 0) return result;
		const reply: StatfsReply = {
			blocks: into.readBigUInt64LE(STATFS.blocks),
			bfree: into.readBigUInt64LE(STATFS.bfree),
			bavail: into.readBigUInt64LE(STATFS.bavail),
			files: into.readBigUInt64LE(STATFS.files),
			ffree: into.readBigUInt64LE(STATFS.ffree),
			bsize: Number(into.readBigUInt64LE(STATFS.bsize)),
			namelen: Number(into.readBigUInt64LE(STATFS.namelen)),
			frsize: Number(into.readBigUInt64LE(STATFS.frsize)),
		};
		return reply;
	};

	return {
		getattr(_caller, nodeid, fh) {
			// P5: whoever asks for a sentinel asks for the root's permissions first.
			if (nodeid === ROOT_NODE) {
				ctx.root.refresh();
				ctx.root.read(ctx.statx);
				return ctx.attrReply();
			}
			const result = guard.read(generation =>
				fh === undefined
					? nodes.attributes(nodeid, generation, ctx.statx)
					: bindings.withHandle(fh, generation, ({fd}) => statDescriptor(fd, ctx.statx)),
			);
			return result < 0 ? result : ctx.attrReply();
		},

		setattr(caller, nodeid, change) {
			const result = guard.mutate(generation => setattr(caller, nodeid, change, generation), repeatable);
			return result < 0 ? result : ctx.attrReply();
		},

		readlink: (_caller, nodeid, into) =>
			guard.read(generation => nodes.withFile(nodeid, generation, fd => readlinkat(fd, EMPTY_PATH, into))),

		statfs,
	};
};
