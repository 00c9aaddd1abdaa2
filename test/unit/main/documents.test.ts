import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {leafCommands, type CommandModel, type OptionModel} from '../../../src/main/manual/model.ts';
import {configModel, daemonModel} from '../../../src/main/manual/pages.ts';
import {REASON_CODES} from '../../../src/membership/reason.ts';

// This file runs as dist/test/unit/main/documents.test.js.
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const DOCUMENTS = [
	'README.md',
	'CHANGELOG.md',
	...readdirSync(join(root, 'docs'))
		.filter(name => name.endsWith('.md'))
		.map(name => `docs/${name}`),
];

test('every reason code has an entry in OPERATING.md, with a cause and a command', t => {
	const operating = read('docs/OPERATING.md');
	for (const code of REASON_CODES)
		t.regex(operating, new RegExp(`^\\| \`${code}\` \\| \\S.* \\| \\S.* \\|$`, 'm'), code);
});

const CONFIG = configModel();
const COMMANDS = new Map(leafCommands(CONFIG).map(([words, command]) => [words.join(' '), command]));

/** Flags in the text that neither the program nor the command has. */
const unknownFlags = (text: string, known: readonly OptionModel[]): string[] =>
	[...text.matchAll(/(?<=^|[\s[(|])--[a-z][\w-]*/g)]
		.map(([flag]) => flag)
		.filter(flag => flag !== '--help' && !known.some(option => option.long === flag));

/** What is wrong with a call of hfs_config, up to the end of the command. */
const problemsOf = (call: string): string[] => {
	const rest = call
		.replace(/^hfs_config\s*/, '')
		.replaceAll(/(--run|--socket)[ =]\S+\s*/g, '')
		.replace(/[;|&>#].*$/, '');
	if (rest === '' || rest.startsWith('…') || /^(COMMAND|\[)/.test(rest)) return [];
	const words = rest.split(/\s+/);
	const name = [words.slice(0, 2).join(' '), words[0]!].find(candidate => COMMANDS.has(candidate));
	const group: CommandModel | undefined = CONFIG.commands.find(command => command.name === words[0]);
	if (name === undefined)
		return group !== undefined || words[0]!.startsWith('--') ? [] : [`no command ${words[0]!}`];
	return unknownFlags(rest, [...CONFIG.options, ...COMMANDS.get(name)!.options]).map(
		flag => `${name} has no ${flag}`,
	);
};

/** Calls in backticks and in blocks of shell. */
const callsIn = (text: string, program: string): string[] => [
	...[...text.matchAll(new RegExp(`\`(${program}(?: [^\`\n]*)?)\``, 'g'))].map(match => match[1]!),
	...[...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(block =>
		block[1]!.split('\n').flatMap(line => {
			const at = line.search(new RegExp(`(^|[ (/])${program}( |$)`));
			return at === -1 ? [] : [line.slice(line.indexOf(program, at))];
		}),
	),
];

for (const path of DOCUMENTS) {
	test(`${path} names only commands and options that exist`, t => {
		const text = read(path);
		t.deepEqual(
			callsIn(text, 'hfs_config').flatMap(call => problemsOf(call).map(problem => `${call}: ${problem}`)),
			[],
		);
		const daemon = daemonModel().options;
		t.deepEqual(
			callsIn(text, 'hekafsd').flatMap(call => unknownFlags(call.replace(/[;|&>#].*$/, ''), daemon)),
			[],
		);
	});
}

test('planted: commands and options that do not exist are found', t => {
	t.deepEqual(problemsOf('hfs_config serv'), ['no command serv']);
	t.deepEqual(problemsOf('hfs_config serve --fund | cat --x'), ['serve has no --fund']);
	t.deepEqual(problemsOf('hfs_config --run DIR status --watch'), []);
	t.deepEqual(callsIn('a `hfs_config x --y` b\n```sh\n. <(hfs_config z)\n```\n', 'hfs_config'), [
		'hfs_config x --y',
		'hfs_config z)',
	]);
});
