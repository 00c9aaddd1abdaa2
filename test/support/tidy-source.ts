/** Source files as the tidy rules see them: a path and a text, parsed when a rule asks for it. */
import ts from 'typescript';

export interface SourceFile {
	/** Relative to the repository, with slashes. */
	readonly path: string;
	readonly text: string;
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>();

/** The syntax tree; parsed once per file. */
export const treeOf = (file: SourceFile): ts.SourceFile => {
	const known = parsed.get(file);
	if (known !== undefined) return known;
	const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true);
	parsed.set(file, tree);
	return tree;
};

/** Every node of a file, parents first. */
export const nodesOf = function* (node: ts.Node): Generator<ts.Node> {
	yield node;
	for (const child of node.getChildren()) yield* nodesOf(child);
};

/** 1, 2, …: the line on which a node begins, without its leading comments. */
export const lineOf = (file: SourceFile, node: ts.Node): number =>
	treeOf(file).getLineAndCharacterOfPosition(node.getStart()).line + 1;

const isImportCall = (node: ts.Node): node is ts.CallExpression =>
	ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;

const isModuleUrl = (node: ts.Node): node is ts.NewExpression =>
	ts.isNewExpression(node) &&
	node.expression.getText() === 'URL' &&
	node.arguments?.[1]?.getText() === 'import.meta.url';

/** What a file imports, re-exports, imports at run time, or starts as a worker (`new URL('./worker.ts', import.meta.url)`). */
export const importsOf = (file: SourceFile): string[] => {
	const found: string[] = [];
	for (const node of nodesOf(treeOf(file))) {
		const specifier =
			ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
				? node.moduleSpecifier
				: isImportCall(node) || isModuleUrl(node)
					? node.arguments?.[0]
					: undefined;
		if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
	}
	return found;
};
