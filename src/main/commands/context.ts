/** What every command of hfs_config gets: where the daemon's socket is, where to write, and how to end. */
import {type Command} from 'commander';
import {EXIT, type ExitCode} from '../../errors.ts';
import {toJsonText} from '../../http/answers.ts';
import {runControl} from '../../http/control-client.ts';
import {type ControlResult} from '../../http/control.ts';
import {type StatusReport} from '../../membership/report.ts';
import {progressOn} from './progress.ts';
import {type Terminal} from './terminal.ts';

export interface CommandContext {
	readonly terminal: Terminal;
	/** From --socket, else from --run. */
	readonly socketPath: () => string;
	readonly signal: AbortSignal;
	/** Whether the command that runs was given `--json`: then standard output gets one JSON document. */
	readonly json: () => boolean;
	/** Wraps what a command does, so that its exit code becomes the program's. */
	readonly ends: <A extends unknown[]>(
		action: (...args: A) => Promise<ExitCode>,
	) => (...args: A) => Promise<void>;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: CommandContext) => void;

export const exitOfHealth = (health: StatusReport['health']): ExitCode => {
	switch (health) {
		case 'healthy':
			return EXIT.ok;
		case 'degraded':
			return EXIT.degraded;
		case 'refusing':
			return EXIT.refusing;
		default:
			return health satisfies never;
	}
};

/** Runs an operation of the daemon, shows its progress on standard error and its result on standard output. */
export const operate = async (
	context: CommandContext,
	path: string,
	body: unknown,
	onLine?: (text: string) => void,
): Promise<ControlResult> => {
	const progress = progressOn(context.terminal);
	try {
		const result = await runControl(path, body, (text, done, total) => progress.step(text, done, total), {
			socketPath: context.socketPath(),
			signal: context.signal,
			...(onLine !== undefined && {onLine}),
		});
		progress.clear();
		if (result.text !== '') {
			if (context.json()) context.terminal.out(toJsonText(result));
			else context.terminal.out(result.text.endsWith('\n') ? result.text : `${result.text}\n`);
		}
		return result;
	} finally {
		progress.clear();
	}
};
