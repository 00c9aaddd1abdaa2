/** Starts glusterfsd and glusterfs, which put themselves into the background, and says why one did not start. */
import {open, mkdir, readFile, rename, rm, stat, statfs, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {HekafsError} from '../errors.ts';
import {run} from './command.ts';
import {errorMessages} from './log.ts';
import {findProcess, stopProcess, type StopOptions, type VerifiedProcess} from './process.ts';

export interface DaemonFiles {
	/** Our own directory for pid files and volfiles; made with mode 0700 when absent. */
	readonly runDirectory: string;
	/** Names the files: `<runDirectory>/<name>.vol` and `.pid`. */
	readonly name: string;
}

export interface DaemonOptions extends DaemonFiles {
	readonly program: 'glusterfs' | 'glusterfsd';
	/** Its text. */
	readonly volfile: string;
	readonly logFile: string;
	/** Behind `-f`, `-p` and `-l`. */
	readonly args: readonly string[];
	readonly timeoutMs?: number | undefined;
}

/** What a start came to. `messages`: the errors in the log, first cause first. */
export type DaemonStart =
	| {readonly kind: 'started'; readonly process: VerifiedProcess}
	| {readonly kind: 'failed'; readonly exitCode: number; readonly messages: readonly string[]};

/** GlusterFS itself tries a port for 2 s before it gives up. */
export const START_TIMEOUT_MS = 15_000;
const PID_FILE_TIMEOUT_MS = 2000;
const POLL_MS = 10;
const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** Of a failed start, only the end of the log is read. */
const MAX_LOG_READ_BYTES = 256 * 1024;

export const pidFileOf = ({runDirectory, name}: DaemonFiles): string => join(runDirectory, `${name}.pid`);
export const volfilePathOf = ({runDirectory, name}: DaemonFiles): string => join(runDirectory, `${name}.vol`);

/** The error for a full disk below a path. */
export const noSpace = (path: string, cause?: unknown): HekafsError =>
	new HekafsError('HEKAFS_NO_SPACE', `No space left on the filesystem of ${path}`, {
		cause,
		remedy: 'Free some space there (df shows how much there is), then try again.',
	});

/** Turns ENOSPC and EDQUOT into HEKAFS_NO_SPACE, and lets other errors pass. */
export const mapNoSpace = (path: string, error: unknown): unknown => {
	const code = (error as NodeJS.ErrnoException).code;
	return code === 'ENOSPC' || code === 'EDQUOT' ? noSpace(path, error) : error;
};

/** Replaces a file as a whole, readable by root only. */
export const writePrivateFile = async (path: string, text: string): Promise<void> => {
	const temporary = `${path}.tmp`;
	try {
		await rm(temporary, {force: true});
		await writeFile(temporary, text, {mode: 0o600, flag: 'wx', flush: true});
		await rename(temporary, path);
	} catch (error) {
		await rm(temporary, {force: true}).catch(() => undefined);
		throw mapNoSpace(path, error);
	}
};

/**
 * Makes pid and log file with mode 0600 beforehand: the daemon would make them with our umask, which may be 0. Moves a
 * log that has grown too long to `.1`. @returns the length of the log
 */
const prepareFiles = async (pidFile: string, logFile: string): Promise<number> => {
	try {
		await mkdir(dirname(pidFile), {recursive: true, mode: 0o700});
		await mkdir(dirname(logFile), {recursive: true, mode: 0o755});
		const size = await stat(logFile).then(
			s => s.size,
			() => 0,
		);
		if (size > MAX_LOG_BYTES) await rename(logFile, `${logFile}.1`);
		await rm(pidFile, {force: true});
		for (const path of [pidFile, logFile]) await (await open(path, 'a', 0o600)).close();
		return size > MAX_LOG_BYTES ? 0 : size;
	} catch (error) {
		throw mapNoSpace(logFile, error);
	}
};

const readFrom = async (path: string, offset: number): Promise<string> => {
	try {
		const text = await readFile(path);
		return text.subarray(Math.max(offset, text.length - MAX_LOG_READ_BYTES)).toString('utf8');
	} catch {
		return '';
	}
};

const waitForProcess = async (pidFile: string): Promise<VerifiedProcess | undefined> => {
	const deadline = performance.now() + PID_FILE_TIMEOUT_MS;
	for (;;) {
		const found = await findProcess(pidFile);
		if (found !== undefined || performance.now() >= deadline) return found;
		await delay(POLL_MS);
	}
};

/** Whether a filesystem has no room at all: then a daemon can't even write down why it fails. */
export const isFull = async (path: string): Promise<boolean> => {
	const space = await statfs(path).catch(() => undefined);
	return space !== undefined && (space.bavail === 0 || (space.files > 0 && space.ffree === 0));
};

/**
 * Writes the volfile, starts the program and waits until it has its translators ready (glusterfsd then listens).
 * Expected failures are returned.
 * @throws HEKAFS_PROGRAM_MISSING · HEKAFS_TIMEOUT (nothing is left running) · HEKAFS_NO_SPACE
 */
export const startDaemon = async (o: DaemonOptions): Promise<DaemonStart> => {
	const pidFile = pidFileOf(o);
	const volfilePath = volfilePathOf(o);
	const logStart = await prepareFiles(pidFile, o.logFile);
	await writePrivateFile(volfilePath, o.volfile);
	let result;
	try {
		result = await run(o.program, ['-f', volfilePath, '-p', pidFile, '-l', o.logFile, ...o.args], {
			timeoutMs: o.timeoutMs ?? START_TIMEOUT_MS,
		});
	} catch (error) {
		await stopDaemon(o, {termMs: 0});
		throw error;
	}
	const process = result.exitCode === 0 ? await waitForProcess(pidFile) : undefined;
	if (process !== undefined) return {kind: 'started', process};
	const messages = errorMessages(await readFrom(o.logFile, logStart));
	const said = result.stderr.split('\n').filter(line => line.trim() !== '');
	await stopDaemon(o, {termMs: 0});
	return {kind: 'failed', exitCode: result.exitCode, messages: messages.length > 0 ? messages : said};
};

/** Ends the daemon with these files, if it runs, and removes them. @returns whether it ran */
export const stopDaemon = async (files: DaemonFiles, options?: StopOptions): Promise<boolean> => {
	const process = await findProcess(pidFileOf(files));
	if (process !== undefined) await stopProcess(process, options);
	await rm(pidFileOf(files), {force: true});
	await rm(volfilePathOf(files), {force: true});
	return process !== undefined;
};

/** The daemon with these files when it runs with exactly this volfile. */
export const runningWith = async (
	files: DaemonFiles,
	volfile: string,
): Promise<VerifiedProcess | undefined> => {
	const text = await readFile(volfilePathOf(files), 'utf8').catch(() => undefined);
	return text === volfile ? findProcess(pidFileOf(files)) : undefined;
};
