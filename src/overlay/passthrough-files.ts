/** OPEN, CREATE, TMPFILE, FLUSH, RELEASE, FSYNC on the backing: the life of a file handle. */
import {type Caller, type Entry, type FilesystemOps, type OpenReply} from '../fuse/filesystem.ts';
import {FOPEN} from '../fuse/wire/abi.ts';
import {dup} from '../posix/duplicate.ts';
import {ERRNO} from '../posix/errno.ts';
import {close, fdatasync, fsync, openat} from '../posix/files.ts';
import {cstring} from '../posix/libc.ts';
import {F, OFFSET_MAX, ofdSetLock} from '../posix/locks.ts';
import {O} from '../posix/open-flags.ts';
import {STATX} from '../posix/statx.ts';
import {asCaller} from './as-caller.ts';
import {checkName, type Context} from './context.ts';
import {NOT_DONE, opensForWriting, repeatable, UNKNOWN} from './guard.ts';
import {newIdentity, readIdentity, S_IFREG} from './identity.ts';
import {type Handle} from './handle-layout.ts';
import {decodeLocks} from './lock-ranges.ts';
import {reopen, statAt, statDescriptor} from './nodes.ts';
import {dropSetIds} from './set-ids.ts';

type FileOperations = Pick<
	FilesystemOps,
	'open' | 'create' | 'tmpfile' | 'flush' | 'release' | 'fsync' | 'fsyncdir'
>;
type Created = Exclude<ReturnType<FilesystemOps['create']>, number>;

const S_IFMT = 0o170000;
/** How often CREATE starts over when another node makes and removes the name meanwhile. */
const TRIES = 8;
const THIS_DIRECTORY = cstring('.');

