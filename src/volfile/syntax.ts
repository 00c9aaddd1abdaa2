/** The syntax of GlusterFS volfiles: translators, bottom first, one `volume … end-volume` block each. */
import {HekafsError} from '../errors.ts';

/** One translator of a graph. Options keep their order. */
export interface Translator {
	readonly name: string;
	/** E.g. `cluster/replicate`. */
	readonly type: string;
	readonly options: Readonly<Record<string, string | number>>;
	/** Names of translators above which this one stands; they come earlier in the file. */
	readonly subvolumes: readonly string[];
}

/** What GlusterFS' lexer takes as one word, less the quotes, comments, backquotes and braces that mean something to it. */
const WORD = /^[A-Za-z0-9_.,:/@%+=*-]+$/;

/**
 * The text of one word. The volfile grammar has no escape for a quote or a newline, so what isn't plainly a word is refused.
 * @throws HekafsError HEKAFS_STATE_INVALID
 */
export const word = (what: string, value: string | number): string => {
	const text = String(value);
	if (WORD.test(text)) return text;
	throw new HekafsError('HEKAFS_STATE_INVALID', `${what} can't stand in a volfile: ${JSON.stringify(text)}`, {
		remedy: 'Use only letters, digits and . _ - / : in paths and addresses; no blanks.',
	});
};

const translatorText = ({name, type, options, subvolumes}: Translator): string => {
	const lines = [
		`volume ${word('translator name', name)}`,
		`    type ${word('translator type', type)}`,
		...Object.entries(options).map(
			([key, value]) => `    option ${word('option name', key)} ${word(`option ${key}`, value)}`,
		),
	];
	if (subvolumes.length > 0)
		lines.push(`    subvolumes ${subvolumes.map(s => word('subvolume', s)).join(' ')}`);
	lines.push('end-volume');
	return lines.join('\n');
};

/** The text of a whole graph. @throws HekafsError HEKAFS_STATE_INVALID on a value that isn't one word */
export const formatVolfile = (translators: readonly Translator[]): string =>
	`${translators.map(translatorText).join('\n\n')}\n`;
