#!/usr/bin/env node
/** hfs_config: the command by which an admin asks and directs the hekafsd of this node. */
import {Command, CommanderError} from 'commander';
import {describeError, EXIT, HekafsError, type ExitCode} from '../errors.ts';
import {type CommandContext} from './commands/context.ts';
import {addInit} from './commands/init.ts';
import {addHeal, addRemount, addServe, addVerify} from './commands/operations.ts';
import {addRetire} from './commands/retire.ts';
import {addPlan, addVolfile} from './commands/show.ts';
import {addStatus} from './commands/status.ts';
import {processTerminal, type Terminal} from './commands/terminal.ts';
import {parsePath} from './config-values.ts';
import {controlSocketIn} from './config.ts';
import {configuredRun} from './configured-run.ts';
import {usageErrorOf} from './usage-error.ts';
import {VERSION} from './version.ts';

const EXIT_CODES = `
Exit codes: 0 done, healthy · 1 failed · 2 wrong arguments · 3 degraded · 4 writes are refused · 5 hekafsd is down
            6 refused to protect data · 7 the machine lacks something · 9 a deadline passed · 10 a file of ours is not valid

Examples:
  hfs_config serve          make this node a config server
  hfs_config status         see whether all is well, and if not, what to do
  hfs_config --run /tmp/run status`;

const buildProgram = (terminal: Terminal, signal: AbortSignal, end: (code: ExitCode) => void): Command => {
	const program = new Command('hfs_config')
		.description('Directs the config filesystem of this cluster.')
		.version(VERSION, '--version')
		.option('--run <dir>', "hekafsd's --run directory (default: as hekafsd finds it)", parsePath)
		.option('--socket <path>', "hekafsd's control socket (default: control.sock in --run)", parsePath)
		.addHelpText('after', EXIT_CODES)
		.helpCommand(false)
		.exitOverride()
		.configureOutput({outputError: () => undefined});
	const context: CommandContext = {
		terminal,
		signal,
		socketPath() {
			const {run, socket} = program.opts<{run?: string; socket?: string}>();
			return socket ?? controlSocketIn(run ?? configuredRun(process.env));
		},
		ends:
			action =>
			async (...args) =>
				end(await action(...args)),
	};
	for (const add of [
		addStatus,
		addServe,
		addRetire,
		addInit,
		addPlan,
		addHeal,
		addVerify,
		addRemount,
		addVolfile,
	])
		add(program, context);
	return program;
};

/** `hfs_config: what failed`, then what to do in lines that are set in. */
const report = (terminal: Terminal, error: unknown): ExitCode => {
	terminal.err(`hfs_config: ${describeError(error)}\n`);
	return error instanceof HekafsError ? error.exitCode : EXIT.failure;
};

const run = async (args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<ExitCode> => {
	let code: ExitCode = EXIT.ok;
	const program = buildProgram(terminal, signal, result => (code = result));
	if (args.length === 0) {
		terminal.err(program.helpInformation());
		return EXIT.usage;
	}
	try {
		await program.parseAsync(args, {from: 'user'});
		return code;
	} catch (error) {
		if (!(error instanceof CommanderError)) return report(terminal, error);
		return error.exitCode === 0 ? EXIT.ok : report(terminal, usageErrorOf(error, 'hfs_config --help'));
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
