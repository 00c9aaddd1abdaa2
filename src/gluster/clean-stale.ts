/** Takes away what a killed daemon left: mounts and GlusterFS processes below its run directory. */
import {rm} from 'node:fs/promises';
import {findGlusterMounts, removeMountPoint, takeAway} from './mount-point.ts';
import {findProcessesBelow, stopProcess} from './process.ts';

export interface CleanStaleOptions {
	/** Pid files of processes that shall go on, as a brick that other nodes use. */
	readonly keep?: readonly string[];
	/** From SIGTERM to SIGKILL for each process. */
	readonly termMs?: number;
}

export interface CleanStaleResult {
	/** Mount points that were taken away. */
	readonly mounts: readonly string[];
	/** Processes that were ended. */
	readonly pids: readonly number[];
}

/**
 * @param runDirectory absolute; only what lies below it is touched
 * @throws HEKAFS_MOUNT_FAILED · HEKAFS_TIMEOUT when a process does not even end by SIGKILL
 */
export const cleanStale = async (
	runDirectory: string,
	{keep = [], termMs = 2000}: CleanStaleOptions = {},
): Promise<CleanStaleResult> => {
	const mounts = (await findGlusterMounts(runDirectory)).map(mount => mount.mountPoint.toString());
	for (const directory of mounts) takeAway(directory);
	const processes = (await findProcessesBelow(runDirectory)).filter(
		process => !keep.includes(process.pidFile),
	);
	await Promise.all(
		processes.map(async process => {
			await stopProcess(process, {termMs});
			await rm(process.pidFile.replace(/\.pid$/, '.vol'), {force: true});
		}),
	);
	for (const directory of mounts) await removeMountPoint(directory);
	return {mounts, pids: processes.map(process => process.pid)};
};
