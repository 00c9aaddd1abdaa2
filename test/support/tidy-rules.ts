/** Rules on the form of the code and the truth of its file names. Each takes one file and returns violations as sentences. */
import ts from 'typescript';
import {lineOf, nodesOf, treeOf, type SourceFile} from './tidy-source.ts';

export type Rule = (file: SourceFile) => string[];

const SOURCE_LINES_MAX = 300;
/** A test file is a list of cases. */
const TEST_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
/** A test on real machines is one story, told in order. */
const TEST_FUNCTION_LINES_MAX = 150;
/** Tables that restate a foreign ABI line by line. */
const LENGTH_EXEMPT = /^src\/fuse\/wire\/|^src\/posix\/errno\.ts$/;
const FORBIDDEN_FOLDERS = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared'];

export const tooLong: Rule = ({path, text}) => {
	const lines = text.split('\n').length - 1;
	const limit = path.startsWith('src/') ? SOURCE_LINES_MAX : TEST_LINES_MAX;
	return lines <= limit || LENGTH_EXEMPT.test(path) ? [] : [`${path}: ${lines} lines, at most ${limit}`];
};

/** First line and number of lines. */
const spanOf = (file: SourceFile, node: ts.Node): readonly [number, number] => {
	const first = lineOf(file, node);
	return [first, treeOf(file).getLineAndCharacterOfPosition(node.getEnd()).line + 2 - first];
};

const isFunctionWithBody = (node: ts.Node): boolean =>
	ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;

/** Lines inside a node that belong to functions in it; a function that returns functions is no longer for that. */
const nestedLines = (file: SourceFile, node: ts.Node): number => {
	let lines = 0;
	for (const child of node.getChildren())
		lines += isFunctionWithBody(child) ? spanOf(file, child)[1] - 1 : nestedLines(file, child);
	return lines;
};

export const longFunctions: Rule = file => {
	const limit = file.path.startsWith('src/') ? FUNCTION_LINES_MAX : TEST_FUNCTION_LINES_MAX;
	return [...nodesOf(treeOf(file))].filter(isFunctionWithBody).flatMap(node => {
		const [first, all] = spanOf(file, node);
		const lines = all - nestedLines(file, node);
		return lines <= limit ? [] : [`${file.path}:${first}: a function of ${lines} lines, at most ${limit}`];
	});
};

export const defaultExports: Rule = file =>
	[...nodesOf(treeOf(file))]
		.filter(
			node =>
				ts.isExportAssignment(node) ||
				(node.kind === ts.SyntaxKind.DefaultKeyword && ts.isFunctionLike(node.parent)) ||
				(node.kind === ts.SyntaxKind.DefaultKeyword && ts.isClassLike(node.parent)) ||
				(ts.isExportSpecifier(node) && node.name.text === 'default'),
		)
		.map(node => `${file.path}:${lineOf(file, node)}: a default export`);

/** A barrel: a file named index.ts, or one that only re-exports. */
export const barrels: Rule = file => {
	const {statements} = treeOf(file);
	const onlyReExports =
		statements.length > 0 &&
		statements.every(node => ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined);
	return /(^|\/)index\.ts$/.test(file.path) || onlyReExports ? [`${file.path}: a barrel`] : [];
};

export const forbiddenFolders: Rule = ({path}) =>
	path
		.split('/')
		.slice(0, -1)
		.filter(folder => FORBIDDEN_FOLDERS.includes(folder))
		.map(folder => `${path}: a folder named ${folder} says nothing about what is in it`);

export const exitsOutsideMain: Rule = file =>
	!file.path.startsWith('src/') || file.path.startsWith('src/main/')
		? []
		: [...nodesOf(treeOf(file))]
				.filter(node => ts.isPropertyAccessExpression(node) && node.getText() === 'process.exit')
				.map(node => `${file.path}:${lineOf(file, node)}: process.exit outside main/`);

/** A file in test/unit/ is named for the one that it tests, which says enough. */
export const missingOpening: Rule = ({path, text}) =>
	path.startsWith('test/unit/') || /^(#![^\n]*\n)?\/\*\*/.test(text)
		? []
		: [`${path}: does not open with a sentence on its job (/** …)`];

/** Paths that only exist on somebody's machine; `root` is where this clone is. */
export const machinePaths =
	(root: string): Rule =>
	({path, text}) =>
		text.split('\n').flatMap((line, index) => {
			const found = /(?<![\w$}.…*-])\/(home|Users|work|workspace|builds)\/[\w.]+/.exec(line)?.[0];
			const own = line.includes(root) ? root : undefined;
			const bad = found ?? own;
			return bad === undefined ? [] : [`${path}:${index + 1}: a path of one machine: ${bad}`];
		});

const DOCUMENTED = /`((?:src|docs|test|native-tests|examples|bench|scripts|\.ci)\/[\w./-]*)(?::\d+)?`/g;
const MENTIONED = /\b(docs\/[\w/-]+\.md)\b/g;

/** Files and folders of this repository that a text names and that do not exist. Markdown: in backticks; code: docs only. */
export const missingPaths =
	(exists: (path: string) => boolean): Rule =>
	({path, text}) => {
		const pattern = path.endsWith('.md') ? DOCUMENTED : MENTIONED;
		const named = new Set([...text.matchAll(pattern)].map(match => match[1]!.replace(/[./]+$/, '')));
		return [...named].filter(name => !exists(name)).map(name => `${path}: ${name} does not exist`);
	};
