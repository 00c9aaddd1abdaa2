/** The overlay's mount point: free of stale mounts, empty, and closed to writes while nothing is mounted on it (P9). */
import {findMount, prepareMountPoint, takeAway} from '../gluster/mount-point.ts';
import {HekafsError} from '../errors.ts';

/** As /proc/self/mountinfo shows our overlay. */
export const OVERLAY_TYPE = 'fuse.hekafs';

/**
 * Takes over what a killed daemon left mounted; the caller holds the instance lock, so no other of ours uses it.
 * @throws HekafsError HEKAFS_BUSY when something else is mounted there · HEKAFS_MOUNTPOINT_NOT_EMPTY
 */
export const prepareOverlayMountpoint = async (mountpoint: string): Promise<void> => {
	for (let i = 0; i < 8; i++) {
		const mounted = await findMount(mountpoint);
		if (mounted === undefined) break;
		if (mounted.type !== OVERLAY_TYPE) {
			throw new HekafsError('HEKAFS_BUSY', `${mounted.type} is mounted on ${mountpoint}`, {
				remedy: `Unmount it (umount ${mountpoint}), or choose another place with --mountpoint.`,
			});
		}
		takeAway(mountpoint);
	}
	await prepareMountPoint(mountpoint);
};
