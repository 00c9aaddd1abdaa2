/** Touches a mount from child processes with a time-out: a process must never touch a mount that it serves itself. */
import {spawn, type ChildProcess} from 'node:child_process';

export interface ChildResult {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
	readonly ms: number;
	readonly timedOut: boolean;
}

export interface RunningChild {
	readonly child: ChildProcess;
	readonly result: Promise<ChildResult>;
}

/** Starts a program; it is killed after `timeoutMs`. */
export const start = (program: string, args: readonly string[], timeoutMs = 5000): RunningChild => {
	const began = performance.now();
	const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe']});
	let stdout = '';
	let stderr = '';
	let timedOut = false;
	child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')));
	child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('latin1')));
	const timer = setTimeout(() => {
		timedOut = true;
		child.kill('SIGKILL');
	}, timeoutMs);
	const result = new Promise<ChildResult>((resolve, reject) => {
		child.on('error', reject);
		child.on('exit', code => {
			clearTimeout(timer);
			// Output that is still under way arrives before `close`, which a grandchild could hold back.
			setImmediate(() => resolve({code, stdout, stderr, ms: performance.now() - began, timedOut}));
		});
	});
	return {child, result};
};

export const run = (program: string, args: readonly string[], timeoutMs?: number): Promise<ChildResult> =>
	start(program, args, timeoutMs).result;

/** Polls until the condition holds. @throws when it does not in time */
export const eventually = async (
	what: string,
	condition: () => boolean | Promise<boolean>,
	timeoutMs = 5000,
): Promise<void> => {
	for (const end = performance.now() + timeoutMs; performance.now() < end;) {
		if (await condition()) return;
		await new Promise(resolve => setTimeout(resolve, 10));
	}
	throw new Error(`not within ${timeoutMs} ms: ${what}`);
};
