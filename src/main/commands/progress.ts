/** How far an operation is, on standard error: a bar on a terminal, else one line per step. */
import {SingleBar} from 'cli-progress';
import {type Terminal} from './terminal.ts';

export interface Progress {
	step(text: string, done: number | undefined, total: number | undefined): void;
	/** Removes an unfinished line, so that what follows begins at its own. */
	clear(): void;
}

/** A figure that comes again under the same text is work that goes on, and has a rate. */
export class RateMeter {
	#text: string | undefined;
	#startMs = 0;
	#startDone = 0;
	readonly #now: () => number;

	/** @param now milliseconds, monotonic */
	constructor(now: () => number = () => performance.now()) {
		this.#now = now;
	}

	/** @returns entries per second since the text first came; undefined the first time */
	take(text: string, done: number): number | undefined {
		if (text !== this.#text) {
			this.#text = text;
			this.#startMs = this.#now();
			this.#startDone = done;
			return undefined;
		}
		const seconds = (this.#now() - this.#startMs) / 1000;
		return seconds <= 0 ? undefined : (done - this.#startDone) / seconds;
	}
}

/** `120 done, 340 pending, 45/s` for work that goes on, `3 of 18` for steps, `` for neither. Pure. */
export const countText = (
	done: number | undefined,
	total: number | undefined,
	rate: number | undefined,
): string => {
	if (done === undefined) return '';
	if (total === undefined) return String(done);
	if (rate === undefined) return `${done} of ${total}`;
	return `${done} done, ${Math.max(0, total - done)} pending, ${Math.round(rate)}/s`;
};

const BAR_WIDTH = 24;

/** The bar is drawn by cli-progress; its line is removed before anything else is written. */
const barOn = (terminal: Terminal): Progress => {
	const meter = new RateMeter();
	let bar: SingleBar | undefined;
	const clear = (): void => {
		bar?.stop();
		bar = undefined;
	};
	return {
		clear,
		step(text, done, total) {
			const line = text.replaceAll('\n', ' ');
			const rate = done === undefined ? undefined : meter.take(text, done);
			if (done === undefined || total === undefined) {
				clear();
				terminal.err(`${line}\n`);
				return;
			}
			const count = countText(done, total, rate);
			const room = Math.max(20, terminal.width - BAR_WIDTH - count.length - 6);
			const payload = {line: line.slice(0, room), count};
			if (bar === undefined) {
				bar = new SingleBar({
					stream: terminal.errStream,
					format: '[{bar}] {count} {line}',
					barsize: BAR_WIDTH,
					barCompleteChar: '#',
					barIncompleteChar: '-',
					hideCursor: false,
					clearOnComplete: true,
					linewrap: false,
				});
				bar.start(Math.max(1, total), done, payload);
			} else {
				bar.setTotal(Math.max(1, total));
				bar.update(done, payload);
			}
		},
	};
};

/** One line for each step, and for each change of its figures. */
const linesOn = (terminal: Terminal): Progress => {
	const meter = new RateMeter();
	let last = '';
	return {
		clear: () => undefined,
		step(text, done, total) {
			const rate = done === undefined ? undefined : meter.take(text, done);
			const figures = `${text}/${done}/${total}`;
			if (figures === last) return;
			last = figures;
			const count = countText(done, total, rate);
			terminal.err(`${text.replaceAll('\n', ' ')}${count === '' ? '' : ` (${count})`}\n`);
		},
	};
};

export const progressOn = (terminal: Terminal): Progress =>
	terminal.errIsTerminal ? barOn(terminal) : linesOn(terminal);
