/** What hekafsd needs of the machine, checked before anything is touched, each with a sentence that says what to do. */
import {accessSync, constants} from 'node:fs';
import {HekafsError} from '../errors.ts';

/** @throws HekafsError HEKAFS_NOT_ROOT or HEKAFS_NO_FUSE */
export const checkEnvironment = (fuseDevice = '/dev/fuse'): void => {
	if (process.geteuid?.() !== 0) {
		throw new HekafsError(
			'HEKAFS_NOT_ROOT',
			'hekafsd must run as root: it mounts filesystems and keeps files for all users',
			{
				remedy: 'Start it with sudo.',
			},
		);
	}
	try {
		accessSync(fuseDevice, constants.R_OK | constants.W_OK);
	} catch (error) {
		throw new HekafsError('HEKAFS_NO_FUSE', `${fuseDevice} can't be opened`, {
			cause: error,
			remedy:
				'Load the kernel module with: modprobe fuse. In a container, pass the device in (--device /dev/fuse --cap-add SYS_ADMIN).',
		});
	}
};
