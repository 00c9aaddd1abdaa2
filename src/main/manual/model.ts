/** A program's commands and options as data, read off its commander tree: what manual pages and completion are made from. */
import {type Argument, type Command, type Option} from 'commander';

export interface OptionModel {
	/** `--run <dir>`. */
	readonly flags: string;
	/** `--run`. */
	readonly long: string;
	/** Name of its value, `dir`; undefined: it takes none. */
	readonly value: string | undefined;
	/** With the default, as the help shows it. */
	readonly description: string;
}

export interface ArgumentModel {
	readonly name: string;
	readonly description: string;
	/** The words that it may be; empty: anything. */
	readonly choices: readonly string[];
}

export interface CommandModel {
	readonly name: string;
	/** `hfs_config retire [options] [node]`. */
	readonly usage: string;
	readonly description: string;
	readonly options: readonly OptionModel[];
	readonly arguments: readonly ArgumentModel[];
	/** What follows the help: examples, mostly. Lines without an indent are headings. */
	readonly after: string;
	/** Not those that are hidden from the help. */
	readonly commands: readonly CommandModel[];
}

/** Text that was added with addHelpText('after'), which commander only gives together with the rest. */
const afterHelp = (command: Command): string => {
	let text = '';
	command.configureOutput({
		writeOut: part => {
			text += part;
		},
	});
	command.outputHelp();
	command.configureOutput({writeOut: part => void process.stdout.write(part)});
	return text.slice(command.helpInformation().length).trim();
};

/**
 * @param parents names of the programs and commands before it, with a space after each
 */
export const commandModel = (command: Command, parents = ''): CommandModel => {
	const help = command.createHelp();
	const option = (one: Option): OptionModel => ({
		flags: one.flags,
		long: one.long ?? one.flags,
		value: /<([\w:-]+)/.exec(one.flags)?.[1],
		description: help.optionDescription(one),
	});
	const name = `${parents}${command.name()}`;
	return {
		name: command.name(),
		usage: `${name} ${command.usage()}`.trim(),
		description: command.description(),
		options: help.visibleOptions(command).map(option),
		arguments: help.visibleArguments(command).map((one: Argument) => ({
			name: one.name(),
			description: help.argumentDescription(one),
			choices: one.argChoices ?? [],
		})),
		after: afterHelp(command),
		commands: help.visibleCommands(command).map(one => commandModel(one, `${name} `)),
	};
};

/** Every command below, those in groups too, with the words that call it: `['history', 'show']`. */
export const leafCommands = (
	model: CommandModel,
	words: readonly string[] = [],
): ReadonlyArray<readonly [words: readonly string[], command: CommandModel]> =>
	model.commands.flatMap(command => {
		const here = [...words, command.name];
		return command.commands.length === 0 ? [[here, command] as const] : leafCommands(command, here);
	});
