/** Keeps the journal's counter over restarts: numbers are reserved ahead, so that one is never given twice. */
import {closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync} from 'node:fs';
import path from 'node:path';
import {z} from 'zod';
import {decodeJson, encodeJson} from '../membership/decode.ts';

const FILE = 'journal.json';
const MAX_BYTES = 4096;
/** So many numbers are passed over after a run that did not end by itself. */
const RESERVE = 1 << 16;

const schema = z.object({format: z.literal(1), next: z.int().nonnegative(), clean: z.boolean()});
type Kept = z.infer<typeof schema>;

const read = (file: string): Kept | undefined => {
	try {
		const decoded = decodeJson(readFileSync(file), schema, MAX_BYTES);
		return decoded.ok ? decoded.value : undefined;
	} catch {
		return undefined;
	}
};

const write = (file: string, kept: Kept): void => {
	const temporary = `${file}.new`;
	const fd = openSync(temporary, 'w', 0o600);
	try {
		writeSync(fd, encodeJson(kept));
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
	renameSync(temporary, file);
};

export class JournalCounter {
	readonly #file: string;
	/** The last number that was given before this run. */
	readonly start: number;
	/** Whether the run before ended by itself; true for the first one. */
	readonly cleanly: boolean;
	#reserved: number;

	/**
	 * @param directory hekafsd's --state
	 * @param nowMs where a node without a memory begins: past every number that it gave before, one a millisecond
	 */
	constructor(directory: string, nowMs: number = Date.now()) {
		this.#file = path.join(directory, FILE);
		const kept = read(this.#file);
		this.start = kept?.next ?? nowMs;
		this.cleanly = kept?.clean ?? true;
		this.#reserved = this.start + RESERVE;
		write(this.#file, {format: 1, next: this.#reserved, clean: false});
	}

	/** To be called again and again with the last number given. */
	used(counter: number): void {
		if (counter < this.#reserved - RESERVE / 2) return;
		this.#reserved = counter + RESERVE;
		write(this.#file, {format: 1, next: this.#reserved, clean: false});
	}

	/** This run has not begun after all. */
	undo(): void {
		write(this.#file, {format: 1, next: this.start, clean: this.cleanly});
	}

	/** The run has ended and its records are written. */
	close(counter: number): void {
		write(this.#file, {format: 1, next: counter, clean: true});
	}
}
