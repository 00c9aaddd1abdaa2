#!/usr/bin/env node
/** hfs_config: the command by which an admin asks and directs the hekafsd of this node. */
import {CommanderError} from 'commander';
import {describeError, EXIT, HekafsError, type ExitCode} from '../errors.ts';
import {errorBody, toJsonText} from '../http/answers.ts';
import {buildProgram} from './commands/program.ts';
import {processTerminal, type Terminal} from './commands/terminal.ts';
import {usageErrorOf} from './usage-error.ts';

/** `hfs_config: what failed`, then what to do in lines that are set in. */
const report = (terminal: Terminal, error: unknown, json: boolean): ExitCode => {
	terminal.err(`hfs_config: ${describeError(error)}\n`);
	// Whoever asked for JSON gets JSON, whatever happens.
	if (json) terminal.out(toJsonText({error: errorBody(error)}));
	return error instanceof HekafsError ? error.exitCode : EXIT.failure;
};

const run = async (args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<ExitCode> => {
	let code: ExitCode = EXIT.ok;
	const json = args.includes('--json');
	const program = buildProgram(terminal, signal, result => (code = result));
	if (args.length === 0) {
		terminal.err(program.helpInformation());
		return EXIT.usage;
	}
	try {
		await program.parseAsync(args, {from: 'user'});
		return code;
	} catch (error) {
		if (!(error instanceof CommanderError)) return report(terminal, error, json);
		return error.exitCode === 0 ? EXIT.ok : report(terminal, usageErrorOf(error, 'hfs_config --help'), json);
	}
};

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
	process.once(signal, () =>
		interrupted.abort(
			new HekafsError('HEKAFS_INTERNAL', `ended by ${signal}`, {
				remedy: 'What hekafsd has begun it completes or undoes; see `hfs_config status`.',
			}),
		),
	);
// `hfs_config status | head` must not end with a stack trace.
process.stdout.on('error', () => process.exit(EXIT.failure));
process.exitCode = await run(process.argv.slice(2), processTerminal(), interrupted.signal);
