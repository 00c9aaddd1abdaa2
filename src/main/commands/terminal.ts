/** Where a command writes: standard output for results, standard error for progress and errors; colours only on a terminal. */
export interface Terminal {
	/** Writes to standard output as it is. */
	readonly out: (text: string) => void;
	/** Writes to standard error as it is. */
	readonly err: (text: string) => void;
	readonly outColours: boolean;
	/** Whether progress may overwrite its own line. */
	readonly errIsTerminal: boolean;
	/** Columns of standard output; 100 when it is no terminal. */
	readonly width: number;
}

export const processTerminal = (): Terminal => ({
	out: text => void process.stdout.write(text),
	err: text => void process.stderr.write(text),
	outColours: process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb',
	errIsTerminal: process.stderr.isTTY,
	width: Math.max(60, process.stdout.isTTY ? process.stdout.columns : 100),
});

const CODES = {bold: 1, dim: 2, red: 31, green: 32, yellow: 33} as const;
export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour, text: string) => string;

export const painter =
	(colours: boolean): Paint =>
	(colour, text) =>
		colours ? `\u001B[${CODES[colour]}m${text}\u001B[0m` : text;

export interface Progress {
	step(text: string, done: number | undefined, total: number | undefined): void;
	/** Removes an unfinished line, so that what follows begins at its own. */
	clear(): void;
}

/** On a terminal one line that is overwritten, else one line per step. */
export const progressOn = (terminal: Terminal): Progress => {
	let shown = false;
	const clear = (): void => {
		if (shown) terminal.err('\r\u001B[K');
		shown = false;
	};
	return {
		clear,
		step(text, done, total) {
			const count = done === undefined ? '' : total === undefined ? ` (${done})` : ` (${done} of ${total})`;
			const line = `${text.replaceAll('\n', ' ')}${count}`;
			if (!terminal.errIsTerminal) {
				terminal.err(`${line}\n`);
				return;
			}
			clear();
			terminal.err(line.slice(0, terminal.width - 1));
			shown = true;
		},
	};
};
