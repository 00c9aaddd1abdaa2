/** Aligned columns and wrapped text for terminals. Pure. */

/** Columns of a text on a terminal: combining marks take none, wide characters of East Asia two. */
export const textWidth = (text: string): number => {
	let width = 0;
	for (const character of text.replaceAll(/\p{M}/gu, ''))
		width +=
			/[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}]/u.test(
				character,
			)
				? 2
				: 1;
	return width;
};

export interface Cell {
	readonly text: string;
	/** Applied after the padding is known. */
	readonly paint?: (text: string) => string;
}

/** Rows with two spaces between columns, no spaces at the end of a line. */
export const renderRows = (rows: ReadonlyArray<readonly Cell[]>): string[] => {
	const widths: number[] = [];
	for (const row of rows)
		row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, textWidth(cell.text))));
	return rows.map(row => {
		const last = row.findLastIndex(cell => cell.text !== '');
		return row
			.slice(0, last + 1)
			.map(
				({text, paint}, i) =>
					(paint?.(text) ?? text) + (i === last ? '' : ' '.repeat(widths[i]! - textWidth(text))),
			)
			.join('  ');
	});
};

/** Breaks text at spaces. The first line begins with `first`, the others with `indent`. Long words stay whole. */
export const wrap = (text: string, width: number, indent: string, first = indent): string[] => {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(/\s+/).filter(w => w !== '')) {
		const longer = line === '' ? word : `${line} ${word}`;
		if (line !== '' && textWidth(indent) + textWidth(longer) > width) {
			lines.push(line);
			line = word;
		} else line = longer;
	}
	if (line !== '') lines.push(line);
	return lines.map((l, i) => (i === 0 ? first : indent) + l);
};
