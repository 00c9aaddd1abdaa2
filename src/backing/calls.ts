/**
 * What can be done in a backing directory: synchronous calls that may hang, run in backing/worker.ts. Paths are relative to
 * the root. Everything goes through one descriptor of the root, so that no call ever falls through to the directory below
 * when the mount has gone. Failures are thrown as Node's system errors.
 */
import {randomBytes} from 'node:crypto';
import * as fs from 'node:fs';
import {posix as paths} from 'node:path';
import {errnoName, ERRNO} from '../posix/errno.ts';
import {cstring} from '../posix/libc.ts';
import {F, OFFSET_MAX, ofdSetLock} from '../posix/locks.ts';
import {lgetxattr, lsetxattr} from '../posix/xattr.ts';
import {isCode, orNull, readWhole, systemError, unless, withDescriptor, writeNew} from './files.ts';

export interface FileStat {
	readonly kind: 'file' | 'directory' | 'symlink' | 'other';
	/** Permission bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly nlink: number;
	readonly size: number;
	readonly mtimeMs: number;
	/** 64 bits, unsigned: GlusterFS derives it from the gfid. */
	readonly ino: bigint;
}

export interface Space {
	readonly totalBytes: number;
	readonly availableBytes: number;
	readonly files: number;
	readonly freeFiles: number;
}

/** Bits of open(2), asm-generic/fcntl.h; node:fs lacks this one. */
const O_PATH = 0o10000000;
const {O_RDONLY, O_RDWR, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK} = fs.constants;
/** XATTR_SIZE_MAX, linux/limits.h. */
const MAX_XATTR_BYTES = 65_536;

const kindOf = (stat: fs.BigIntStats): FileStat['kind'] =>
	stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other';

/** One backing directory; lives in one thread. */
export class BackingDirectory {
	readonly #root: string;
	readonly #device: bigint | undefined;
	#rootFd: number | undefined;
	readonly #locks = new Map<string, number>();

	/** @param device st_dev that the root must have: anything else is not the mount that was meant */
	constructor(root: string, device: bigint | undefined) {
		this.#root = root;
		this.#device = device;
	}

