/**
 * A program that writes below a directory as scripts do, again and again, and says in the end what became of it:
 * `node writer.js ROOT NAME STOPFILE`: ends when STOPFILE exists, or after two minutes. Standard output: one WriterReport.
 */
import fs from 'node:fs';
import path from 'node:path';

export interface WriterReport {
	readonly rounds: number;
	/** Operation, errno and system call of what failed, with the time since the start in ms. */
	readonly failures: readonly string[];
	/** The longest round, in ms: how long a script would have paused. */
	readonly longestMs: number;
	/** Acknowledged appends that are not in the file. */
	readonly lost: readonly number[];
	/** Lines more than appends. */
	readonly duplicates: number;
}

const PAUSE_MS = 10;
const LIMIT_MS = 120_000;

const append = (file: string, line: string): void => fs.appendFileSync(file, `${line}\n`);
const replace = (file: string, text: string): void => {
	fs.writeFileSync(`${file}.new`, text);
	fs.renameSync(`${file}.new`, file);
};
const overwrite = (file: string, text: string): void => {
	const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT);
	try {
		fs.writeSync(fd, text, 0);
	} finally {
		fs.closeSync(fd);
	}
};
const comeAndGo = (directory: string): void => {
	// What a failed attempt has left is no failure of this one.
	if (fs.existsSync(directory)) fs.rmdirSync(directory);
	fs.mkdirSync(directory);
	fs.rmdirSync(directory);
};

const run = (root: string, name: string, stopFile: string): WriterReport => {
	const at = (file: string): string => path.join(root, `${file}-${name}`);
	const start = performance.now();
	const failures: string[] = [];
	const acknowledged: number[] = [];
	const attempt = (what: string, action: () => void): boolean => {
		try {
			action();
			return true;
		} catch (error) {
			const {code = 'failed', syscall = ''} = error as NodeJS.ErrnoException;
			failures.push(`${what} ${code} ${syscall} at ${Math.round(performance.now() - start)}`);
			return false;
		}
	};
	let rounds = 0;
	let longestMs = 0;
	const sleeping = new Int32Array(new SharedArrayBuffer(4));
	while (!fs.existsSync(stopFile) && performance.now() - start < LIMIT_MS) {
		const before = performance.now();
		const round = ++rounds;
		if (attempt('append', () => append(at('log'), String(round)))) acknowledged.push(round);
		attempt('replace', () => replace(at('now'), String(round)));
		attempt('overwrite', () => overwrite(at('in-place'), String(round)));
		attempt('mkdir', () => comeAndGo(at('directory')));
		longestMs = Math.max(longestMs, performance.now() - before);
		Atomics.wait(sleeping, 0, 0, PAUSE_MS);
	}
	const lines = fs.readFileSync(at('log'), 'utf8').trim().split('\n').map(Number);
	const found = new Set(lines);
	return {
		rounds,
		failures,
		longestMs: Math.round(longestMs),
		lost: acknowledged.filter(round => !found.has(round)),
		duplicates: lines.length - found.size,
	};
};

const [root, name, stopFile] = process.argv.slice(2);
if (root !== undefined && name !== undefined && stopFile !== undefined) {
	process.stdout.write(`${JSON.stringify(run(root, name, stopFile))}\n`);
}
