/** HTML from templates: what is put in is escaped, unless it is HTML already. */

/** A piece of HTML that is safe to put into another. */
export class Html {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}
}

const ESCAPES: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

/** Fit for text and for quoted attributes; control characters, which HTML has no way to write, become spaces. */
export const escapeHtml = (text: string): string =>
	text
		// eslint-disable-next-line no-control-regex -- removing them is the point
		.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
		.replaceAll(/[&<>"']/g, character => ESCAPES[character]!);

export type HtmlPart = string | number | Html | readonly Html[];

const partText = (part: HtmlPart): string => {
	if (part instanceof Html) return part.text;
	return typeof part === 'object' ? part.map(each => each.text).join('') : escapeHtml(String(part));
};

/** The template's own text as it is, its values escaped. Attributes must be quoted in the template. */
export const markup = (texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html =>
	new Html(texts.map((text, i) => text + (i < parts.length ? partText(parts[i]!) : '')).join(''));

export const NOTHING = new Html('');
