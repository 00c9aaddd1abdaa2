/** The manual pages of the two programs, made from the same commands and options as their help. */
import {EXIT_TEXTS} from '../exit-texts.ts';
import {leafCommands, type ArgumentModel, type CommandModel, type OptionModel} from './model.ts';
import {code, terms, text, type Block, type Page} from './roff.ts';

const optionTerms = (options: readonly OptionModel[]): Block =>
	terms(...options.map(({flags, description}) => [flags, description] as const));
const argumentTerms = (list: readonly ArgumentModel[]): Block[] =>
	list.length === 0 ? [] : [terms(...list.map(({name, description}) => [name, description] as const))];

/** The text after the help: lines that are set in are commands, the others are text. */
const afterBlocks = (after: string): Block[] => {
	const blocks: Block[] = [];
	let commands: string[] = [];
	const flush = (): void => {
		if (commands.length > 0) blocks.push(code(...commands));
		commands = [];
	};
	for (const line of after.split('\n')) {
		if (line.startsWith('  ')) commands.push(line.slice(2));
		else {
			flush();
			if (line !== '') blocks.push(text(line));
		}
	}
	flush();
	return blocks;
};

const commandBlocks = (words: readonly string[], model: CommandModel): Block[] => [
	{kind: 'heading', text: words.join(' ')},
	code(model.usage),
	text(`${model.description[0]?.toUpperCase() ?? ''}${model.description.slice(1)}.`),
	...argumentTerms(model.arguments),
	optionTerms(model.options.filter(({long}) => long !== '--help')),
	...afterBlocks(model.after),
];

/** Of the text after the program's help only the examples: exit codes have a section of their own. */
const examples = (after: string): Block[] => afterBlocks(after.slice(after.indexOf('Examples:')));

const exitSection: readonly [string, readonly Block[]] = [
	'EXIT STATUS',
	[terms(...EXIT_TEXTS.map(([number, meaning]) => [String(number), `${meaning}.`] as const))],
];

export const configPage = (model: CommandModel): Page => ({
	name: 'hfs_config',
	section: 8,
	summary: 'direct the config filesystem of this cluster',
	sections: [
		['SYNOPSIS', [code('hfs_config [--run DIR | --socket PATH] COMMAND')]],
		[
			'DESCRIPTION',
			[
				text(
					'`hfs_config` talks to the hekafsd of this node over its Unix socket, which only root may open. Results are on standard output, progress and errors on standard error; an error is followed by a line that says what to do. Every command takes `--json`; then standard output holds one JSON document, `{"error": …}` in case of an error. Colours are used on a terminal only, and not when `NO_COLOR` is set.',
				),
			],
		],
		['OPTIONS', [optionTerms(model.options)]],
		['COMMANDS', leafCommands(model).flatMap(([words, command]) => commandBlocks(words, command))],
		exitSection,
		['EXAMPLES', examples(model.after)],
	],
	seeAlso: ['hekafsd(8)', 'hekafs(7)'],
});

export const daemonPage = (model: CommandModel): Page => ({
	name: 'hekafsd',
	section: 8,
	summary: "mount the cluster's configuration and keep it right",
	sections: [
		['SYNOPSIS', [code('hekafsd [OPTIONS]')]],
		[
			'DESCRIPTION',
			[
				text(
					'`hekafsd` runs on every node. It mounts the config filesystem at `/etc/hekafs` and, on a config server, runs the brick. Writes are admitted only while it is certain that they reach the current server set; else they are refused with EROFS, and `/etc/hekafs/.hekafs/reason` says why and what to do.',
				),
				text(
					'It prints a line that begins with `hekafsd: mounted` when the overlay is mounted. SIGTERM and SIGINT end it: overlay, private mount, brick and self-heal daemon go. After SIGKILL the next start takes over what was left.',
				),
			],
		],
		['OPTIONS', [optionTerms(model.options)]],
		exitSection,
		['EXAMPLES', examples(model.after)],
		[
			'FILES',
			[
				terms(
					['/etc/hekafs', 'the configuration; see hekafs(7).'],
					['/var/lib/hekafs', 'state, secret and bricks; must outlive a reboot.'],
					['/run/hekafs', 'control socket, process ids, private mounts.'],
					['/var/log/hekafs', 'logs.'],
				),
			],
		],
	],
	seeAlso: ['hfs_config(8)', 'hekafs(7)', 'glusterd(8)'],
});
