/** GlusterFS processes of ours: found by pid file, proved by their command line, and only then signalled. */
import {readdir, readFile, rm, stat} from 'node:fs/promises';
import {basename, dirname} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {HekafsError} from '../errors.ts';

export interface VerifiedProcess {
	readonly pid: number;
	readonly pidFile: string;
	/** Start time in clock ticks since boot: tells a process from a later one with the same pid. */
	readonly startTicks: string;
}

export interface StopOptions {
	/** From SIGTERM to SIGKILL. 0: SIGKILL at once. */
	readonly termMs?: number;
	/** From SIGKILL to giving up. */
	readonly killMs?: number;
}

const DEFAULT_TERM_MS = 5000;
const DEFAULT_KILL_MS = 3000;
const POLL_MS = 10;
const PROGRAMS = new Set(['glusterfs', 'glusterfsd']);

/** @param text content of a pid file. @returns undefined when it is not a plausible process id */
export const parsePid = (text: string): number | undefined => {
	const match = /^\s*(\d{1,9})\s*$/.exec(text);
	const pid = Number(match?.[1] ?? 0);
	return pid > 1 ? pid : undefined;
};

/** @param text content of /proc/PID/cmdline. @returns the file given with `-p` when the program is GlusterFS, else undefined */
export const pidFileOfCommandLine = (text: string): string | undefined => {
	const args = text.split('\0');
	if (!PROGRAMS.has(basename(args[0] ?? ''))) return undefined;
	const at = args.indexOf('-p');
	return at === -1 ? undefined : args[at + 1];
};

/** @param text content of /proc/PID/stat. @returns undefined for a process that has ended (zombie, dead) */
export const parseStartTicks = (text: string): string | undefined => {
	// The second field, the name in parentheses, may itself hold spaces and parentheses. proc_pid_stat(5).
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	const [state] = fields;
	return state === 'Z' || state === 'X' ? undefined : fields[19];
};

const readOrNothing = async (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

/** Whether the process sees the same directory under that path: another mount namespace may have one of the same name. */
const seesSameDirectory = async (pid: number, directory: string): Promise<boolean> => {
	try {
		const [ours, its] = await Promise.all([
			stat(directory, {bigint: true}),
			stat(`/proc/${pid}/root${directory}`, {bigint: true}),
		]);
		return ours.dev === its.dev && ours.ino === its.ino;
	} catch {
		return false;
	}
};

const verify = async (pid: number): Promise<VerifiedProcess | undefined> => {
	// The name first: reading the command line of a process that hangs in a page fault can itself hang.
	if (!PROGRAMS.has((await readOrNothing(`/proc/${pid}/comm`)).trimEnd())) return undefined;
	const pidFile = pidFileOfCommandLine(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
	const startTicks = parseStartTicks(await readOrNothing(`/proc/${pid}/stat`));
	if (pidFile === undefined || startTicks === undefined) return undefined;
	return (await seesSameDirectory(pid, dirname(pidFile))) ? {pid, pidFile, startTicks} : undefined;
};

/** All GlusterFS processes whose pid file lies below a directory, whether or not that file still exists. */
export const findProcessesBelow = async (directory: string): Promise<VerifiedProcess[]> => {
	const prefix = directory.endsWith('/') ? directory : `${directory}/`;
	const pids = (await readdir('/proc')).map(parsePid).filter(pid => pid !== undefined);
	const found = await Promise.all(pids.map(verify));
	return found.filter(process => process?.pidFile.startsWith(prefix) === true) as VerifiedProcess[];
};

/** The running process that was started with this pid file, also when that file got lost. */
export const findProcess = async (pidFile: string): Promise<VerifiedProcess | undefined> => {
	const pid = parsePid(await readOrNothing(pidFile));
	const named = pid === undefined ? undefined : await verify(pid);
	if (named?.pidFile === pidFile) return named;
	const others = await findProcessesBelow(dirname(pidFile));
	return others.find(process => process.pidFile === pidFile);
};

/** Whether exactly this process still runs; a zombie does not. */
export const isAlive = async ({pid, startTicks}: VerifiedProcess): Promise<boolean> =>
	parseStartTicks(await readOrNothing(`/proc/${pid}/stat`)) === startTicks;

/** @returns whether the process has ended within that time */
export const waitForEnd = async (process: VerifiedProcess, timeoutMs: number): Promise<boolean> => {
	const deadline = performance.now() + timeoutMs;
	while (await isAlive(process)) {
		if (performance.now() >= deadline) return false;
		await delay(POLL_MS);
	}
	return true;
};

const signalTo = async (target: VerifiedProcess, signal: NodeJS.Signals): Promise<void> => {
	if (!(await isAlive(target))) return;
	try {
		process.kill(target.pid, signal);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
	}
};

/**
 * Ends a process: SIGTERM, then SIGKILL, and removes its pid file.
 * @throws HEKAFS_TIMEOUT when not even SIGKILL ends it in time (it waits for a disk or a mount)
 */
export const stopProcess = async (
	process: VerifiedProcess,
	{termMs = DEFAULT_TERM_MS, killMs = DEFAULT_KILL_MS}: StopOptions = {},
): Promise<void> => {
	if (termMs > 0) await signalTo(process, 'SIGTERM');
	if (termMs === 0 || !(await waitForEnd(process, termMs))) {
		await signalTo(process, 'SIGKILL');
		if (!(await waitForEnd(process, killMs)))
			throw new HekafsError('HEKAFS_TIMEOUT', `Process ${process.pid} (${process.pidFile}) does not end`, {
				remedy: `It waits in the kernel, probably for a disk: see /proc/${process.pid}/wchan and the kernel log.`,
			});
	}
	await rm(process.pidFile, {force: true});
};
