/** Runs one command to its end with a time-out that also ends what the command started in its own process group. */
import {execa} from 'execa';

export interface CommandOptions {
	/** Milliseconds until the command is killed; default 10,000. */
	readonly timeoutMs?: number;
	/** What it reads from standard input; default: nothing. */
	readonly input?: string | Uint8Array;
	readonly env?: Readonly<Record<string, string>>;
	readonly cwd?: string;
}

export interface CommandResult {
	/** Null when it did not end by itself. */
	readonly exitCode: number | null;
	readonly stdout: string;
	readonly stderr: string;
	readonly timedOut: boolean;
	readonly elapsedMs: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** How long after its own deadline a killed command may hold the pipes before they are taken away. */
const PIPE_GRACE_MS = 2_000;

/**
 * Runs `argv`, put into place by `prefix` (a `nsenter … --`, or nothing). Never throws because of how the command ends.
 * `timeout` stands inside the prefix, for a kill of `nsenter` would leave what it started behind.
 */
export const runCommand = async (
	prefix: readonly string[],
	argv: readonly string[],
	{timeoutMs = DEFAULT_TIMEOUT_MS, input, env, cwd}: CommandOptions = {},
): Promise<CommandResult> => {
	const startMs = performance.now();
	const [program, ...args] = [...prefix, 'timeout', '-s', 'KILL', String(timeoutMs / 1000), ...argv];
	const child = execa(program!, args, {
		reject: false,
		stripFinalNewline: false,
		...(input === undefined ? {stdin: 'ignore'} : {input}),
		...(env === undefined ? {} : {env}),
		...(cwd === undefined ? {} : {cwd}),
	});
	const takePipesAway = setTimeout(() => {
		child.kill('SIGKILL');
		child.stdout.destroy();
		child.stderr.destroy();
	}, timeoutMs + PIPE_GRACE_MS);
	try {
		const {exitCode, stdout, stderr} = await child;
		const elapsedMs = performance.now() - startMs;
		const timedOut = elapsedMs >= timeoutMs && exitCode !== 0;
		return {exitCode: timedOut ? null : (exitCode ?? null), stdout, stderr, timedOut, elapsedMs};
	} finally {
		clearTimeout(takePipesAway);
	}
};

/** Like `runCommand`, but anything except exit code 0 is an error that shows the command's output; returns standard output. */
export const runOrThrow = async (
	prefix: readonly string[],
	argv: readonly string[],
	options: CommandOptions = {},
): Promise<string> => {
	const {exitCode, stdout, stderr, timedOut, elapsedMs} = await runCommand(prefix, argv, options);
	if (exitCode === 0) return stdout;
	const how = timedOut ? `timed out after ${Math.round(elapsedMs)} ms` : `exit code ${String(exitCode)}`;
	throw new Error(`${argv.join(' ')}: ${how}\n${stdout}${stderr}`.trimEnd());
};
