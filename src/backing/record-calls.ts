/** Further calls of a backing's thread: for what grows at its end, and for looking at many files at once. */
import {createHash} from 'node:crypto';
import * as fs from 'node:fs';
import {errnoName, ERRNO} from '../posix/errno.ts';
import {close, openat} from '../posix/files.ts';
import {AT, cstring, EMPTY_PATH} from '../posix/libc.ts';
import {O} from '../posix/open-flags.ts';
import {statx, STATX, STATX_SIZE} from '../posix/statx.ts';
import {BackingDirectory, type BackingCalls} from './calls.ts';
import {orNull, readWhole, systemError, withDescriptor, writeOver} from './files.ts';

/** How a file is; the names of `FileState` in src/journal/record.ts. */
export interface StateOfFile {
	/** 16 hexadecimal digits. */
	readonly ino: string;
	readonly size: number;
	readonly mtimeSec: number;
	readonly mtimeNsec: number;
	/** Type and permission bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
}

/** A file whose content was kept. */
export interface KeptFile extends StateOfFile {
	/** SHA-256 of the content, 64 hexadecimal digits. */
	readonly hash: string;
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const SLASH = 0x2f;
const {O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK} = fs.constants;
/** No path is deeper: PATH_MAX / 2. */
const DEPTH_MAX = 2048;

const componentsOf = (path: Uint8Array): Uint8Array[] => {
	const parts: Uint8Array[] = [];
	let start = 0;
	for (let at = 0; at <= path.length; at++) {
		if (at < path.length && path[at] !== SLASH) continue;
		if (at > start) parts.push(path.subarray(start, at));
		start = at + 1;
	}
	const text = parts.map(part => Buffer.from(part).toString('latin1'));
	if (text.includes('..') || text.includes('.') || parts.length > DEPTH_MAX || path.includes(0))
		throw systemError('EINVAL', 'not a path below the root');
	return parts;
};

/** What is not there, or is behind something that is no directory: a symbolic link, too. */
const isMissing = (errno: number): boolean =>
	errno === -ERRNO.ENOENT || errno === -ERRNO.ENOTDIR || errno === -ERRNO.ELOOP || errno === -ERRNO.ESTALE;

const stateFrom = (attributes: Buffer): StateOfFile => ({
	ino: attributes.readBigUInt64LE(STATX.ino).toString(16).padStart(16, '0'),
	size: Number(attributes.readBigUInt64LE(STATX.size)),
	mtimeSec: Number(attributes.readBigInt64LE(STATX.mtimeSec)),
	mtimeNsec: attributes.readUInt32LE(STATX.mtimeNsec),
	mode: attributes.readUInt16LE(STATX.mode),
	uid: attributes.readUInt32LE(STATX.uid),
	gid: attributes.readUInt32LE(STATX.gid),
});

export class RecordDirectory extends BackingDirectory {
	readonly #attributes = Buffer.alloc(STATX_SIZE);

	/**
	 * Puts bytes at the end of a file, which is made with `mode` when missing. Not brought to disk by force: the servers
	 * have it when this returns, as with any write(2).
	 * @returns the file's size afterwards
	 */
	append(path: string, data: Uint8Array, mode: number): number {
		return withDescriptor(this.path(path), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode, fd => {
			for (let at = 0; at < data.length;) at += fs.writeSync(fd, data, at);
			return fs.fstatSync(fd).size;
		});
	}

	/** At most `maxBytes` from `offset` on; empty at the end; null when there is no such file. */
	readAt(path: string, offset: number, maxBytes: number): Buffer | null {
		const full = this.path(path);
		return orNull(() =>
			withDescriptor(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, fd => {
				const into = Buffer.allocUnsafe(maxBytes);
				let size = 0;
				for (let n = 1; n > 0 && size < maxBytes; size += n)
					n = fs.readSync(fd, into, size, maxBytes - size, offset + size);
				return into.subarray(0, size);
			}),
		);
	}

	/** What is found under each path (names are bytes), no symbolic link followed on the way; null where nothing is. */
	states(paths: readonly Uint8Array[]): Array<StateOfFile | null> {
		return paths.map(path =>
			this.beneath(path, O.PATH | O.NOFOLLOW, fd => {
				const result = statx(fd, EMPTY_PATH, AT.EMPTY_PATH, this.#attributes);
				if (isMissing(result)) return null;
				if (result < 0) throw systemError(errnoName(result), 'statx');
				return stateFrom(this.#attributes);
			}),
		);
	}

	/**
	 * Keeps the content of a regular file of at most `maxBytes` in `directory`, under the SHA-256 of its bytes: what is
	 * there already is not written again.
	 * @returns null when there is no such file, or it is larger
	 */
	keep(path: Uint8Array, directory: string, maxBytes: number): KeptFile | null {
		return this.beneath(path, O.RDONLY | O.NOFOLLOW | O.NONBLOCK, fd => {
			if (statx(fd, EMPTY_PATH, AT.EMPTY_PATH, this.#attributes) < 0) return null;
			const state = stateFrom(this.#attributes);
			if ((state.mode & S_IFMT) !== S_IFREG || state.size > maxBytes) return null;
			const content = readWhole(fd, maxBytes, 'the file');
			const hash = createHash('sha256').update(content).digest('hex');
			const object = `${directory}/${hash}`;
			const full = this.path(object);
			// One that was cut off while it was written is shorter, and whoever reads it compares it with its name: no need
			// to write it under another name first, which would be twice as many changes on all servers.
			if (orNull(() => fs.statSync(full).size) !== content.length) writeOver(full, content, 0o600);
			return {...state, size: content.length, hash};
		});
	}

	/**
	 * Runs `use` with a descriptor of what the path names. Every part but the last is a directory of the tree itself: a
	 * symbolic link, put there by whoever may write, leads nowhere.
	 * @returns null when there is no such thing
	 */
	protected beneath<T>(path: Uint8Array, flags: number, use: (fd: number) => T): T | null {
		const parts = componentsOf(path);
		let fd = openat(this.openRoot(), cstring('.'), O.PATH | O.DIRECTORY | O.CLOEXEC);
		for (const [i, part] of parts.entries()) {
			if (fd < 0) break;
			const last = i === parts.length - 1;
			const wanted = last ? flags : O.PATH | O.DIRECTORY | O.NOFOLLOW;
			const next = openat(fd, cstring(part), wanted | O.CLOEXEC);
			close(fd);
			fd = next;
		}
		if (isMissing(fd)) return null;
		if (fd < 0) throw systemError(errnoName(fd), Buffer.from(path).toString());
		try {
			return use(fd);
		} finally {
			close(fd);
		}
	}
}

/** The calls, by name. */
export type AllCalls = BackingCalls & Pick<RecordDirectory, 'append' | 'readAt' | 'states' | 'keep'>;
