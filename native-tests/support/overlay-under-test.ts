/** A mounted overlay over a fresh local directory, in a process of its own, and shells to use it from. */
import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';
import {chmodSync, mkdtempSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {type ExecutionContext} from 'ava';
import {type Deadlines} from '../../src/overlay/deadlines.ts';
import {type ChildResult, eventually, run} from './child.ts';

const PROGRAM = fileURLToPath(new URL('overlay-process.js', import.meta.url));
const COMMAND_TIMEOUT_MS = 15_000;

export interface OverlayStatsAnswer {
	readonly nodes: number;
	readonly names: number;
	readonly handles: number;
	readonly descriptors: number;
	readonly workers: number;
	readonly generation: number;
	readonly inFlightMutations: number;
	/** Read from the kernel so far. */
	readonly requests: number;
	readonly words: readonly string[];
	readonly problems: readonly string[];
}

export interface OverlayUnderTest {
	/** The overlay's mount point. Touch it from `sh` only. */
	readonly mnt: string;
	/** Of the process that serves the mount. */
	readonly pid: number;
	/** The backing directory; the test may use it directly. */
	readonly back: string;
	/** Gives a command to the process that serves the mount. */
	readonly tell: (command: Readonly<Record<string, unknown>> & {readonly do: string}) => Promise<unknown>;
	readonly stats: () => Promise<OverlayStatsAnswer>;
	/** Runs a shell script with `$M` (mount point) and `$B` (backing) set; never fails by itself. */
	readonly sh: (script: string, timeoutMs?: number) => Promise<ChildResult>;
	/** Runs a shell script with `set -eu` and fails the test when it fails. @returns its output, trimmed */
	readonly ok: (script: string, timeoutMs?: number) => Promise<string>;
}

export interface StartOptions {
	readonly attrTimeoutMs?: number;
	readonly writeWaitMs?: number;
	/** Leaves the gate closed and no backing attached. */
	readonly detached?: boolean;
	readonly deadlines?: Deadlines;
	/** Lies below: an existing directory, which stays. Without it: a fresh local one. */
	readonly backing?: string;
}

const isMounted = (mountpoint: string): boolean =>
	readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountpoint} `);

/** One answer for each line that is written. */
const commander = (child: ChildProcessWithoutNullStreams): (() => Promise<unknown>) => {
	const waiting: ((line: string | undefined) => void)[] = [];
	const early: string[] = [];
	const lines = createInterface({input: child.stdout});
	lines.on('line', line => {
		const next = waiting.shift();
		if (next === undefined) early.push(line);
		else next(line);
	});
	lines.on('close', () => {
		for (const next of waiting) next(undefined);
	});
	return async () => {
		const line =
			early.shift() ??
			(await new Promise<string | undefined>(resolve => {
				waiting.push(resolve);
				setTimeout(() => resolve(undefined), COMMAND_TIMEOUT_MS).unref();
			}));
		if (line === undefined) throw new Error('the overlay process does not answer');
		const answer = JSON.parse(line) as {readonly value?: unknown; readonly error?: string};
		if (answer.error !== undefined) throw new Error(answer.error);
		return answer.value;
	};
};

/** Mounts, runs the body, unmounts; checks that nothing stays and that the overlay had no problems. */
export const withOverlay = async (
	t: ExecutionContext,
	body: (overlay: OverlayUnderTest) => Promise<void>,
	{attrTimeoutMs = 1000, writeWaitMs = 2000, detached = false, backing, deadlines = {}}: StartOptions = {},
): Promise<void> => {
	const base = mkdtempSync(join(tmpdir(), 'hekafs-overlay-'));
	const mnt = join(base, 'mnt');
	const back = backing ?? join(base, 'back');
	// Other users than root take part.
	chmodSync(base, 0o755);
	mkdirSync(mnt);
	if (backing === undefined) mkdirSync(back);
	const child = spawn(process.execPath, [
		PROGRAM,
		mnt,
		back,
		String(attrTimeoutMs),
		String(writeWaitMs),
		JSON.stringify(deadlines),
	]);
	let errors = '';
	child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
	const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
	const nextAnswer = commander(child);
	const tell = async (command: object): Promise<unknown> => {
		child.stdin.write(`${JSON.stringify(command)}\n`);
		return nextAnswer();
	};
	const stats = async (): Promise<OverlayStatsAnswer> => (await tell({do: 'stats'})) as OverlayStatsAnswer;
	const sh = (script: string, timeoutMs = 20_000): Promise<ChildResult> =>
		run('/bin/bash', ['-c', `M='${mnt}' B='${back}'; cd /; ${script}`], timeoutMs);
	const ok = async (script: string, timeoutMs?: number): Promise<string> => {
		const result = await sh(`set -eu; ${script}`, timeoutMs);
		if (result.code !== 0 || result.timedOut) {
			const how = result.timedOut ? 'did not end' : `ended with ${String(result.code)}`;
			t.fail(`${script}\n${how}: ${result.stdout}\n${result.stderr}\n${errors}`);
		}
		return result.stdout.trim();
	};
	try {
		await nextAnswer();
		if (!detached) {
			await tell({do: 'switchTo', generation: 1});
			await tell({do: 'open'});
		}
		await body({mnt, back, pid: child.pid!, tell, stats, sh, ok});
		t.deepEqual((await stats()).problems, []);
	} finally {
		await tell({do: 'unmount'}).catch(() => child.kill('SIGKILL'));
		await exited;
		await eventually('unmounted', () => !isMounted(mnt));
		rmSync(base, {recursive: true, force: true});
	}
	t.is(errors, '');
};