export const fileOperations = (ctx: Context): FileOperations => {
	const {guard, nodes, handles, bindings} = ctx;

	/**
	 * Takes over the descriptor: it is closed when there is no room for another handle.
	 * @param keep the kernel may go on using the pages that it has of the file
	 */
	const openHandle = (
		nodeid: number,
		fd: number,
		flags: number,
		generation: number,
		keep = false,
	): OpenReply | number => {
		const fh = handles.open({kind: 'file', nodeid, fd, generation, flags: flags & ~O.TRUNC});
		if (fh === 0) {
			close(fd);
			return -ERRNO.ENFILE;
		}
		// An append must reach the backing as one piece: the page cache may split it, and a writer on another node get
		// in between. O_DIRECT asks for it by itself.
		const openFlags = (flags & (O.APPEND | O.DIRECT)) !== 0 ? FOPEN.DIRECT_IO : keep ? FOPEN.KEEP_CACHE : 0;
		return {fh, openFlags};
	};

	/** Answers CREATE or TMPFILE with the file that `fd` is of. */
	const created = (
		fd: number,
		flags: number,
		generation: number,
		entry: () => Entry | number,
	): Created | number => {
		const result = statDescriptor(fd, ctx.statx);
		const given = result < 0 ? result : entry();
		if (typeof given === 'number') {
			close(fd);
			return given;
		}
		const open = openHandle(given.nodeid, fd, flags, generation);
		if (typeof open !== 'number') return {entry: given, open};
		ctx.inodes.forget(given.nodeid, 1);
		return open;
	};

	/**
	 * Opens what another node made under the name since the kernel found it free. As the caller, since the kernel
	 * checks no permissions of a file that it takes to be new. With ESTALE the kernel looks again, and checks: of the
	 * caller's groups only it knows all.
	 */
	const openFound = (caller: Caller, directory: number, name: Buffer, flags: number): number => {
		const found = openat(directory, name, O.PATH | O.NOFOLLOW | O.CLOEXEC);
		if (found < 0) return found;
		const result = statDescriptor(found, ctx.statx);
		const isFile = (ctx.statx.readUInt16LE(STATX.mode) & S_IFMT) === S_IFREG;
		// Not a file: the kernel looks again and does with it what is to be done.
		const fd = result < 0 ? result : isFile ? asCaller(caller, () => reopen(found, flags)) : -ERRNO.ESTALE;
		close(found);
		return fd === -ERRNO.EACCES ? -ERRNO.ESTALE : fd;
	};

	/** O_EXCL first, always: so only one of several nodes is the one that made the file. */
	const createFile = (
		caller: Caller,
		directory: number,
		name: Buffer,
		flags: number,
		mode: number,
	): number => {
		const openFlags = bindings.backingFlags(flags);
		for (let tries = 0; tries < TRIES; tries++) {
			const fd = asCaller(caller, () =>
				openat(directory, name, openFlags | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC, mode & 0o7777),
			);
			if (fd !== -ERRNO.EEXIST || (flags & O.EXCL) !== 0) return fd;
			const found = openFound(caller, directory, name, openFlags | (flags & O.TRUNC));
			if (found !== -ERRNO.ENOENT) return found;
		}
		return -ERRNO.ESTALE;
	};

	const closeHandle = (fh: number): void => {
		const fd = handles.close(fh);
		if (fd >= 0) close(fd);
	};

	/** POSIX: closing any descriptor of the file ends all locks that the process has on it. */
	const dropLocks = (nodeid: number, owner: bigint): void => {
		const lock = handles.pinLockOf(nodeid, owner);
		if (lock !== undefined) bindings.release(lock, () => endLock(lock));
	};

	/** Unlocks by itself: of a file without a name the descriptor may be a copy, whose end ends no lock. */
	const endLock = (lock: Handle): void => {
		if (decodeLocks(handles.bytesOf(lock.fh)).ranges.length > 0) ofdSetLock(lock.fd, F.UNLCK, 0n, OFFSET_MAX);
		handles.close(lock.fh);
	};

	/**
	 * Locks of an open file description (F_OFD_SETLK) end with it. The kernel tells only that: their owner never flushes.
	 * Whoever else locked through this handle has closed it before, which ended those.
	 */
	const endLocksVia = (nodeid: number, fh: number): void => {
		for (const lock of handles.pinLocksOf(nodeid))
			bindings.release(lock, () => {
				if (decodeLocks(handles.bytesOf(lock.fh)).via === fh) endLock(lock);
			});
	};

	const flushHandle = ({fd}: Handle): number => {
		// Each close(2) of the client's may bring an error of the writes before; closing a duplicate asks the backing.
		const second = dup(fd);
		return second < 0 ? second : close(second);
	};

	const sync = (fh: number, dataOnly: boolean): number =>
		guard.finish(generation =>
			bindings.withHandle(fh, generation, ({fd}) => (dataOnly ? fdatasync(fd) : fsync(fd))),
		);

	return {
		open(caller, nodeid, flags, killSuidgid) {
			const run = (generation: number): OpenReply | number => {
				const openFlags = bindings.backingFlags(flags);
				if ((flags & O.TRUNC) !== 0) {
					const fd = nodes.open(nodeid, generation, openFlags | O.TRUNC);
					if (fd < 0) return fd;
					// It is truncated already; what can't be had now is no reason to refuse it.
					if (killSuidgid) dropSetIds(fd, caller);
					return openHandle(nodeid, fd, flags, generation);
				}
				const fd = nodes.openFile(nodeid, generation, openFlags, ctx.statx);
				if (fd < 0) return fd;
				return openHandle(nodeid, fd, flags, generation, ctx.kept.mayKeep(nodeid, ctx.statx));
			};
			return opensForWriting(flags) ? guard.mutate(run, repeatable) : guard.read(run);
		},

		create(caller, parent, name, flags, mode) {
			const checked = checkName(parent, name);
			if (checked < 0) return checked;
			let made = false;
			return guard.mutate<Created | number>(
				generation =>
					nodes.inDirectory(parent, generation, (directory): Created | number => {
						const fd = made
							? openFound(caller, directory, name, bindings.backingFlags(flags))
							: createFile(caller, directory, name, flags, mode);
						if (fd < 0) return fd;
						made = true;
						ctx.changed(parent, directory, generation);
						return created(fd, flags, generation, () => ctx.entry(parent, name));
					}),
				generation =>
					// Without O_EXCL it does not matter who made the file; with it only one may be told that it was him.
					made || (flags & O.EXCL) === 0
						? NOT_DONE
						: nodes.inDirectory(parent, generation, directory => {
								const found = statAt(directory, name, ctx.statx);
								return found === 0 ? UNKNOWN : found === -ERRNO.ENOENT ? NOT_DONE : found;
							}),
			);
		},

		tmpfile(caller, parent, flags, mode) {
			const run = (generation: number): Created | number =>
				nodes.inDirectory(parent, generation, (directory): Created | number => {
					const openFlags = bindings.backingFlags(flags) | (flags & O.EXCL) | O.TMPFILE | O.CLOEXEC;
					const fd = asCaller(caller, () => openat(directory, THIS_DIRECTORY, openFlags, mode & 0o7777));
					if (fd < 0) return fd;
					return created(fd, flags, generation, () => {
						const identity = readIdentity(ctx.statx, newIdentity());
						return ctx.entryOf(ctx.inodes.referenceUnnamed(identity));
					});
				});
			return guard.mutate(run, repeatable);
		},

		flush(_caller, nodeid, fh, lockOwner) {
			dropLocks(nodeid, lockOwner);
			const handle = handles.pin(fh);
			if (handle === undefined) return -ERRNO.EBADF;
			const writable = (handle.flags & O.ACCMODE) !== O.RDONLY;
			return bindings.release(handle, () =>
				writable ? guard.finish(generation => bindings.withHandle(fh, generation, flushHandle)) : 0,
			);
		},

		release: (_caller, nodeid, fh) => {
			endLocksVia(nodeid, fh);
			closeHandle(fh);
		},

		fsync: (_caller, _nodeid, fh, dataOnly) => sync(fh, dataOnly),
		fsyncdir: (_caller, _nodeid, fh, dataOnly) => sync(fh, dataOnly),
	};
};
