/** The brick's directory: made new for each join, checked before each start, moved aside instead of being reused. */
import {chmod, mkdir, open, readdir, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {HekafsError} from '../errors.ts';
import {ERRNO, errnoName} from '../posix/errno.ts';
import {cstring} from '../posix/libc.ts';
import {lgetxattr, lsetxattr} from '../posix/xattr.ts';
import {mapNoSpace, noSpace} from './daemon.ts';

const VOLUME_ID = cstring('trusted.glusterfs.volume-id');
const VOLUME_ID_BYTES = 16;

const uuidToBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');
const uuidFromBytes = (bytes: Buffer): string =>
	bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const syncDirectory = async (path: string): Promise<void> => {
	const handle = await open(path, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
};

const setVolumeId = (directory: string, filesystemId: string, shown: string): void => {
	const result = lsetxattr(cstring(directory), VOLUME_ID, uuidToBytes(filesystemId));
	if (result >= 0) return;
	const cause = new Error(`setxattr trusted.glusterfs.volume-id: ${errnoName(result)}`);
	if (result === -ERRNO.ENOSPC || result === -ERRNO.EDQUOT) throw noSpace(shown, cause);
	throw new HekafsError('HEKAFS_BRICK_FAILED', `The filesystem of ${shown} does not take trusted xattrs`, {
		cause,
		remedy:
			result === -ERRNO.EPERM
				? 'Run as root of the machine itself: in a user namespace the kernel refuses trusted xattrs.'
				: 'Put the state directory on ext4 or XFS.',
	});
};

/**
 * Makes a new brick directory, complete or not at all: it is built beside its place and renamed.
 * `.glusterfs` is made because the index translator fails without it (observed on 10.3).
 * @param filesystemId UUID; becomes the `volume-id`, which glusterfsd compares at each start
 * @throws HEKAFS_REFUSED when there is a directory with something in it · HEKAFS_BRICK_FAILED without xattrs · HEKAFS_NO_SPACE
 */
export const prepareBrick = async (directory: string, filesystemId: string): Promise<void> => {
	const temporary = `${directory}.new`;
	try {
		await mkdir(dirname(directory), {recursive: true, mode: 0o700});
		await rm(temporary, {recursive: true, force: true});
		// One by one: with `recursive` node reports a full disk as ENOENT.
		for (const part of ['', '.glusterfs', '.glusterfs/indices']) await mkdir(join(temporary, part));
		await chmod(join(temporary, '.glusterfs', 'indices'), 0o700);
		await chmod(join(temporary, '.glusterfs'), 0o600);
		// The root of the filesystem: everybody may look into it. The directory above is closed.
		await chmod(temporary, 0o755);
		setVolumeId(temporary, filesystemId, directory);
		await syncDirectory(temporary);
		await rename(temporary, directory);
		await syncDirectory(dirname(directory));
	} catch (error) {
		await rm(temporary, {recursive: true, force: true}).catch(() => undefined);
		const code = (error as NodeJS.ErrnoException).code;
		if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR')
			throw new HekafsError('HEKAFS_REFUSED', `${directory} exists and is not empty`, {
				cause: error,
				remedy: 'A joining brick is always a new directory. Move that one aside if it is not needed.',
			});
		throw mapNoSpace(directory, error);
	}
};

export type BrickCheck =
	| {readonly kind: 'ok'}
	| {readonly kind: 'missing'}
	/** There is a directory, but it was never prepared as a brick: perhaps its disk is not mounted. */
	| {readonly kind: 'not-a-brick'}
	| {readonly kind: 'foreign'; readonly volumeId: string};

/** Whether a directory is a brick of this filesystem. @throws HEKAFS_STATE_UNREADABLE */
export const checkBrick = (directory: string, filesystemId: string): BrickCheck => {
	const value = Buffer.alloc(VOLUME_ID_BYTES);
	const size = lgetxattr(cstring(directory), VOLUME_ID, value);
	if (size === -ERRNO.ENOENT) return {kind: 'missing'};
	if (size === -ERRNO.ENODATA || size === -ERRNO.EOPNOTSUPP || size === -ERRNO.ENOTDIR)
		return {kind: 'not-a-brick'};
	if (size < 0)
		throw new HekafsError('HEKAFS_STATE_UNREADABLE', `Can't look at the brick directory ${directory}`, {
			cause: new Error(`getxattr trusted.glusterfs.volume-id: ${errnoName(size)}`),
			remedy: 'Run as root, and check the disk below that path.',
		});
	const volumeId = uuidFromBytes(value.subarray(0, size));
	return volumeId === filesystemId ? {kind: 'ok'} : {kind: 'foreign', volumeId};
};

/** `20240501T100000Z`: sorts by time and needs no quoting. */
const stamp = (now: Date): string => now.toISOString().replaceAll(/[-:]|\.\d+/g, '');

/**
 * Moves a brick directory that must not be used any more to `<retired>/<date>-<name>` (P7: nothing is deleted). The
 * brick's process must have been stopped.
 * @param retiredDirectory on the same filesystem as the brick
 * @returns the new path, undefined when there was no such directory
 */
export const setBrickAside = async (
	directory: string,
	retiredDirectory: string,
	now: Date = new Date(),
): Promise<string | undefined> => {
	await mkdir(retiredDirectory, {recursive: true, mode: 0o700});
	const taken = new Set(await readdir(retiredDirectory));
	const wanted = `${stamp(now)}-${basename(directory)}`;
	let name = wanted;
	for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`;
	const target = join(retiredDirectory, name);
	try {
		await rename(directory, target);
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === 'ENOENT') return undefined;
		throw new HekafsError('HEKAFS_BRICK_FAILED', `Can't move the brick ${directory} to ${target}`, {
			cause: error,
			remedy:
				code === 'EXDEV' || code === 'EBUSY'
					? 'The brick is a mount point or on another disk: move its content aside by hand.'
					: 'Check that nothing uses it and that the disk is writable.',
		});
	}
	await syncDirectory(retiredDirectory);
	await syncDirectory(dirname(directory));
	return target;
};
