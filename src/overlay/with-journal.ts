/** Puts the journal around the backing's operations: each one that changes something leaves a record when it has ended. */
import {type Caller, type FilesystemOps, type SetAttr} from '../fuse/filesystem.ts';
import {type Operation} from '../journal/record.ts';
import {ERRNO} from '../posix/errno.ts';
import {RENAME} from '../posix/names.ts';
import {O} from '../posix/open-flags.ts';
import {type Recorder} from './recorder.ts';

/** A negative errno, or 0 for whatever else an operation answers. */
const errnoOf = (result: unknown): number => (typeof result === 'number' && result < 0 ? result : 0);

/** What a SETATTR is called: by its largest part. */
const settingOf = ({size, uid, gid, mode, atime, mtime}: SetAttr): Operation => {
	if (size !== undefined) return 'truncate';
	if (uid !== undefined || gid !== undefined) return 'chown';
	if (mode !== undefined) return 'chmod';
	// chown(-1, -1) sets nothing.
	return atime === undefined && mtime === undefined ? 'chown' : 'utimes';
};

const names = (ops: FilesystemOps, recorder: Recorder): Partial<FilesystemOps> => {
	const at = (nodeid: number, name: Buffer): Buffer | null => recorder.pathOf({nodeid, name});
	/** Runs what makes or removes one name. */
	const named = <T>(caller: Caller, operation: Operation, parent: number, name: Buffer, run: () => T): T => {
		const path = at(parent, name);
		const result = run();
		recorder.record(caller, operation, errnoOf(result), {path});
		return result;
	};

	return {
		symlink: (caller, parent, name, target) =>
			named(caller, 'symlink', parent, name, () => ops.symlink(caller, parent, name, target)),
		mknod: (caller, parent, name, ...rest) =>
			named(caller, 'mknod', parent, name, () => ops.mknod(caller, parent, name, ...rest)),
		mkdir: (caller, parent, name, ...rest) =>
			named(caller, 'mkdir', parent, name, () => ops.mkdir(caller, parent, name, ...rest)),
		unlink: (caller, parent, name) =>
			named(caller, 'unlink', parent, name, () => ops.unlink(caller, parent, name)),
		rmdir: (caller, parent, name) =>
			named(caller, 'rmdir', parent, name, () => ops.rmdir(caller, parent, name)),
		create: (caller, parent, name, ...rest) =>
			named(caller, 'create', parent, name, () => ops.create(caller, parent, name, ...rest)),

		rename(caller, parent, name, newParent, newName, flags) {
			const paths = {path: at(parent, name), to: at(newParent, newName)};
			const result = ops.rename(caller, parent, name, newParent, newName, flags);
			const operation = (flags & RENAME.EXCHANGE) === 0 ? 'rename' : 'exchange';
			recorder.record(caller, operation, result, paths);
			return result;
		},

		link(caller, nodeid, newParent, newName) {
			const paths = {path: recorder.pathOf({nodeid}), to: at(newParent, newName)};
			const result = ops.link(caller, nodeid, newParent, newName);
			recorder.record(caller, 'link', errnoOf(result), paths);
			return result;
		},
	};
};

const data = (ops: FilesystemOps, recorder: Recorder): Partial<FilesystemOps> => {
	/** Counts what was written; what failed is recorded at once. */
	const wrote = (caller: Caller, nodeid: number, fh: number, result: number): number => {
		if (result >= 0) recorder.wrote(caller, nodeid, fh, result);
		else recorder.record(caller, 'write', result, {path: recorder.pathOf({nodeid})});
		return result;
	};

	return {
		open(caller, nodeid, flags, killSuidgid) {
			const result = ops.open(caller, nodeid, flags, killSuidgid);
			if ((flags & O.TRUNC) !== 0)
				recorder.record(caller, 'truncate', errnoOf(result), {path: recorder.pathOf({nodeid})});
			return result;
		},
		write: (caller, nodeid, fh, ...rest) => wrote(caller, nodeid, fh, ops.write(caller, nodeid, fh, ...rest)),
		fallocate: (caller, nodeid, fh, ...rest) =>
			wrote(caller, nodeid, fh, ops.fallocate(caller, nodeid, fh, ...rest)),
		copyFileRange(caller, from, to, length) {
			const result = ops.copyFileRange(caller, from, to, length);
			// The kernel copies by reading and writing then.
			return result === -ERRNO.EOPNOTSUPP ? result : wrote(caller, to.nodeid, to.fh, result);
		},
		flush(caller, nodeid, fh, owner) {
			const result = ops.flush(caller, nodeid, fh, owner);
			recorder.closed(nodeid, fh);
			return result;
		},
		release(caller, nodeid, fh, flockOwner) {
			recorder.closed(nodeid, fh);
			ops.release(caller, nodeid, fh, flockOwner);
		},
	};
};

const attributes = (ops: FilesystemOps, recorder: Recorder): Partial<FilesystemOps> => {
	const ended = <T>(caller: Caller, operation: Operation, nodeid: number, result: T): T => {
		recorder.record(caller, operation, errnoOf(result), {path: recorder.pathOf({nodeid})});
		return result;
	};
	return {
		setattr: (caller, nodeid, change) =>
			ended(caller, settingOf(change), nodeid, ops.setattr(caller, nodeid, change)),
		setxattr: (caller, nodeid, ...rest) =>
			ended(caller, 'setxattr', nodeid, ops.setxattr(caller, nodeid, ...rest)),
		removexattr: (caller, nodeid, name) =>
			ended(caller, 'removexattr', nodeid, ops.removexattr(caller, nodeid, name)),
	};
};

/** The operations, each of which tells the recorder what it did. A file without a name (O_TMPFILE) counts when it gets one. */
export const withJournal = (ops: FilesystemOps, recorder: Recorder): FilesystemOps => ({
	...ops,
	...names(ops, recorder),
	...data(ops, recorder),
	...attributes(ops, recorder),
});
