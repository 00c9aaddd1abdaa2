/** Where a command writes: standard output for results, standard error for progress and errors; colours only on a terminal. */
import {createInterface} from 'node:readline/promises';

/** What a command may write to and ask. */
export interface Terminal {
	/** Writes to standard output as it is. */
	readonly out: (text: string | Uint8Array) => void;
	/** Writes to standard error as it is. */
	readonly err: (text: string) => void;
	readonly outColours: boolean;
	/** Whether what was shown may be cleared away. */
	readonly outIsTerminal: boolean;
	/** Whether progress may overwrite its own line. */
	readonly errIsTerminal: boolean;
	/** Standard error itself, for what moves the cursor; used on a terminal only. */
	readonly errStream: NodeJS.WritableStream;
	/** Asks a question on standard error and reads a line; undefined when nobody is there to answer. */
	readonly ask: (question: string, signal: AbortSignal) => Promise<string | undefined>;
	/** Columns of standard output; 100 when it is no terminal. */
	readonly width: number;
}

const ask = async (question: string, signal: AbortSignal): Promise<string | undefined> => {
	if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
	const lines = createInterface({input: process.stdin, output: process.stderr});
	try {
		return await lines.question(question, {signal});
	} finally {
		lines.close();
	}
};

export const processTerminal = (): Terminal => ({
	out: text => void process.stdout.write(text),
	err: text => void process.stderr.write(text),
	outColours: process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb',
	outIsTerminal: process.stdout.isTTY,
	errIsTerminal: process.stderr.isTTY,
	errStream: process.stderr,
	ask,
	width: Math.max(60, process.stdout.isTTY ? process.stdout.columns : 100),
});

const CODES = {bold: 1, dim: 2, red: 31, green: 32, yellow: 33} as const;
export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

export const painter =
	(colours: boolean): Paint =>
	(colour, text) =>
		colours ? `\u001B[${CODES[colour]}m${text}\u001B[0m` : text;
