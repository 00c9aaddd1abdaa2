/**
 * A program that makes and removes files below a directory until it is killed, and keeps a ledger elsewhere:
 * `node crash-writer.js DIRECTORY LEDGER STOPFILE`. The ledger has a line before and after each operation: `try make 7`,
 * `did make 7`, `try remove 2`, … What was tried and not done may or may not have happened.
 */
import fs from 'node:fs';
import path from 'node:path';

/** How long a file lives, counted in files. */
const KEPT = 5;
const PAUSE_MS = 20;
const LIMIT_MS = 300_000;

const run = (directory: string, ledger: string, stopFile: string): void => {
	const fd = fs.openSync(ledger, 'a');
	const sleeping = new Int32Array(new SharedArrayBuffer(4));
	const attempt = (what: string, action: () => void): void => {
		fs.writeSync(fd, `try ${what}\n`);
		try {
			action();
			fs.writeSync(fd, `did ${what}\n`);
		} catch (error) {
			fs.writeSync(fd, `# ${what}: ${(error as NodeJS.ErrnoException).code ?? String(error)}\n`);
		}
	};
	const start = performance.now();
	for (let n = 1; !fs.existsSync(stopFile) && performance.now() - start < LIMIT_MS; n++) {
		const file = (number: number): string => path.join(directory, String(number));
		attempt(`make ${n}`, () => fs.writeFileSync(file(n), `content ${n}\n`, {flag: 'wx'}));
		// Every other file stays for good.
		if (n > KEPT && n % 2 === 0) attempt(`remove ${n - KEPT}`, () => fs.unlinkSync(file(n - KEPT)));
		Atomics.wait(sleeping, 0, 0, PAUSE_MS);
	}
};

const [directory, ledger, stopFile] = process.argv.slice(2);
if (directory !== undefined && ledger !== undefined && stopFile !== undefined)
	run(directory, ledger, stopFile);
