/** A process that a test started inside a host and may signal, watch and wait for. */
import {execa} from 'execa';
import {childrenOf, processOf} from './machine-processes.ts';
import {waitFor} from './wait-for.ts';

export interface HostProcess extends AsyncDisposable {
	/** Number inside the host. */
	readonly pid: number;
	/** Number on the machine. */
	readonly outsidePid: number;
	/** Standard output and standard error so far, as they came. */
	output(): string;
	/** False once it has ended. */
	running(): boolean;
	/** Its exit code, null when a signal ended it. Only ends when it has ended. */
	readonly exited: Promise<number | null>;
	/** Sends a signal; quietly does nothing when the process has ended. */
	signal(name: NodeJS.Signals): void;
	/** Waits for text in the output; fails early, with the output, when the process ends first. */
	waitForOutput(pattern: RegExp, options: {deadlineMs: number}): Promise<RegExpExecArray>;
}

const START_DEADLINE_MS = 5_000;

/** Starts `argv` in the namespaces that `enter` leads to. The process is killed when the handle is disposed. */
export const startHostProcess = async (
	enter: readonly string[],
	argv: readonly string[],
	env: Readonly<Record<string, string>> = {},
): Promise<HostProcess> => {
	// nsenter stops when its child is stopped and continues the child when it is continued itself; `timeout` (with no
	// limit) does neither, so it stands between them.
	const [program, ...args] = [...enter, 'timeout', '--foreground', '0', ...argv];
	const nsenter = execa(program!, args, {stdin: 'ignore', all: true, buffer: false, reject: false, env});
	let text = '';
	nsenter.all.setEncoding('utf8').on('data', (part: string) => (text += part));
	let ended = false;
	// 'exit', not the end of the output: a daemon that it started may hold the pipe for ever.
	const exited = new Promise<number | null>(resolve => {
		nsenter.once('error', () => {
			resolve(null);
		});
		nsenter.once('exit', code => {
			resolve(code);
		});
	}).finally(() => (ended = true));
	// Both fork once: the only grandchild of nsenter is the process that we want.
	const outsidePid = await waitFor(() => ended || childrenOf(nsenter.pid!).flatMap(childrenOf)[0], {
		deadlineMs: START_DEADLINE_MS,
		what: `${argv.join(' ')} runs`,
		intervalMs: 2,
	});
	const found = outsidePid === true ? null : processOf(outsidePid);
	const signal = (name: NodeJS.Signals): void => {
		if (!ended && found !== null) process.kill(found.outsidePid, name);
	};
	return {
		pid: found?.pid ?? 0,
		outsidePid: found?.outsidePid ?? 0,
		output: () => text,
		running: () => !ended,
		exited,
		signal,
		waitForOutput: async (pattern, {deadlineMs}) => {
			await waitFor(() => pattern.test(text) || ended, {
				deadlineMs,
				what: `${String(pattern)} in the output`,
			});
			const match = pattern.exec(text);
			if (match === null) throw new Error(`${argv.join(' ')} ended without ${String(pattern)}:\n${text}`);
			return match;
		},
		[Symbol.asyncDispose]: async () => {
			signal('SIGKILL');
			await exited;
			nsenter.all.destroy();
		},
	};
};
