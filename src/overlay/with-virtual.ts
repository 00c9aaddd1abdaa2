/** Sends each request either to the virtual files or to the backing's operations. */
import {type FilesystemOps, type StatfsReply} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {isVirtualName} from './context.ts';
import {NAME_MAX} from './inode-layout.ts';
import {isVirtualNode} from './sentinels.ts';
import {type VirtualFiles} from './virtual-files.ts';

const {EINVAL, ENODATA, EOPNOTSUPP, EPERM} = ERRNO;

/** What statfs says about the virtual directory: a file system without room. */
const NO_SPACE: StatfsReply = {
	blocks: 0n,
	bfree: 0n,
	bavail: 0n,
	files: 0n,
	ffree: 0n,
	bsize: 4096,
	namelen: NAME_MAX,
	frsize: 4096,
};

/** Nothing can be made, moved or removed there, and nothing but `control` be written. */
const names = (backing: FilesystemOps, virtual: VirtualFiles): Partial<FilesystemOps> => ({
	lookup(caller, parent, name) {
		if (isVirtualName(parent, name)) return virtual.directoryEntry();
		return isVirtualNode(parent) ? virtual.lookup(parent, name) : backing.lookup(caller, parent, name);
	},
	symlink: (caller, parent, ...rest) =>
		isVirtualNode(parent) ? -EPERM : backing.symlink(caller, parent, ...rest),
	mknod: (caller, parent, ...rest) =>
		isVirtualNode(parent) ? -EPERM : backing.mknod(caller, parent, ...rest),
	mkdir: (caller, parent, ...rest) =>
		isVirtualNode(parent) ? -EPERM : backing.mkdir(caller, parent, ...rest),
	unlink: (caller, parent, name) => (isVirtualNode(parent) ? -EPERM : backing.unlink(caller, parent, name)),
	rmdir: (caller, parent, name) => (isVirtualNode(parent) ? -EPERM : backing.rmdir(caller, parent, name)),
	rename: (caller, parent, name, newParent, ...rest) =>
		isVirtualNode(parent) || isVirtualNode(newParent)
			? -EPERM
			: backing.rename(caller, parent, name, newParent, ...rest),
	link: (caller, nodeid, newParent, newName) =>
		isVirtualNode(nodeid) || isVirtualNode(newParent)
			? -EPERM
			: backing.link(caller, nodeid, newParent, newName),
	create: (caller, parent, ...rest) =>
		isVirtualNode(parent) ? -EPERM : backing.create(caller, parent, ...rest),
	tmpfile: (caller, parent, ...rest) =>
		isVirtualNode(parent) ? -EPERM : backing.tmpfile(caller, parent, ...rest),
});

const files = (backing: FilesystemOps, virtual: VirtualFiles): Partial<FilesystemOps> => ({
	getattr: (caller, nodeid, fh) =>
		isVirtualNode(nodeid) ? virtual.getattr(nodeid) : backing.getattr(caller, nodeid, fh),
	setattr: (caller, nodeid, change) =>
		isVirtualNode(nodeid) ? virtual.setattr(nodeid, change) : backing.setattr(caller, nodeid, change),
	readlink: (caller, nodeid, into) =>
		isVirtualNode(nodeid) ? -EINVAL : backing.readlink(caller, nodeid, into),
	open: (caller, nodeid, flags, ...rest) =>
		isVirtualNode(nodeid) ? virtual.open(nodeid, flags) : backing.open(caller, nodeid, flags, ...rest),
	read: (caller, nodeid, fh, offset, flags, into) =>
		isVirtualNode(nodeid)
			? virtual.read(fh, offset, into)
			: backing.read(caller, nodeid, fh, offset, flags, into),
	write: (caller, nodeid, fh, offset, flags, data, ...rest) =>
		isVirtualNode(nodeid)
			? virtual.write(caller, nodeid, data)
			: backing.write(caller, nodeid, fh, offset, flags, data, ...rest),
	flush: (caller, nodeid, fh, owner) =>
		isVirtualNode(nodeid) ? 0 : backing.flush(caller, nodeid, fh, owner),
	release(caller, nodeid, fh, flockOwner) {
		if (isVirtualNode(nodeid)) virtual.release(fh);
		else backing.release(caller, nodeid, fh, flockOwner);
	},
	fsync: (caller, nodeid, fh, dataOnly) =>
		isVirtualNode(nodeid) ? 0 : backing.fsync(caller, nodeid, fh, dataOnly),
	opendir: (caller, nodeid, flags) =>
		isVirtualNode(nodeid) ? virtual.opendir(nodeid) : backing.opendir(caller, nodeid, flags),
	readdir: (caller, nodeid, fh, offset, sink, plus) =>
		isVirtualNode(nodeid)
			? virtual.readdir(offset, sink)
			: backing.readdir(caller, nodeid, fh, offset, sink, plus),
	releasedir(caller, nodeid, fh) {
		if (isVirtualNode(nodeid)) virtual.release(fh);
		else backing.releasedir(caller, nodeid, fh);
	},
	fsyncdir: (caller, nodeid, fh, dataOnly) =>
		isVirtualNode(nodeid) ? 0 : backing.fsyncdir(caller, nodeid, fh, dataOnly),
	statfs: (caller, nodeid) => (isVirtualNode(nodeid) ? NO_SPACE : backing.statfs(caller, nodeid)),
});

const rarities = (backing: FilesystemOps): Partial<FilesystemOps> => ({
	setxattr: (caller, nodeid, ...rest) =>
		isVirtualNode(nodeid) ? -EOPNOTSUPP : backing.setxattr(caller, nodeid, ...rest),
	getxattr: (caller, nodeid, ...rest) =>
		isVirtualNode(nodeid) ? -ENODATA : backing.getxattr(caller, nodeid, ...rest),
	listxattr: (caller, nodeid, into) => (isVirtualNode(nodeid) ? 0 : backing.listxattr(caller, nodeid, into)),
	removexattr: (caller, nodeid, name) =>
		isVirtualNode(nodeid) ? -EOPNOTSUPP : backing.removexattr(caller, nodeid, name),
	fallocate: (caller, nodeid, ...rest) =>
		isVirtualNode(nodeid) ? -EOPNOTSUPP : backing.fallocate(caller, nodeid, ...rest),
	lseek: (caller, nodeid, ...rest) =>
		isVirtualNode(nodeid) ? -EINVAL : backing.lseek(caller, nodeid, ...rest),
	copyFileRange: (caller, from, to, length) =>
		isVirtualNode(to.nodeid) ? -EOPNOTSUPP : backing.copyFileRange(caller, from, to, length),
	getlk: (caller, nodeid, lock) =>
		isVirtualNode(nodeid) ? -EOPNOTSUPP : backing.getlk(caller, nodeid, lock),
	setlk: (caller, nodeid, lock) =>
		isVirtualNode(nodeid) ? -EOPNOTSUPP : backing.setlk(caller, nodeid, lock),
});

/** The backing's operations, with the virtual directory put over them. */
export const withVirtual = (backing: FilesystemOps, virtual: VirtualFiles): FilesystemOps => ({
	...backing,
	...names(backing, virtual),
	...files(backing, virtual),
	...rarities(backing),
});
