/** The overlay's mount point: free of stale mounts, empty, and closed to writes while nothing is mounted on it (P9). */
import path from 'node:path';
import {run} from '../gluster/command.ts';
import {findMount, prepareMountPoint, takeAway} from '../gluster/mount-point.ts';
import {HekafsError} from '../errors.ts';

/** How long a mount may take to show that somebody serves it. */
const PROBE_TIMEOUT_MS = 3000;

/** As /proc/self/mountinfo shows our overlay. */
export const OVERLAY_TYPE = 'fuse.hekafs';

/** A mount whose daemon was killed answers ENOTCONN at once; one that answers, or is silent, belongs to somebody. */
const requireDead = async (mountpoint: string): Promise<void> => {
	const look = await run('stat', ['-f', path.join(mountpoint, '.hekafs')], {
		timeoutMs: PROBE_TIMEOUT_MS,
	}).catch(() => undefined);
	if (look !== undefined && look.exitCode !== 0) return;
	throw new HekafsError('HEKAFS_ALREADY_RUNNING', `another hekafsd serves ${mountpoint}`, {
		remedy: 'Stop that one, or choose another place with --mountpoint.',
	});
};

/**
 * Takes over what a killed daemon left mounted; the caller holds the instance locks.
 * @throws HekafsError HEKAFS_BUSY when something else is mounted there · HEKAFS_ALREADY_RUNNING when its daemon lives · HEKAFS_MOUNTPOINT_NOT_EMPTY
 */
export const prepareOverlayMountpoint = async (mountpoint: string): Promise<void> => {
	for (let i = 0; i < 8; i++) {
		const mounted = await findMount(mountpoint);
		if (mounted === undefined) break;
		// systemd waits there for the first use: what is mounted now goes on top, and the directory itself is out of reach.
		if (mounted.type === 'autofs') return;
		if (mounted.type !== OVERLAY_TYPE) {
			throw new HekafsError('HEKAFS_BUSY', `${mounted.type} is mounted on ${mountpoint}`, {
				remedy: `Unmount it (umount ${mountpoint}), or choose another place with --mountpoint.`,
			});
		}
		await requireDead(mountpoint);
		takeAway(mountpoint);
	}
	await prepareMountPoint(mountpoint);
};
