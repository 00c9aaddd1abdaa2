/** Sends readings to the copy while it is current, and there again when it becomes current during one. */
/* eslint-disable @typescript-eslint/unbound-method -- operations are plain functions in objects: none uses `this` */
import {type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {COPY_SERVES, copyOf} from './copy-generation.ts';
import {type CopyOperations} from './copy-operations.ts';
import {type CurrentRoot} from './current-root.ts';
import {opensForWriting} from './guard.ts';
import {ROOT_NODE} from './inode-layout.ts';

/** How often a request follows a switch; each takes seconds. */
const TRIES = 4;

/** The mount's operations, with the copy's in their place while it serves. */
export const withCopy = (mount: FilesystemOps, copy: CopyOperations, root: CurrentRoot): FilesystemOps => {
	const choose = <A extends readonly unknown[], T>(
		fromMount: (...args: A) => T,
		fromCopy: (...args: A) => T,
	): ((...args: A) => T | number) => {
		return (...args) => {
			for (let tries = 0; tries < TRIES; tries++) {
				if (copyOf(root.generation) !== 0) return fromCopy(...args);
				const result = fromMount(...args);
				if (result !== COPY_SERVES) return result;
			}
			return -ERRNO.EIO;
		};
	};
	return {
		...mount,
		lookup: choose(mount.lookup, copy.lookup),
		// The root's attributes are in memory whatever serves. (P5)
		getattr: choose(mount.getattr, (caller, nodeid, fh) =>
			nodeid === ROOT_NODE ? mount.getattr(caller, nodeid, fh) : copy.getattr(caller, nodeid, fh),
		),
		readlink: choose(mount.readlink, copy.readlink),
		statfs: choose(mount.statfs, copy.statfs),
		open: choose(mount.open, (caller, nodeid, flags, kill) =>
			opensForWriting(flags)
				? mount.open(caller, nodeid, flags, kill)
				: copy.open(caller, nodeid, flags, kill),
		),
		read: choose(mount.read, copy.read),
		lseek: choose(mount.lseek, copy.lseek),
		// Ends locks, whatever serves. What was written before had reached the servers or failed then.
		flush(...args) {
			const result = mount.flush(...args);
			return result === COPY_SERVES ? 0 : result;
		},
		fsync: choose(mount.fsync, copy.fsync),
		fsyncdir: choose(mount.fsyncdir, copy.fsyncdir),
		opendir: choose(mount.opendir, copy.opendir),
		readdir: choose(mount.readdir, copy.readdir),
		getxattr: choose(mount.getxattr, copy.getxattr),
		listxattr: choose(mount.listxattr, copy.listxattr),
		getlk: choose(mount.getlk, copy.getlk),
		setlk: choose(mount.setlk, copy.setlk),
	};
};
