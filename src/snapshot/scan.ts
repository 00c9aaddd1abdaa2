/** Looks at the backing filesystem and takes over what differs from the tree before. Blocks, and may hang with the mount. */
import {crc32} from 'node:zlib';
import {errnoName, ERRNO} from '../posix/errno.ts';
import {close, openat, pread} from '../posix/files.ts';
import {AT, AT_FDCWD, cstring, type CString, EMPTY_PATH} from '../posix/libc.ts';
import {readlinkat} from '../posix/names.ts';
import {O} from '../posix/open-flags.ts';
import {statx, STATX_SIZE} from '../posix/statx.ts';
import {namesOf} from './names-of.ts';
import {ScanEnd, type ScanOptions} from './scan-end.ts';
import {
	type Content,
	type CopyNode,
	type CopyTree,
	inoOf,
	keepAttributes,
	sameStamp,
	sizeOf,
	TYPE,
	typeOf,
} from './tree.ts';
import {readXattrs} from './xattrs.ts';

const HIDDEN = '.hekafs';
const CHUNK = 1 << 20;
const LIST_BYTES = 65536;
/** A file that changes under each of so many readings is taken over at the next look. */
const READINGS = 3;

/** The one fault of a name, not of the mount. */
const isGone = (errno: number): boolean => errno === -ERRNO.ENOENT || errno === -ERRNO.ESTALE;

export class Scan {
	readonly #o: ScanOptions;
	readonly #root: number;
	readonly #statx = Buffer.alloc(STATX_SIZE);
	readonly #after = Buffer.alloc(STATX_SIZE);
	readonly #chunk = Buffer.alloc(CHUNK);
	readonly #list = Buffer.alloc(LIST_BYTES);
	#before: CopyTree | undefined;
	/** What this look found different. */
	changes = 0;
	/** Names that could not be read: they are as they were before. */
	unreadable = 0;
	#bytes = 0;

