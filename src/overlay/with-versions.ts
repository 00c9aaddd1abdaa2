/** Answers `user.hekafs.version`: the version of a file, kept by the journal and stored nowhere in the file itself. */
import {type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {type VersionTable} from './version-table.ts';

const {ENODATA, EPERM, ERANGE} = ERRNO;

const VERSION = Buffer.from('user.hekafs.version');
/** Nobody sets these: they would be taken for ours. */
const PREFIX = Buffer.from('user.hekafs.');

const isOurs = (name: Buffer): boolean => name.subarray(0, PREFIX.length).equals(PREFIX);

/**
 * The attribute can be asked for by name and is not listed: whatever copies a file's attributes (`cp -a`, `rsync -X`,
 * `tar --xattrs`) does not find it, and the copy has a version of its own. It goes with the inode, so a rename keeps it.
 */
export const withVersions = (
	ops: FilesystemOps,
	inoOf: (nodeid: number) => bigint,
	versions: VersionTable,
): FilesystemOps => ({
	...ops,
	getxattr(caller, nodeid, name, into) {
		if (!isOurs(name)) return ops.getxattr(caller, nodeid, name, into);
		const version = name.equals(VERSION) ? versions.get(inoOf(nodeid)) : undefined;
		if (version === undefined) return -ENODATA;
		if (into.length > 0 && into.length < version.length) return -ERANGE;
		if (into.length > 0) version.copy(into);
		return version.length;
	},
	setxattr: (caller, nodeid, name, ...rest) =>
		isOurs(name) ? -EPERM : ops.setxattr(caller, nodeid, name, ...rest),
	removexattr: (caller, nodeid, name) => (isOurs(name) ? -EPERM : ops.removexattr(caller, nodeid, name)),
});
