/** The self-heal daemon: one on each config server, heals what the local brick's index names. */
import {HekafsError} from '../errors.ts';
import {pidFileOf, runningWith, startDaemon, stopDaemon} from './daemon.ts';
import {findProcess, type StopOptions, type VerifiedProcess} from './process.ts';

export interface ShdOptions {
	/** Text of the volfile with `iam-self-heal-daemon yes`. */
	readonly volfile: string;
	readonly runDirectory: string;
	readonly logFile: string;
	readonly timeoutMs?: number;
}

const NAME = 'shd';
/** By this client pid the translators know a self-heal daemon (GF_CLIENT_PID_SELF_HEALD). */
const SHD_CLIENT_PID = -6;

/**
 * Makes sure that the self-heal daemon runs with exactly this volfile.
 * @throws HEKAFS_PROGRAM_FAILED · HEKAFS_PROGRAM_MISSING · HEKAFS_NO_SPACE · HEKAFS_TIMEOUT
 */
export const startShd = async (o: ShdOptions): Promise<VerifiedProcess> => {
	const files = {runDirectory: o.runDirectory, name: NAME};
	const running = await runningWith(files, o.volfile);
	if (running !== undefined) return running;
	await stopDaemon(files);
	const start = await startDaemon({
		...files,
		program: 'glusterfs',
		volfile: o.volfile,
		logFile: o.logFile,
		args: ['--process-name', 'glustershd', `--client-pid=${SHD_CLIENT_PID}`],
		timeoutMs: o.timeoutMs,
	});
	if (start.kind === 'started') return start.process;
	throw new HekafsError('HEKAFS_PROGRAM_FAILED', 'The self-heal daemon did not start', {
		cause: new Error(start.messages.slice(0, 3).join('; ') || `exit code ${start.exitCode}`),
		remedy: `Read the lines with " E " at the end of ${o.logFile}.`,
	});
};

export const isShdRunning = async (runDirectory: string): Promise<boolean> =>
	(await findProcess(pidFileOf({runDirectory, name: NAME}))) !== undefined;

/** @returns whether one ran. @throws HEKAFS_TIMEOUT when it does not end */
export const stopShd = async (runDirectory: string, options?: StopOptions): Promise<boolean> =>
	stopDaemon({runDirectory, name: NAME}, options);
