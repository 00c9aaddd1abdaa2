/** OPENDIR, READDIR, READDIRPLUS, RELEASEDIR on the backing. */
import {type DirSink, type Entry, type FilesystemOps} from '../fuse/filesystem.ts';
import {FOPEN} from '../fuse/wire/abi.ts';
import {DIRENT64, getdents64, nameLengthOf} from '../posix/dents.ts';
import {ERRNO} from '../posix/errno.ts';
import {close, lseek} from '../posix/files.ts';
import {O} from '../posix/open-flags.ts';
import {type Context, isVirtualName} from './context.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {isSettled} from './kept-pages.ts';
import {statDescriptor} from './nodes.ts';

type DirectoryOperations = Pick<FilesystemOps, 'opendir' | 'readdir' | 'releasedir'>;

const CHUNK_BYTES = 65536;
/** Chunks that a thread keeps: the kernel asks for a page or so at a time. */
const CHUNKS = 4;
/** A kept chunk that is older than this is read again, so that a slow reader sees a directory that is alive. */
const CHUNK_MAX_AGE_MS = 1000;
/**
 * With how many entries the attributes go when a listing begins (READDIRPLUS_AUTO asks for all of them then). Whoever uses
 * some of these makes the kernel ask for the rest; who only wants names does not wait for a thousand of them.
 */
const UNASKED = 32;
const SEEK_SET = 0;
const DOT = 0x2e;

/** A piece of a directory as getdents64 gave it, and how far the kernel has come in it. */
interface Chunk {
	fh: number;
	/** The cookie from which the kernel will ask next, if it goes on in order, and where that entry begins in `data`. */
	cookie: bigint;
	at: number;
	readonly data: Buffer;
	readonly words: Uint32Array;
	size: number;
	readAtMs: number;
}

const newChunk = (): Chunk => {
	const data = Buffer.alloc(CHUNK_BYTES);
	const words = new Uint32Array(data.buffer, data.byteOffset, CHUNK_BYTES / Uint32Array.BYTES_PER_ELEMENT);
	return {fh: 0, cookie: 0n, at: 0, data, words, size: 0, readAtMs: 0};
};

/** The directory that is listed. */
interface Directory {
	readonly fd: number;
	readonly nodeid: number;
}

const isDots = (name: Buffer): boolean =>
	name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));

/** The last chunks that a thread read. */
class Chunks {
	readonly #chunks: Chunk[] = [];
	#next = 0;

	/** @returns a chunk that stands at the entry with that cookie; its size is 0 at the end. Or a negative errno */
	at(fh: number, fd: number, cookie: bigint): Chunk | number {
		const now = performance.now();
		// Cookie 0 is a beginning or rewinddir(3), which must see the directory as it is.
		if (cookie !== 0n)
			for (const chunk of this.#chunks)
				if (chunk.fh === fh && chunk.cookie === cookie && now - chunk.readAtMs < CHUNK_MAX_AGE_MS)
					if (chunk.at < chunk.size) return chunk;
		return this.#read(fh, fd, cookie, now);
	}

	/** The handle is gone: its number may come back. */
	drop(fh: number): void {
		for (const chunk of this.#chunks) if (chunk.fh === fh) chunk.fh = 0;
	}

	#read(fh: number, fd: number, cookie: bigint, now: number): Chunk | number {
		const at = lseek(fd, cookie, SEEK_SET);
		if (at < 0n) return Number(at);
		const chunk = (this.#chunks[this.#next] ??= newChunk());
		this.#next = (this.#next + 1) % CHUNKS;
		const size = getdents64(fd, chunk.data);
		chunk.fh = size < 0 ? 0 : fh;
		chunk.size = Math.max(0, size);
		chunk.readAtMs = now;
		chunk.cookie = cookie;
		chunk.at = 0;
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

	/** The kernel drops a listing that it keeps when the directory's time stamp changes: only a stamp to rely on lets it keep one. */
	const cacheFlags = (nodeid: number, fd: number): number => {
		if (ctx.times.attrTimeoutMs === 0 || statDescriptor(fd, ctx.statx) < 0) return 0;
		if (!isSettled(ctx.statx, Date.now())) return 0;
		return FOPEN.CACHE_DIR | (ctx.kept.mayKeep(nodeid, ctx.statx) ? FOPEN.KEEP_CACHE : 0);
	};

	const cookieAt = ({data}: Chunk, at: number): bigint => data.readBigInt64LE(at + DIRENT64.offset);

	/** Gives one entry, with its attributes if `plus`. @returns false when there is no room for it */
	const giveEntry = (chunk: Chunk, directory: Directory, sink: DirSink, plus: boolean): boolean => {
		const {data, at} = chunk;
		const nameAt = at + DIRENT64.name;
		const name = data.subarray(nameAt, nameAt + nameLengthOf(data, at));
		if (isVirtualName(directory.nodeid, name)) return true;
		const entry = plus ? entryOf(directory.fd, directory.nodeid, name) : undefined;
		if (entry === undefined) return sink.addRecord(data, chunk.words, at);
		const ino = data.readBigUInt64LE(at + DIRENT64.ino);
		if (sink.add(name, ino, data[at + DIRENT64.type]!, cookieAt(chunk, at), entry)) return true;
		ctx.inodes.forget(entry.nodeid, 1);
		return false;
	};

	/**
	 * Gives the entries of a chunk from where it stands.
	 * @param attributes of how many entries the attributes go with it
	 * @returns false when the sink is full
	 */
	const giveChunk = (chunk: Chunk, directory: Directory, sink: DirSink, attributes: number): boolean => {
		const {data, words} = chunk;
		// The root has a name that is not shown.
		const looksAtNames = directory.nodeid === ROOT_NODE;
		let last = -1;
		let full = false;
		for (let left = attributes; chunk.at < chunk.size; left--) {
			const given =
				left > 0 || looksAtNames
					? giveEntry(chunk, directory, sink, left > 0)
					: sink.addRecord(data, words, chunk.at);
			if (!given) {
				full = true;
				break;
			}
			last = chunk.at;
			chunk.at += data[last + DIRENT64.recordLength]! | (data[last + DIRENT64.recordLength + 1]! << 8);
		}
		if (last >= 0) chunk.cookie = cookieAt(chunk, last);
		return !full;
	};

	return {
		opendir: (_caller, nodeid, flags) =>
			guard.read(generation => {
				const fd = nodes.open(nodeid, generation, O.RDONLY | O.DIRECTORY);
				if (fd < 0) return fd;
				const fh = handles.open({kind: 'directory', nodeid, fd, generation, flags});
				if (fh !== 0) return {fh, openFlags: cacheFlags(nodeid, fd)};
				close(fd);
				return -ERRNO.ENFILE;
			}),

		readdir: (_caller, nodeid, fh, offset, sink, plus) =>
			guard.read(generation =>
				bindings.withHandle(fh, generation, ({fd}) => {
					// The kernel asks for attributes at the beginning, whether or not anybody wants them.
					const attributes = !plus ? 0 : offset === 0n ? UNASKED : Infinity;
					for (let cookie = offset; ;) {
						const chunk = chunks.at(fh, fd, cookie);
						if (typeof chunk === 'number') return chunk;
						if (chunk.size === 0 || !giveChunk(chunk, {fd, nodeid}, sink, attributes)) return 0;
						({cookie} = chunk);
					}
				}),
			),

		releasedir(_caller, _nodeid, fh) {
			chunks.drop(fh);
			const fd = handles.close(fh);
			if (fd >= 0) close(fd);
		},
	};
};
