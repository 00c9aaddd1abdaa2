/** Small synchronous file operations of the backing's thread, and how they treat expected errors. */
import * as fs from 'node:fs';

const {O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_TRUNC} = fs.constants;
const CHUNK_BYTES = 65_536;

/** An error as node:fs throws it. */
export const systemError = (code: string, what: string): NodeJS.ErrnoException =>
	Object.assign(new Error(`${code}: ${what}`), {code});

/** Whether an error is one of these system errors. */
export const isCode = (error: unknown, ...codes: string[]): boolean =>
	codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** Runs `f`; what is not there is null. */
export const orNull = <T>(f: () => T): T | null => {
	try {
		return f();
	} catch (error) {
		if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
		throw error;
	}
};

/** Runs `f`; false instead of one of these errors. */
export const unless = (codes: readonly string[], f: () => void): boolean => {
	try {
		f();
		return true;
	} catch (error) {
		if (isCode(error, ...codes)) return false;
		throw error;
	}
};

/** Opens a file for as long as `f` runs. */
export const withDescriptor = <T>(path: string, flags: number, mode: number, f: (fd: number) => T): T => {
	const fd = fs.openSync(path, flags, mode);
	try {
		return f(fd);
	} finally {
		fs.closeSync(fd);
	}
};

/** Throws EFBIG when there are more bytes, EINVAL when it is no regular file. */
export const readWhole = (fd: number, maxBytes: number, path: string): Buffer => {
	// Not trusted for the length: files in `.meta` say 0.
	if (!fs.fstatSync(fd).isFile()) throw systemError('EINVAL', `not a regular file: ${path}`);
	const chunks: Buffer[] = [];
	for (let total = 0; ;) {
		const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, maxBytes + 1 - total));
		const n = fs.readSync(fd, chunk);
		if (n === 0) return Buffer.concat(chunks);
		total += n;
		if (total > maxBytes) throw systemError('EFBIG', `longer than ${maxBytes} bytes: ${path}`);
		chunks.push(chunk.subarray(0, n));
	}
};

/** Makes a file, or replaces its content: not at once for who reads it meanwhile, and not brought to disk by force. */
export const writeOver = (path: string, data: Uint8Array, mode: number): void =>
	withDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, fd => {
		for (let at = 0; at < data.length;) at += fs.writeSync(fd, data, at);
	});

/** Makes a file that must not exist, writes it and brings it to disk. */
export const writeNew = (path: string, data: Uint8Array, mode: number): void =>
	withDescriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, fd => {
		for (let at = 0; at < data.length;) at += fs.writeSync(fd, data, at);
		// Exactly this mode, whatever the umask.
		fs.fchmodSync(fd, mode);
		fs.fsyncSync(fd);
	});
