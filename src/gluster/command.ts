/** Runs programs: the only file that starts child processes, and the only user of execa. Arguments are lists, never a shell. */
import createDebug from 'debug';
import {execa, type Result} from 'execa';
import {HekafsError} from '../errors.ts';

export interface CommandResult {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
}

export interface RunOptions {
	readonly timeoutMs: number;
	readonly signal?: AbortSignal | undefined;
	/** Written to the program's standard input; without it that is /dev/null. */
	readonly input?: string | undefined;
}

const debug = createDebug('hekafs:gluster');

/** Output beyond this is a fault of the program, not something to keep in memory. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** From SIGTERM to SIGKILL for a program that is late. */
const KILL_AFTER_MS = 500;
/** A program in an uninterruptible wait outlives SIGKILL; it is left behind this long after its time. */
const ABANDON_AFTER_MS = 1500;
/** A root login by `su` has no sbin directories in PATH, and glusterfs is in one. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Which Debian package has a program. */
const PACKAGES: Readonly<Partial<Record<string, string>>> = {
	glusterfs: 'glusterfs-client',
	glusterfsd: 'glusterfs-server',
	glfsheal: 'glusterfs-server',
	gluster: 'glusterfs-server',
	glusterd: 'glusterfs-server',
};

/** The error for a program that this machine does not have; `program` is a name or a path. */
export const programMissing = (program: string, cause?: unknown): HekafsError => {
	const name = program.slice(program.lastIndexOf('/') + 1);
	const debianPackage = PACKAGES[name];
	return new HekafsError('HEKAFS_PROGRAM_MISSING', `The program ${name} is not installed`, {
		cause,
		remedy:
			debianPackage === undefined
				? `Install ${name}, or put its directory into PATH.`
				: `Install it: apt-get install ${debianPackage}`,
	});
};

/** The command as a reader would type it, shortened. */
const shown = (program: string, args: readonly string[]): string => {
	const line = [program, ...args].join(' ');
	return line.length > 200 ? `${line.slice(0, 200)}…` : line;
};

const timedOut = (program: string, args: readonly string[], timeoutMs: number): HekafsError =>
	new HekafsError('HEKAFS_TIMEOUT', `${shown(program, args)} did not end within ${timeoutMs} ms`, {
		remedy: 'The machine may be overloaded, or a server does not answer; try again.',
	});

const errnoOf = (result: Pick<Result, 'code' | 'cause'>): string | undefined => {
	if (result.code !== undefined) return result.code;
	const {cause} = result;
	if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
	return typeof cause.code === 'string' ? cause.code : undefined;
};

/**
 * Runs a program to its end, in the C locale.
 * @returns its exit code, whatever that is, and its output
 * @throws HEKAFS_PROGRAM_MISSING · HEKAFS_TIMEOUT when late (the program is killed) · HEKAFS_PROGRAM_FAILED when it could
 * not be started or was ended by a signal · the signal's reason when `signal` aborts
 */
export const run = async (
	program: string,
	args: readonly string[],
	{timeoutMs, signal, input}: RunOptions,
): Promise<CommandResult> => {
	signal?.throwIfAborted();
	const startMs = performance.now();
	const subprocess = execa(program, args, {
		timeout: timeoutMs,
		forceKillAfterDelay: KILL_AFTER_MS,
		...(signal === undefined ? {} : {cancelSignal: signal}),
		...(input === undefined ? {stdin: 'ignore' as const} : {input}),
		reject: false,
		maxBuffer: MAX_OUTPUT_BYTES,
		stripFinalNewline: false,
		env: {LC_ALL: 'C', PATH: [process.env['PATH'], ...SBIN].filter(Boolean).join(':')},
	});
	let timer: NodeJS.Timeout | undefined;
	const abandoned = new Promise<undefined>(resolve => {
		timer = setTimeout(resolve, timeoutMs + ABANDON_AFTER_MS, undefined);
	});
	const result = await Promise.race([subprocess, abandoned]).finally(() => clearTimeout(timer));
	debug(
		'%s: %s, %d ms',
		shown(program, args),
		result?.exitCode ?? 'no exit',
		Math.round(performance.now() - startMs),
	);
	if (result === undefined) {
		subprocess.unref();
		throw timedOut(program, args, timeoutMs);
	}
	if (result.timedOut) throw timedOut(program, args, timeoutMs);
	if (result.isCanceled) signal?.throwIfAborted();
	if (result.exitCode !== undefined)
		return {exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr};
	const errno = errnoOf(result);
	if (errno === 'ENOENT' || errno === 'ENOTDIR') throw programMissing(program, result.cause);
	const how = result.signal === undefined ? 'could not be run' : `was ended by ${result.signal}`;
	throw new HekafsError('HEKAFS_PROGRAM_FAILED', `${shown(program, args)} ${how}`, {cause: result.cause});
};
