/** Tells who follows the tree (src/snapshot/) what this node's users have changed, right after it was done. */
import {type FilesystemOps} from '../fuse/filesystem.ts';
import {O} from '../posix/open-flags.ts';
import {type ChangedRing} from '../snapshot/changed-ring.ts';

export const notingChanges = (
	ops: FilesystemOps,
	ring: ChangedRing,
	inoOf: (nodeid: number) => bigint,
): FilesystemOps => {
	/** Notes when it was done: successes are not negative. What failed may have been done in part, and is found by a look. */
	const noted = <T>(result: T, note: () => void): T => {
		if (typeof result !== 'number' || result >= 0) note();
		return result;
	};
	const file = (nodeid: number) => (): void => ring.note(inoOf(nodeid));
	const name = (parent: number, bytes: Buffer) => (): void => ring.note(inoOf(parent), bytes);

	return {
		...ops,
		setattr: (caller, nodeid, change) => noted(ops.setattr(caller, nodeid, change), file(nodeid)),
		symlink: (caller, parent, n, target) => noted(ops.symlink(caller, parent, n, target), name(parent, n)),
		mknod: (caller, parent, n, ...rest) => noted(ops.mknod(caller, parent, n, ...rest), name(parent, n)),
		mkdir: (caller, parent, n, ...rest) => noted(ops.mkdir(caller, parent, n, ...rest), name(parent, n)),
		unlink: (caller, parent, n) => noted(ops.unlink(caller, parent, n), name(parent, n)),
		rmdir: (caller, parent, n) => noted(ops.rmdir(caller, parent, n), name(parent, n)),
		rename: (caller, parent, n, newParent, newName, flags) =>
			noted(ops.rename(caller, parent, n, newParent, newName, flags), () => {
				name(parent, n)();
				name(newParent, newName)();
			}),
		link: (caller, nodeid, parent, n) => noted(ops.link(caller, nodeid, parent, n), name(parent, n)),
		create: (caller, parent, n, ...rest) => noted(ops.create(caller, parent, n, ...rest), name(parent, n)),
		open: (caller, nodeid, flags, kill) =>
			noted(ops.open(caller, nodeid, flags, kill), (flags & O.TRUNC) === 0 ? () => undefined : file(nodeid)),
		write: (caller, nodeid, ...rest) => noted(ops.write(caller, nodeid, ...rest), file(nodeid)),
		setxattr: (caller, nodeid, ...rest) => noted(ops.setxattr(caller, nodeid, ...rest), file(nodeid)),
		removexattr: (caller, nodeid, n) => noted(ops.removexattr(caller, nodeid, n), file(nodeid)),
		fallocate: (caller, nodeid, ...rest) => noted(ops.fallocate(caller, nodeid, ...rest), file(nodeid)),
		copyFileRange: (caller, from, to, length) =>
			noted(ops.copyFileRange(caller, from, to, length), file(to.nodeid)),
	};
};
