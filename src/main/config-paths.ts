/** Checks that the overlay neither covers the directories it stands on nor is part of them. */
import {realpathSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {HekafsError} from '../errors.ts';

export type NamedPath = readonly [flag: string, path: string];

const usage = (message: string, remedy: string): HekafsError =>
	new HekafsError('HEKAFS_USAGE', message, {remedy});

/** `directory` with the symlinks of its existing parents resolved. Not of itself: it may be a mount that hangs. */
const withRealParents = (directory: string): string => {
	const rest: string[] = [];
	for (let parent = directory; parent !== '/';) {
		rest.unshift(basename(parent));
		parent = dirname(parent);
		try {
			return join(realpathSync(parent), ...rest);
		} catch {
			// Missing: look further up.
		}
	}
	return directory;
};

const contains = (outer: string, inner: string): boolean =>
	inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);

/**
 * @param others absolute directories with the flags that name them
 * @throws HekafsError HEKAFS_USAGE naming both
 */
export const checkMountpoint = (mountpoint: string, others: readonly NamedPath[]): void => {
	if (mountpoint === '/')
		throw usage("--mountpoint '/': the root directory can't be mounted over", 'Give a directory of its own.');
	// First by name alone: that touches no file, so it can't hang.
	for (const real of [(path: string) => path, withRealParents]) {
		for (const [flag, path] of others) {
			if (contains(real(mountpoint), real(path)))
				throw usage(
					`${flag} '${path}' lies inside --mountpoint '${mountpoint}'`,
					`The mount would hide it. Give ${flag} a directory outside of ${mountpoint}.`,
				);
			if (contains(real(path), real(mountpoint)))
				throw usage(
					`--mountpoint '${mountpoint}' lies inside ${flag} '${path}'`,
					`Give a mount point outside of ${path}.`,
				);
		}
	}
};