	/** Opened by the first call that succeeds in it, never again: a later mount at the same place is another backing. */
	protected openRoot(): number {
		if (this.#rootFd !== undefined) return this.#rootFd;
		let fd;
		try {
			fd = fs.openSync(this.#root, O_PATH | O_DIRECTORY);
		} catch (error) {
			// A root that is missing must not look like a file that is missing.
			if (isCode(error, 'ENOENT', 'ENOTDIR')) throw systemError('ENOTCONN', `no directory ${this.#root}`);
			throw error;
		}
		try {
			if (this.#device !== undefined && fs.fstatSync(fd, {bigint: true}).dev !== this.#device)
				throw systemError('ENOTCONN', `the expected filesystem is not mounted on ${this.#root}`);
		} catch (error) {
			fs.closeSync(fd);
			throw error;
		}
		this.#rootFd = fd;
		return fd;
	}

	protected path(path: string): string {
		const clean = paths.normalize(path === '' ? '.' : path);
		if (paths.isAbsolute(clean) || clean === '..' || clean.startsWith('../') || clean.includes('\0'))
			throw systemError('EINVAL', `not a path below the root: ${path}`);
		return `/proc/self/fd/${this.openRoot()}/${clean}`;
	}

	#syncParent(path: string): void {
		withDescriptor(paths.dirname(this.path(path)), O_RDONLY | O_DIRECTORY, 0, fd => fs.fsyncSync(fd));
	}

	/** A name beside `path` that nobody else uses. */
	#temporary(path: string): string {
		const name = `.${paths.basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
		return this.path(paths.join(paths.dirname(path), name));
	}

	/** @returns names in a directory, sorted; null when it is missing */
	list(path: string): string[] | null {
		return orNull(() => fs.readdirSync(this.path(path)).sort());
	}

	/** @returns null when the file is missing. Throws EFBIG when it is longer, EINVAL when it is no regular file */
	read(path: string, maxBytes: number): Buffer | null {
		const full = this.path(path);
		// O_NONBLOCK: a fifo in that place must not block the thread.
		return orNull(() =>
			withDescriptor(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, fd => readWhole(fd, maxBytes, path)),
		);
	}

	/** Replaces a file as a whole, durably: readers see the old content or the new. */
	writeAtomic(path: string, data: Uint8Array, mode: number): void {
		const temporary = this.#temporary(path);
		try {
			writeNew(temporary, data, mode);
			fs.renameSync(temporary, this.path(path));
		} catch (error) {
			orNull(() => fs.unlinkSync(temporary));
			throw error;
		}
		this.#syncParent(path);
	}

	/** Creates a file, whole and durable, unless the name exists. @returns whether it did; of several callers one wins */
	writeExclusive(path: string, data: Uint8Array, mode: number): boolean {
		const temporary = this.#temporary(path);
		try {
			writeNew(temporary, data, mode);
			if (!unless(['EEXIST'], () => fs.linkSync(temporary, this.path(path)))) return false;
		} finally {
			orNull(() => fs.unlinkSync(temporary));
		}
		this.#syncParent(path);
		return true;
	}

	/** @returns false when there is something of that name already */
	mkdir(path: string, mode: number): boolean {
		const full = this.path(path);
		if (!unless(['EEXIST'], () => fs.mkdirSync(full, {mode}))) return false;
		fs.chmodSync(full, mode);
		this.#syncParent(path);
		return true;
	}

	/** Makes a symbolic link, durably. Throws EEXIST when there is something of that name. */
	symlink(target: string, path: string): void {
		fs.symlinkSync(target, this.path(path));
		this.#syncParent(path);
	}

	/** Changes the owner of the name itself, not of what a link points to. */
	chown(path: string, uid: number, gid: number): void {
		fs.lchownSync(this.path(path), uid, gid);
	}

	/** Removes a file or an empty directory, or a whole tree. @returns false when there was none */
	remove(path: string, options: {readonly recursive?: boolean} = {}): boolean {
		const full = this.path(path);
		const stat = orNull(() => fs.lstatSync(full));
		if (stat === null) return false;
		if (options.recursive === true) fs.rmSync(full, {recursive: true, force: true});
		else if (stat.isDirectory()) fs.rmdirSync(full);
		else fs.unlinkSync(full);
		this.#syncParent(path);
		return true;
	}

	/** Replaces what `to` is, as rename(2) does, durably. */
	rename(from: string, to: string): void {
		fs.renameSync(this.path(from), this.path(to));
		this.#syncParent(to);
		if (paths.dirname(from) !== paths.dirname(to)) this.#syncParent(from);
	}

	/** Of the name itself, not of what a link points to; null when it is missing. */
	stat(path: string): FileStat | null {
		const stat = orNull(() => fs.lstatSync(this.path(path), {bigint: true}));
		if (stat === null) return null;
		return {
			kind: kindOf(stat),
			mode: Number(stat.mode & 0o7777n),
			uid: Number(stat.uid),
			gid: Number(stat.gid),
			nlink: Number(stat.nlink),
			size: Number(stat.size),
			mtimeMs: Number(stat.mtimeMs),
			ino: BigInt.asUintN(64, stat.ino),
		};
	}

	statfs(): Space {
		const s = fs.statfsSync(this.path(''));
		return {
			totalBytes: s.blocks * s.bsize,
			availableBytes: s.bavail * s.bsize,
			files: s.files,
			freeFiles: s.ffree,
		};
	}

	/** @returns null when the file has no such attribute */
	getxattr(path: string, name: string): Buffer | null {
		const value = Buffer.alloc(MAX_XATTR_BYTES);
		const size = lgetxattr(cstring(this.path(path)), cstring(name), value);
		if (size >= 0) return value.subarray(0, size);
		if (size === -ERRNO.ENODATA) return null;
		throw systemError(errnoName(size), `getxattr ${name} of ${path}`);
	}

	setxattr(path: string, name: string, value: Uint8Array): void {
		const result = lsetxattr(cstring(this.path(path)), cstring(name), Buffer.from(value));
		if (result < 0) throw systemError(errnoName(result), `setxattr ${name} of ${path}`);
	}

	/**
	 * Takes a lock on a file (made when missing), which excludes every other holder, on other nodes too. It is held until
	 * `unlock`, the end of this backing or of the process.
	 * @returns false when somebody else has it; true also when this backing has it already
	 */
	tryLock(path: string): boolean {
		if (this.#locks.has(path)) return true;
		const fd = fs.openSync(this.path(path), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
		const result = ofdSetLock(fd, F.WRLCK, 0n, OFFSET_MAX);
		if (result >= 0) {
			this.#locks.set(path, fd);
			return true;
		}
		fs.closeSync(fd);
		if (result === -ERRNO.EAGAIN || result === -ERRNO.EACCES) return false;
		throw systemError(errnoName(result), `lock ${path}`);
	}

	/** @returns false when this backing did not have that lock */
	unlock(path: string): boolean {
		const fd = this.#locks.get(path);
		if (fd === undefined) return false;
		this.#locks.delete(path);
		fs.closeSync(fd);
		return true;
	}

	/** Releases locks and the root; nothing works afterwards. */
	close(): void {
		for (const fd of this.#locks.values()) unless(['ENOTCONN', 'EIO'], () => fs.closeSync(fd));
		this.#locks.clear();
		if (this.#rootFd !== undefined) fs.closeSync(this.#rootFd);
		this.#rootFd = undefined;
	}
}

/** The calls, by name. */
export type BackingCalls = Pick<
	BackingDirectory,
	| 'list'
	| 'read'
	| 'writeAtomic'
	| 'writeExclusive'
	| 'mkdir'
	| 'symlink'
	| 'chown'
	| 'remove'
	| 'rename'
	| 'stat'
	| 'statfs'
	| 'getxattr'
	| 'setxattr'
	| 'tryLock'
	| 'unlock'
>;
