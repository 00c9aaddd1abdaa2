/** One hekafsd per run and per state directory: a flock held as long as the process lives, so that nothing stale is left. */
import {ftruncateSync, mkdirSync, openSync, readFileSync, writeSync} from 'node:fs';
import path from 'node:path';
import {HekafsError} from '../errors.ts';
import {ERRNO} from '../posix/errno.ts';
import {flock, LOCK} from '../posix/locks.ts';

const unusable = (file: string, error: unknown): HekafsError => {
	const code = (error as NodeJS.ErrnoException).code;
	return code === 'ENOSPC' || code === 'EDQUOT'
		? new HekafsError('HEKAFS_NO_SPACE', `no space to write ${file}`, {
				cause: error,
				remedy: 'Free space on that disk (df -h); nothing was changed.',
			})
		: new HekafsError('HEKAFS_STATE_UNREADABLE', `can't write ${file}`, {
				cause: error,
				remedy: 'Name directories that root can write with --run and --state.',
			});
};

/**
 * Takes the lock of a directory, or refuses.
 * @param flag by which the directory was given
 * @returns the descriptor that holds it; closed by the end of the process
 * @throws HekafsError HEKAFS_ALREADY_RUNNING naming the process that holds it · HEKAFS_NO_SPACE · HEKAFS_STATE_UNREADABLE
 */
export const takeInstanceLock = (flag: '--run' | '--state', directory: string): number => {
	const file = path.join(directory, 'hekafsd.pid');
	try {
		mkdirSync(directory, {recursive: true, mode: 0o700});
		const fd = openSync(file, 'a+', 0o644);
		if (flock(fd, LOCK.EX | LOCK.NB) === -ERRNO.EAGAIN) {
			const holder = readFileSync(file, 'latin1').trim();
			throw new HekafsError(
				'HEKAFS_ALREADY_RUNNING',
				`hekafsd runs already with ${flag} ${directory} (process ${holder})`,
				{
					remedy:
						'See it with: hfs_config --run DIR status. A second one needs paths and ports of its own (--run --state --mountpoint --listen --brick-port).',
				},
			);
		}
		ftruncateSync(fd, 0);
		writeSync(fd, `${process.pid}\n`);
		return fd;
	} catch (error) {
		throw error instanceof HekafsError ? error : unusable(file, error);
	}
};
