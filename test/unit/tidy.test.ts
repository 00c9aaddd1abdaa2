/** Style as a test: import directions, sizes, forms and the file names in the docs; and each rule against a planted violation. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {strayPackages, wrongDirections} from '../support/tidy-imports.ts';
import {
	barrels,
	defaultExports,
	exitsOutsideMain,
	forbiddenFolders,
	longFunctions,
	machinePaths,
	missingOpening,
	missingPaths,
	tooLong,
	type Rule,
} from '../support/tidy-rules.ts';
import {type SourceFile} from '../support/tidy-source.ts';

// This file runs as dist/test/unit/tidy.test.js.
const root = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');
const filesBelow = (folder: string, pattern: RegExp): SourceFile[] =>
	existsSync(join(root, folder))
		? readdirSync(join(root, folder), {recursive: true, withFileTypes: true})
				.filter(entry => entry.isFile() && pattern.test(entry.name))
				.map(entry => join(entry.parentPath, entry.name))
				.map(path => ({path: relative(root, path), text: readFileSync(path, 'utf8')}))
		: [];
const SOURCE_FOLDERS = ['src', 'test', 'native-tests', 'bench'];
const sources = SOURCE_FOLDERS.flatMap(folder => filesBelow(folder, /\.ts$/));
const atTop = readdirSync(root).filter(name => /\.(md|js|json)$|^(hekafs-up|run-tests)$/.test(name));
const texts = [
	...sources,
	...['docs', 'examples', 'scripts', '.ci'].flatMap(folder => filesBelow(folder, /./)),
	...atTop.map(path => ({path, text: readFileSync(join(root, path), 'utf8')})),
];
const documents = texts.filter(({path}) => path.endsWith('.md') || path.startsWith('src/'));

test('there is something to check', t => {
	for (const path of [
		'src/errors.ts',
		'src/main/hekafsd.ts',
		'test/unit/tidy.test.ts',
		'native-tests/lab/lab.test.ts',
	])
		t.true(
			sources.some(file => file.path === path),
			path,
		);
});

const RULES: ReadonlyArray<readonly [string, Rule, readonly SourceFile[]]> = [
	['folders import only what the table allows', wrongDirections, sources],
	['packages stay in their home', strayPackages, sources],
	['files have at most 300 lines, tests 400', tooLong, sources],
	['functions have at most 70 lines, test functions 150', longFunctions, sources],
	['there are no default exports', defaultExports, sources],
	['there are no barrels', barrels, sources],
	['folders are named for what is in them', forbiddenFolders, texts],
	['only main/ ends the process', exitsOutsideMain, sources],
	['each file opens with a sentence on its job', missingOpening, sources],
	['no text names a path of one machine', machinePaths(root), texts],
	['files that the docs name exist', missingPaths(path => existsSync(join(root, path))), documents],
];
for (const [title, rule, files] of RULES) {
	test(title, t => {
		t.deepEqual(files.flatMap(rule), []);
	});
}

// Samples that hold what the rules look for are put together, so that the rules do not find them here.
const lines = (count: number): string => 'x;\n'.repeat(count);
const exit = ['process', 'exit'].join('.');
const home = ['', 'home', 'somebody', 'clone'].join('/');
const PLANTED: ReadonlyArray<readonly [string, Rule, string, string]> = [
	[
		'the model imports an adapter',
		wrongDirections,
		'src/membership/a.ts',
		"import {b} from '../gluster/b.ts';",
	],
	['heal imports system calls', wrongDirections, 'src/heal/a.ts', "import type {b} from '../posix/b.ts';"],
	[
		'the codec imports the session',
		wrongDirections,
		'src/fuse/wire/a.ts',
		"import {b} from '../session.ts';",
	],
	['a re-export', wrongDirections, 'src/volfile/a.ts', "export {b} from '../heal/b.ts';"],
	['an import at run time', wrongDirections, 'src/http/a.ts', "const b = await import('../overlay/b.ts');"],
	['a worker', wrongDirections, 'src/http/a.ts', "new URL('../overlay/b.ts', import.meta.url);"],
	['a test is imported', wrongDirections, 'src/http/a.ts', "import {b} from '../../test/support/b.ts';"],
	['a folder without a row', wrongDirections, 'src/novel/a.ts', ''],
	['execa elsewhere', strayPackages, 'src/gluster/brick.ts', "import {execa} from 'execa';"],
	['koffi elsewhere', strayPackages, 'src/posix/files.ts', "import koffi from 'koffi';"],
	['a file of a package', strayPackages, 'src/heal/a.ts', "import 'zod/v4';"],
	['a package without a home', strayPackages, 'src/main/a.ts', "import _ from 'lodash';"],
	['a long file', tooLong, 'src/main/a.ts', lines(301)],
	['a long test', tooLong, 'test/unit/a.test.ts', lines(401)],
	['a long function', longFunctions, 'src/main/a.ts', `const f = () => {\n${lines(69)}};\n`],
	['a long test function', longFunctions, 'test/a.test.ts', `test(() => {\n${lines(149)}});\n`],
	[
		'a long function in another',
		longFunctions,
		'src/main/a.ts',
		`const f = () => ({\n\tg() {\n${lines(69)}\t},\n});\n`,
	],
	['a long method', longFunctions, 'src/main/a.ts', `class A {\n\tf() {\n${lines(69)}\t}\n}\n`],
	['a default value', defaultExports, 'src/main/a.ts', 'export default 1;'],
	['a default function', defaultExports, 'src/main/a.ts', 'export default function f() {}'],
	['a default class', defaultExports, 'src/main/a.ts', 'export default class A {}'],
	['a renamed default', defaultExports, 'src/main/a.ts', 'const a = 1; export {a as default};'],
	['an index', barrels, 'src/heal/index.ts', 'export const a = 1;'],
	['only re-exports', barrels, 'src/heal/all.ts', "export * from './a.ts';\nexport {b} from './b.ts';"],
	['a folder for anything', forbiddenFolders, 'src/utils/a.ts', ''],
	['a process that is ended', exitsOutsideMain, 'src/heal/a.ts', `if (a) ${exit}(1);`],
	['an opening that is missing', missingOpening, 'src/heal/a.ts', "import {b} from './b.ts';"],
	['a home directory', machinePaths(root), 'docs/a.md', `cd ${home}`],
	['this clone', machinePaths('/srv/clone'), 'docs/a.md', 'cd /srv/clone && ls'],
	['a file that is gone', missingPaths(() => false), 'docs/a.md', 'see `src/heal/gone.ts:12`'],
	['a page that is gone', missingPaths(() => false), 'src/heal/a.ts', '/** See docs/GONE.md. */'],
];
for (const [title, rule, path, text] of PLANTED) {
	test(`planted: ${title}`, t => {
		t.is(rule({path, text}).length, 1);
	});
}

