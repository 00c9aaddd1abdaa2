/** OPENDIR, READDIR, READDIRPLUS, RELEASEDIR on the backing. */
import {type DirSink, type Entry, type FilesystemOps} from '../fuse/filesystem.ts';
import {DIRENT64, getdents64} from '../posix/dents.ts';
import {ERRNO} from '../posix/errno.ts';
import {close, lseek} from '../posix/files.ts';
import {O} from '../posix/open-flags.ts';
import {type Context, isVirtualName} from './context.ts';

type DirectoryOperations = Pick<FilesystemOps, 'opendir' | 'readdir' | 'releasedir'>;

const CHUNK_BYTES = 65536;
/** Chunks that a thread keeps: the kernel asks for a page or so at a time. */
const CHUNKS = 4;
/** A kept chunk that is older than this is read again, so that a slow reader sees a directory that is alive. */
const CHUNK_MAX_AGE_MS = 1000;
const SEEK_SET = 0;
const DOT = 0x2e;

/** A piece of a directory as getdents64 gave it. */
interface Chunk {
	fh: number;
	/** Where each entry begins: cookie -> offset in `data`. */
	readonly starts: Map<bigint, number>;
	readonly data: Buffer;
	size: number;
	readAtMs: number;
}

const isDots = (name: Buffer): boolean =>
	name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));

/** The last chunks that a thread read. */
class Chunks {
	readonly #chunks: Chunk[] = [];
	#next = 0;

	/** @returns a chunk that has the entry with that cookie; its size is 0 at the end. Or a negative errno */
	at(fh: number, fd: number, cookie: bigint): Chunk | number {
		const now = performance.now();
		// Cookie 0 is a beginning or rewinddir(3), which must see the directory as it is.
		const kept = this.#chunks.find(
			chunk => chunk.fh === fh && chunk.starts.has(cookie) && now - chunk.readAtMs < CHUNK_MAX_AGE_MS,
		);
		return kept !== undefined && cookie !== 0n ? kept : this.#read(fh, fd, cookie, now);
	}

	/** The handle is gone: its number may come back. */
	drop(fh: number): void {
		for (const chunk of this.#chunks) if (chunk.fh === fh) chunk.fh = 0;
	}

	#read(fh: number, fd: number, cookie: bigint, now: number): Chunk | number {
		const at = lseek(fd, cookie, SEEK_SET);
		if (at < 0n) return Number(at);
		const chunk = (this.#chunks[this.#next] ??= {
			fh,
			starts: new Map(),
			data: Buffer.alloc(CHUNK_BYTES),
			size: 0,
			readAtMs: 0,
		});
		this.#next = (this.#next + 1) % CHUNKS;
		const size = getdents64(fd, chunk.data);
		chunk.fh = size < 0 ? 0 : fh;
		chunk.size = Math.max(0, size);
		chunk.readAtMs = now;
		chunk.starts.clear();
		let start = cookie;
		for (let offset = 0; offset < chunk.size;) {
			chunk.starts.set(start, offset);
			start = chunk.data.readBigInt64LE(offset + DIRENT64.offset);
			offset += chunk.data.readUInt16LE(offset + DIRENT64.recordLength);
		}
		return size < 0 ? size : chunk;
	}
}

export const directoryOperations = (ctx: Context): DirectoryOperations => {
	const {guard, nodes, handles, bindings} = ctx;
	const chunks = new Chunks();

	/** @returns the entry with its lookup reference; undefined when the name has gone since */
	const entryOf = (fd: number, parent: number, name: Buffer): Entry | undefined => {
		if (isDots(name)) return undefined;
		const entry = ctx.entryAt(fd, parent, name);
		return typeof entry === 'number' ? undefined : entry;
	};

	/** Gives the entries of a chunk from `cookie` on. @returns the next cookie, or undefined when the sink is full */
	const giveChunk = (
		chunk: Chunk,
		cookie: bigint,
		directory: {readonly fd: number; readonly nodeid: number},
		sink: DirSink,
		plus: boolean,
	): bigint | undefined => {
		const {data} = chunk;
		let next = cookie;
		for (let at = chunk.starts.get(cookie)!; at < chunk.size;) {
			const length = data.readUInt16LE(at + DIRENT64.recordLength);
			const nameAt = at + DIRENT64.name;
			const name = data.subarray(nameAt, data.indexOf(0, nameAt));
			next = data.readBigInt64LE(at + DIRENT64.offset);
			if (!isVirtualName(directory.nodeid, name)) {
				const ino = data.readBigUInt64LE(at + DIRENT64.ino);
				const entry = plus ? entryOf(directory.fd, directory.nodeid, name) : undefined;
				if (!sink.add(name, ino, data[at + DIRENT64.type]!, next, entry)) {
					if (entry !== undefined) ctx.inodes.forget(entry.nodeid, 1);
					return undefined;
				}
			}
			at += length;
		}
		return next;
	};

	return {
		opendir: (_caller, nodeid, flags) =>
			guard.read(generation => {
				const fd = nodes.open(nodeid, generation, O.RDONLY | O.DIRECTORY);
				if (fd < 0) return fd;
				const fh = handles.open({kind: 'directory', nodeid, fd, generation, flags});
				if (fh !== 0) return {fh, openFlags: 0};
				close(fd);
				return -ERRNO.ENFILE;
			}),

		readdir: (_caller, nodeid, fh, offset, sink, plus) =>
			guard.read(generation =>
				bindings.withHandle(fh, generation, ({fd}) => {
					let cookie: bigint | undefined = offset;
					while (cookie !== undefined) {
						const chunk = chunks.at(fh, fd, cookie);
						if (typeof chunk === 'number') return chunk;
						if (chunk.size === 0) return 0;
						cookie = giveChunk(chunk, cookie, {fd, nodeid}, sink, plus);
					}
					return 0;
				}),
			),

		releasedir(_caller, _nodeid, fh) {
			chunks.drop(fh);
			const fd = handles.close(fh);
			if (fd >= 0) close(fd);
		},
	};
};
