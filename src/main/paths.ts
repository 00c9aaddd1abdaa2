/** Paths as people name them: below the mount point, or from the root of the config filesystem. */
import {posix} from 'node:path';
import {HekafsError} from '../errors.ts';

/**
 * @param given absolute below the mount point, or relative to it
 * @returns from the root, without a slash at the beginning; empty for the root itself
 * @throws HekafsError HEKAFS_USAGE when it leads elsewhere
 */
export const pathFromRoot = (given: string, mountpoint: string): string => {
	const clean = posix.normalize(given).replace(/(.)\/+$/, '$1');
	const inside = posix.isAbsolute(clean) ? posix.relative(mountpoint, clean) : clean;
	if (inside === '..' || inside.startsWith('../'))
		throw new HekafsError('HEKAFS_USAGE', `${given} is not below ${mountpoint}`, {
			remedy: `Name a path below ${mountpoint}, or one from there without a slash at the beginning.`,
		});
	return inside === '.' ? '' : inside;
};
