/** The directory below a private mount: closed, empty and immutable, so that nothing is written there while unmounted (P9). */
import {closeSync, openSync} from 'node:fs';
import {mkdir, readdir, readFile, rmdir} from 'node:fs/promises';
import {HekafsError} from '../errors.ts';
import {ERRNO, errnoName} from '../posix/errno.ts';
import {FS_IMMUTABLE, getInodeFlags, setInodeFlags} from '../posix/inode-flags.ts';
import {MNT, umount2, UMOUNT_NOFOLLOW} from '../posix/mount.ts';
import {mountAt, mountsBelow, parseMountTable, type Mount} from './mount-table.ts';

export const GLUSTER_MOUNT_TYPE = 'fuse.glusterfs';

export const readMountTable = async (): Promise<Mount[]> =>
	parseMountTable(await readFile('/proc/self/mountinfo'));

/** The mount seen at this path, undefined when nothing is mounted on it. */
export const findMount = async (directory: string): Promise<Mount | undefined> =>
	mountAt(await readMountTable(), directory);

/** The GlusterFS mounts at or below a directory, in the order in which they can be taken away. */
export const findGlusterMounts = async (directory: string): Promise<Mount[]> =>
	mountsBelow(await readMountTable(), directory).filter(mount => mount.type === GLUSTER_MOUNT_TYPE);

/** Sets or clears FS_IMMUTABLE_FL; filesystems that don't know it are tolerated. */
const setImmutable = (directory: string, immutable: boolean): void => {
	const fd = openSync(directory, 'r');
	try {
		const flags = getInodeFlags(fd);
		if (flags >= 0) setInodeFlags(fd, immutable ? flags | FS_IMMUTABLE : flags & ~FS_IMMUTABLE);
	} finally {
		closeSync(fd);
	}
};

/**
 * Makes the directory (0700) if need be and closes it. Nothing may be mounted there.
 * @throws HEKAFS_BUSY when something is mounted on it · HEKAFS_MOUNTPOINT_NOT_EMPTY
 */
export const prepareMountPoint = async (directory: string): Promise<void> => {
	const mounted = await findMount(directory);
	if (mounted !== undefined)
		throw new HekafsError('HEKAFS_BUSY', `${mounted.type} is already mounted on ${directory}`, {
			remedy: `If it is a left-over: umount -l ${directory}`,
		});
	await mkdir(directory, {recursive: true, mode: 0o700});
	if ((await readdir(directory)).length > 0)
		throw new HekafsError('HEKAFS_MOUNTPOINT_NOT_EMPTY', `${directory} is not empty`, {
			remedy: 'Move its content away: it would be hidden by the mount.',
		});
	setImmutable(directory, true);
};

/** Removes the directory after it was unmounted; what is not empty or still mounted stays. */
export const removeMountPoint = async (directory: string): Promise<void> => {
	if ((await findMount(directory)) !== undefined) return;
	try {
		setImmutable(directory, false);
		await rmdir(directory);
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EBUSY') throw error;
	}
};

/**
 * Takes a mount away: properly, or lazily when files are open in it. Sends nothing to the filesystem's process:
 * umount2(2) looks the path up without revalidating the mount's root, so a process that hangs can't hold it up.
 * @returns 'unmounted', 'detached' (lazily), or 'absent' when nothing is mounted there
 */
export const takeAway = (directory: string): 'unmounted' | 'detached' | 'absent' => {
	const result = umount2(directory, UMOUNT_NOFOLLOW);
	if (result >= 0) return 'unmounted';
	if (result === -ERRNO.EINVAL || result === -ERRNO.ENOENT) return 'absent';
	const lazily = umount2(directory, UMOUNT_NOFOLLOW | MNT.DETACH);
	if (lazily >= 0) return 'detached';
	throw new HekafsError('HEKAFS_MOUNT_FAILED', `Can't unmount ${directory}`, {
		cause: new Error(`umount2: ${errnoName(lazily)}`),
		remedy: `Try: umount -l ${directory}`,
	});
};