const CLEAN: ReadonlyArray<readonly [string, Rule, string, string]> = [
	['what the table allows', wrongDirections, 'src/overlay/a.ts', "import {b} from '../fuse/wire/b.ts';"],
	['main sees all', wrongDirections, 'src/main/compose.ts', "import {b} from '../overlay/b.ts';"],
	['a package at home', strayPackages, 'src/gluster/command.ts', "import {execa} from 'execa';"],
	['300 lines', tooLong, 'src/main/a.ts', lines(300)],
	['an ABI table', tooLong, 'src/fuse/wire/abi.ts', lines(500)],
	['70 lines', longFunctions, 'src/main/a.ts', `const f = () => {\n${lines(68)}};\n`],
	[
		'a function that returns two of 60 lines',
		longFunctions,
		'src/main/a.ts',
		`const f = () => ({\n\tg() {\n${lines(58)}\t},\n\th() {\n${lines(58)}\t},\n});\n`,
	],
	['a switch with a default', defaultExports, 'src/main/a.ts', 'switch (a) {\n\tdefault:\n}'],
	['an opening after the interpreter', missingOpening, 'src/main/a.ts', '#!/usr/bin/env node\n/** Ends. */'],
	['a path in a variable', machinePaths(root), 'scripts/a.sh', 'mkdir "$directory/work/upper"'],
	['a file that exists', missingPaths(path => path === 'src/heal'), 'docs/a.md', 'see `src/heal/`'],
];
for (const [title, rule, path, text] of CLEAN) {
	test(`clean: ${title}`, t => {
		t.deepEqual(rule({path, text}), []);
	});
}