	/** @throws ScanEnd */
	constructor(options: ScanOptions) {
		this.#o = options;
		this.#root = openat(AT_FDCWD, cstring(options.root), O.PATH | O.DIRECTORY | O.CLOEXEC);
		if (this.#root < 0) throw new ScanEnd('lost', `${options.root}: ${errnoName(this.#root)}`);
	}

	close(): void {
		close(this.#root);
	}

	/** Looks at everything. @throws ScanEnd */
	all(before: CopyTree | undefined): CopyTree {
		this.#before = before;
		this.changes = 0;
		this.unreadable = 0;
		this.#bytes = 0;
		const nodes = new Map<bigint, CopyNode>();
		// A descriptor of its own: reading a directory moves the position.
		const fd = this.#open([], O.RDONLY);
		if (fd < 0) throw new ScanEnd('lost', errnoName(fd));
		let root: bigint;
		try {
			root = this.#directory(fd, nodes, true);
		} finally {
			close(fd);
		}
		if (before !== undefined) this.changes += [...before.nodes.keys()].filter(ino => !nodes.has(ino)).length;
		return {root, nodes};
	}

	/**
	 * Looks at one name, or at one file itself, in a tree that is changed in place.
	 * @param path names from the root on; empty: the root
	 * @returns false when the tree has no such directory: look at everything then
	 */
	one(tree: CopyTree, path: readonly string[]): boolean {
		this.#before = tree;
		// Not opened for reading: that would be another request to the servers.
		const fd = this.#open(path.slice(0, -1), O.PATH);
		if (fd < 0) return false;
		try {
			const parent = this.#stat(fd, EMPTY_PATH, AT.EMPTY_PATH);
			if (parent < 0) return false;
			const ino = inoOf(this.#statx);
			const directory = tree.nodes.get(ino);
			if (directory?.children === undefined) return false;
			const children = new Map(directory.children);
			const statxNow = keepAttributes(this.#statx);
			const name = path.at(-1);
			if (name !== undefined) {
				const child = this.#name(fd, name, tree.nodes);
				if (child === undefined) children.delete(name);
				else children.set(name, child);
			}
			tree.nodes.set(ino, {
				...directory,
				statx: statxNow,
				children,
				xattrs: name === undefined ? readXattrs(fd, undefined) : directory.xattrs,
			});
			return true;
		} finally {
			close(fd);
		}
	}

	#open(path: readonly string[], access: number): number {
		let fd = openat(this.#root, cstring('.'), access | O.DIRECTORY | O.CLOEXEC);
		for (const name of path) {
			if (fd < 0) return fd;
			const next = openat(
				fd,
				cstring(Buffer.from(name, 'latin1')),
				access | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC,
			);
			close(fd);
			fd = next;
		}
		return fd;
	}

	#stat(fd: number, name: CString, flags: number, into = this.#statx): number {
		return statx(fd, name, flags | AT.NO_AUTOMOUNT, into);
	}

	/** A mount that fails gives nothing that may be taken over; one failing name is another thing. */
	#failed(what: string, errno: number): void {
		if (isGone(errno)) return;
		const root = this.#stat(this.#root, EMPTY_PATH, AT.EMPTY_PATH | AT.STATX_FORCE_SYNC, this.#after);
		if (root < 0) throw new ScanEnd('lost', `${what}: ${errnoName(errno)}`);
		this.unreadable++;
	}

	#count(bytes: number): void {
		this.#bytes += bytes;
		if (this.#bytes > this.#o.limitBytes)
			throw new ScanEnd('too large', `more than ${this.#o.limitBytes} bytes of content`);
	}

	/** @returns the directory's inode number */
	#directory(fd: number, nodes: Map<bigint, CopyNode>, isRoot: boolean): bigint {
		const result = this.#stat(fd, EMPTY_PATH, AT.EMPTY_PATH);
		if (result < 0) throw new ScanEnd('lost', `a directory that is open: ${errnoName(result)}`);
		const kept = keepAttributes(this.#statx);
		const ino = inoOf(kept);
		const before = this.#before?.nodes.get(ino);
		const same = before !== undefined && sameStamp(before.statx, kept);
		if (!same) this.changes++;
		const children = new Map<string, bigint>();
		// Before its children: a ring of directories, made by a move meanwhile, must end.
		nodes.set(ino, {statx: kept, content: undefined, target: undefined, xattrs: [], children});
		for (const name of namesOf(fd)) {
			if (isRoot && name === HIDDEN) continue;
			const child = this.#name(fd, name, nodes);
			if (child !== undefined) children.set(name, child);
		}
		nodes.set(ino, {
			statx: kept,
			content: undefined,
			target: undefined,
			xattrs: same ? before.xattrs : readXattrs(fd, undefined),
			children,
		});
		return ino;
	}

	/** @returns the inode number of what the name is, which is in `nodes` then; undefined when it is gone */
	#name(directory: number, name: string, nodes: Map<bigint, CopyNode>): bigint | undefined {
		if (!this.#o.live()) throw new ScanEnd('stopped', 'another generation is followed');
		const cname = cstring(Buffer.from(name, 'latin1'));
		const result = this.#stat(directory, cname, AT.SYMLINK_NOFOLLOW);
		if (result < 0) {
			this.#failed(name, result);
			return isGone(result) ? undefined : this.#asBefore(directory, name, nodes);
		}
		const statxNow = keepAttributes(this.#statx);
		const ino = inoOf(statxNow);
		const type = typeOf(statxNow);
		const known = this.#before?.nodes.get(ino);
		const same = known !== undefined && sameStamp(known.statx, statxNow);
		if (nodes !== this.#before?.nodes && nodes.has(ino)) return ino;
		if (type === TYPE.directory) {
			if (nodes === this.#before?.nodes && known?.children !== undefined) {
				nodes.set(ino, {
					...known,
					statx: statxNow,
					xattrs: same ? known.xattrs : readXattrs(directory, cname),
				});
				return ino;
			}
			const fd = openat(directory, cname, O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC);
			if (fd < 0) {
				this.#failed(name, fd);
				return isGone(fd) ? undefined : this.#asBefore(directory, name, nodes);
			}
			try {
				return this.#directory(fd, nodes, false);
			} finally {
				close(fd);
			}
		}
		if (same) {
			this.#count(known.content?.length ?? 0);
			nodes.set(ino, known);
			return ino;
		}
		this.changes++;
		const read =
			type === TYPE.regular ? this.#file(directory, cname) : this.#other(directory, cname, statxNow);
		if (typeof read === 'number') {
			this.#failed(name, read);
			return isGone(read) ? undefined : this.#asBefore(directory, name, nodes);
		}
		if (inoOf(read.statx) !== ino) return undefined;
		nodes.set(ino, read);
		return ino;
	}

	/** What can't be read now stays as it was, if it was there. */
	#asBefore(directory: number, name: string, nodes: Map<bigint, CopyNode>): bigint | undefined {
		if (this.#stat(directory, EMPTY_PATH, AT.EMPTY_PATH, this.#after) < 0) return undefined;
		const ino = this.#before?.nodes.get(inoOf(this.#after))?.children?.get(name);
		if (ino === undefined) return undefined;
		const open = [ino];
		for (let next = open.pop(); next !== undefined; next = open.pop()) {
			const node = this.#before?.nodes.get(next);
			if (node === undefined || nodes.has(next)) continue;
			nodes.set(next, node);
			if (node.children !== undefined) open.push(...node.children.values());
		}
		return ino;
	}

	/** Reads a regular file until its attributes are the same before and after: then it is whole. */
	#file(directory: number, name: CString): CopyNode | number {
		const fd = openat(directory, name, O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.CLOEXEC);
		if (fd < 0) return fd;
		try {
			for (let reading = 1; ; reading++) {
				const first = this.#stat(fd, EMPTY_PATH, AT.EMPTY_PATH | AT.STATX_FORCE_SYNC);
				if (first < 0) return first;
				const content = this.#content(fd, sizeOf(this.#statx));
				if (typeof content === 'number') return content;
				const xattrs = readXattrs(fd, undefined);
				const last = this.#stat(fd, EMPTY_PATH, AT.EMPTY_PATH | AT.STATX_FORCE_SYNC, this.#after);
				if (last < 0) return last;
				const whole = sameStamp(this.#statx, this.#after) && content.length === sizeOf(this.#after);
				if (whole)
					return {
						statx: keepAttributes(this.#after),
						content,
						target: undefined,
						xattrs,
						children: undefined,
					};
				if (reading === READINGS) return -ERRNO.EBUSY;
			}
		} finally {
			close(fd);
		}
	}

	#content(fd: number, size: number): Content | number {
		this.#count(size);
		let offset = 0;
		let length = 0;
		let crc = 0;
		for (;;) {
			if (!this.#o.live()) throw new ScanEnd('stopped', 'another generation is followed');
			const got = pread(fd, this.#chunk, length);
			if (got < 0) return got;
			if (got === 0) return {offset, length, crc};
			if (length + got > this.#o.limitBytes) throw new ScanEnd('too large', 'a file that grows');
			const piece = this.#chunk.subarray(0, got);
			const at = this.#o.append(piece);
			if (length === 0) offset = at;
			crc = crc32(piece, crc);
			length += got;
		}
	}

	#other(directory: number, name: CString, kept: Buffer): CopyNode | number {
		const node = {statx: kept, content: undefined, children: undefined, xattrs: readXattrs(directory, name)};
		if (typeOf(kept) !== TYPE.symlink) return {...node, target: undefined};
		const length = readlinkat(directory, name, this.#list);
		return length < 0 ? length : {...node, target: Buffer.from(this.#list.subarray(0, length))};
	}
}
