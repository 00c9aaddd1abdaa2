/** Manual pages as data, and as roff with the man(7) macros. Pure. */

export type Block =
	| {readonly kind: 'text'; readonly text: string}
	/** Set in as it is: commands, file contents. */
	| {readonly kind: 'code'; readonly lines: readonly string[]}
	/** Terms with their explanations. */
	| {readonly kind: 'terms'; readonly terms: ReadonlyArray<readonly [term: string, text: string]>}
	| {readonly kind: 'heading'; readonly text: string};

export interface Page {
	readonly name: string;
	readonly section: 7 | 8;
	/** One line for apropos(1). */
	readonly summary: string;
	readonly sections: ReadonlyArray<readonly [title: string, blocks: readonly Block[]]>;
	/** `hfs_config(8)`. */
	readonly seeAlso: readonly string[];
}

export const text = (value: string): Block => ({kind: 'text', text: value});
export const code = (...lines: readonly string[]): Block => ({kind: 'code', lines});
export const terms = (...list: ReadonlyArray<readonly [string, string]>): Block => ({
	kind: 'terms',
	terms: list,
});

/** Text for a line of its own: nothing in it is taken for a request, hyphens can be copied as they are. */
const escape = (value: string): string =>
	value
		.replaceAll('\\', '\\e')
		.replaceAll('-', '\\-')
		.replaceAll('~', '\\(ti')
		.replaceAll('^', '\\(ha')
		.replaceAll("'", '\\(aq')
		.replaceAll('·', '\\(bu')
		.replaceAll('…', '...')
		.replaceAll(/^([.'])/gm, '\\&$1');

/** Backticks set bold, as in the documents. */
const inline = (value: string): string =>
	escape(value.replaceAll(/\s+/g, ' ').trim()).replaceAll(/`([^`]*)`/g, '\\fB$1\\fR');

const quoted = (value: string): string => `"${escape(value).replaceAll('"', '\\(dq')}"`;

const block = (one: Block): string[] => {
	switch (one.kind) {
		case 'text':
			return ['.PP', inline(one.text)];
		case 'code':
			return ['.PP', '.RS 4', '.nf', ...one.lines.map(escape), '.fi', '.RE'];
		case 'terms':
			return one.terms.flatMap(([term, value]) => ['.TP', `\\fB${escape(term)}\\fR`, inline(value)]);
		case 'heading':
			return [`.SS ${quoted(one.text)}`];
		default:
			return one satisfies never;
	}
};

/** @param version of the package, for the foot of the page */
export const toRoff = (page: Page, version: string): string =>
	[
		`.TH ${quoted(page.name.toUpperCase())} ${page.section} "" ${quoted(`HekaFS ${version}`)} "HekaFS"`,
		'.ad l',
		'.SH NAME',
		`${escape(page.name)} \\- ${inline(page.summary)}`,
		...page.sections.flatMap(([title, blocks]) => [`.SH ${quoted(title)}`, ...blocks.flatMap(block)]),
		'.SH "SEE ALSO"',
		page.seeAlso.map(inline).join(', '),
		'',
	].join('\n');
