/** One hekafsd per run directory: a flock held as long as the process lives, so that nothing stale can be left. */
import {mkdirSync, openSync, readFileSync, writeSync, ftruncateSync} from 'node:fs';
import path from 'node:path';
import {HekafsError} from '../errors.ts';
import {ERRNO} from '../posix/errno.ts';
import {flock, LOCK} from '../posix/locks.ts';

/**
 * Takes the lock, or refuses.
 * @returns the descriptor that holds it; closed by the end of the process
 * @throws HekafsError HEKAFS_ALREADY_RUNNING naming the process that holds it
 */
export const takeInstanceLock = (runDirectory: string): number => {
	mkdirSync(runDirectory, {recursive: true, mode: 0o700});
	const file = path.join(runDirectory, 'hekafsd.pid');
	const fd = openSync(file, 'a+', 0o644);
	const result = flock(fd, LOCK.EX | LOCK.NB);
	if (result === -ERRNO.EAGAIN) {
		const holder = readFileSync(file, 'latin1').trim();
		throw new HekafsError(
			'HEKAFS_ALREADY_RUNNING',
			`hekafsd runs already with ${runDirectory} (process ${holder})`,
			{
				remedy: `See it with: hfs_config --run ${runDirectory} status. To run a second one give it paths and ports of its own (--run --state --mountpoint --listen --brick-port).`,
			},
		);
	}
	if (result < 0) throw new HekafsError('HEKAFS_STATE_UNREADABLE', `can't lock ${file} (errno ${-result})`);
	ftruncateSync(fd, 0);
	writeSync(fd, `${process.pid}\n`);
	return fd;
};
