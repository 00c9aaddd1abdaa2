/** The program hfs_config: its global options and its commands. Help, manual page and completion are all made from it. */
import {Command} from 'commander';
import {type ExitCode} from '../../errors.ts';
import {parsePath} from '../config-values.ts';
import {controlSocketIn} from '../config.ts';
import {configuredRun} from '../configured-run.ts';
import {EXIT_TEXTS} from '../exit-texts.ts';
import {VERSION} from '../version.ts';
import {addCompletion, addNodeNames} from './completion.ts';
import {type AddCommand, type CommandContext} from './context.ts';
import {addDiff, addHistory, addRestore, addShow} from './history.ts';
import {addInit} from './init.ts';
import {addLog} from './log.ts';
import {addHeal, addRemount, addServe, addVerify} from './operations.ts';
import {addRetire} from './retire.ts';
import {addPlan, addVolfile} from './show.ts';
import {addStatus} from './status.ts';
import {type Terminal} from './terminal.ts';

/** In the order of the help. */
const COMMANDS: readonly AddCommand[] = [
	addStatus,
	addServe,
	addRetire,
	addInit,
	addPlan,
	addHeal,
	addVerify,
	addRemount,
	addVolfile,
	addLog,
	addHistory,
	addShow,
	addDiff,
	addRestore,
	addCompletion,
	addNodeNames,
];

const AFTER_HELP = `
Exit codes:
${EXIT_TEXTS.map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`).join('\n')}

Examples:
  hfs_config serve          make this node a config server
  hfs_config status         see whether all is well, and if not, what to do
  hfs_config --run /tmp/run status`;

/** The commands that do something: groups of commands are left out. */
const leaves = (command: Command): Command[] =>
	command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

/** Every command takes `--json`; those that print more than one result declare it themselves. */
const addJson = (program: Command): void => {
	for (const command of leaves(program))
		if (!command.options.some(option => option.long === '--json'))
			command.option('--json', 'print the result as JSON');
};

/**
 * @param end told the exit code of the command that was run
 * @returns the program, ready to parse; it throws CommanderError in place of ending the process
 */
export const buildProgram = (
	terminal: Terminal,
	signal: AbortSignal,
	end: (code: ExitCode) => void,
): Command => {
	const program = new Command('hfs_config')
		.description('Directs the config filesystem of this cluster.')
		.version(VERSION, '--version')
		.option('--run <dir>', "hekafsd's --run directory (default: as hekafsd finds it)", parsePath)
		.option('--socket <path>', "hekafsd's control socket (default: control.sock in --run)", parsePath)
		.addHelpText('after', AFTER_HELP)
		.helpCommand(false)
		.exitOverride()
		.configureOutput({outputError: () => undefined});
	let json = false;
	const context: CommandContext = {
		terminal,
		signal,
		json: () => json,
		socketPath() {
			const {run, socket} = program.opts<{run?: string; socket?: string}>();
			return socket ?? controlSocketIn(run ?? configuredRun(process.env));
		},
		ends:
			action =>
			async (...args) => {
				// Commander gives the command as the last argument.
				const command = args.at(-1);
				json = command instanceof Command && command.opts<{json?: boolean}>().json === true;
				end(await action(...args));
			},
	};
	for (const add of COMMANDS) add(program, context);
	addJson(program);
	return program;
};
