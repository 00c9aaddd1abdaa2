/**
 * Where copies lie: `index-N`, replaced as a whole by `index-N+1`, and `pack-N` with the contents, which only grows. What a
 * machine that lost its power has of the newest ones is told by checksums; the last one that was brought to the disk by
 * force stays until a newer one was.
 */
import * as fs from 'node:fs';
import {join} from 'node:path';
import {crc32} from 'node:zlib';
import {CopyIndex} from './copy-index.ts';
import {encodeIndex, type IndexFacts} from './encode.ts';
import {HEADER, HEADER_BYTES, INDEX_MAX_BYTES} from './index-layout.ts';
import {type Content, type CopyTree, reachable} from './tree.ts';

export const indexPath = (directory: string, serial: number): string => join(directory, `index-${serial}`);
export const packPath = (directory: string, pack: number): string => join(directory, `pack-${pack}`);

/** Indexes that stay beside the newest: a reader may just be about to open one. */
const KEPT = 2;
/** A pack is written anew when this much of it is of no use any more. */
const GARBAGE_MIN = 16 << 20;
const CHUNK = 1 << 20;

const numbersOf = (directory: string, prefix: string): number[] =>
	fs
		.readdirSync(directory)
		.flatMap(name =>
			new RegExp(`^${prefix}-\\d{1,9}$`).test(name) ? [Number(name.slice(prefix.length + 1))] : [],
		)
		.sort((a, b) => b - a);

/** @returns undefined when there is no whole index of that number */
export const readIndex = (directory: string, serial: number): CopyIndex | undefined => {
	try {
		const path = indexPath(directory, serial);
		if (fs.statSync(path).size > INDEX_MAX_BYTES) return undefined;
		return CopyIndex.parse(fs.readFileSync(path));
	} catch {
		return undefined;
	}
};

/** CRC-32 of a piece of an open file. */
const crcOf = (fd: number, {offset, length}: Content): number | undefined => {
	const chunk = Buffer.alloc(Math.min(CHUNK, length));
	let crc = 0;
	for (let done = 0; done < length;) {
		const got = fs.readSync(fd, chunk, 0, Math.min(chunk.length, length - done), offset + done);
		if (got === 0) return undefined;
		crc = crc32(chunk.subarray(0, got), crc);
		done += got;
	}
	return crc;
};

const syncDirectory = (directory: string): void => {
	const fd = fs.openSync(directory, 'r');
	try {
		fs.fsyncSync(fd);
	} finally {
		fs.closeSync(fd);
	}
};

/** One at a time may write: see turn.ts. */
export class CopyStore {
	readonly #directory: string;
	serial = 0;
	#pack = 0;
	#packFd = -1;
	/** Bytes of the pack in use or garbage. */
	#end = 0;
	/** Of it, what the newest index may point at. */
	#published = 0;
	/** The newest index that is on the disk by force. */
	#durable = 0;

	constructor(directory: string) {
		this.#directory = directory;
		fs.mkdirSync(directory, {recursive: true, mode: 0o700});
		fs.chmodSync(directory, 0o700);
	}

	/** The newest copy whose every byte is as it was written, ready to go on from; undefined when there is none. */
	open(): CopyIndex | undefined {
		const serials = numbersOf(this.#directory, 'index');
		// Numbers are never used again, not even those of damaged ones.
		this.serial = serials[0] ?? 0;
		for (const serial of serials) {
			const index = readIndex(this.#directory, serial);
			if (index === undefined || !this.#isWhole(index)) continue;
			// The newer ones are damaged.
			if (serial !== this.serial)
				fs.copyFileSync(indexPath(this.#directory, serial), indexPath(this.#directory, ++this.serial));
			this.#usePack(index.facts.pack, index.facts.packBytes);
			this.makeDurable();
			return index;
		}
		this.#usePack((numbersOf(this.#directory, 'pack')[0] ?? 0) + 1, 0);
		return undefined;
	}

	/** Adds bytes to the pack. @returns where they are */
	append(bytes: Buffer): number {
		const at = this.#end;
		for (let done = 0; done < bytes.length;)
			done += fs.writeSync(this.#packFd, bytes, done, bytes.length - done, at + done);
		this.#end += bytes.length;
		return at;
	}

	/** What was added since the last publication is of no use. */
	forget(): void {
		this.#end = this.#published;
		fs.ftruncateSync(this.#packFd, this.#end);
	}

	/** Makes the tree the newest copy; `makeDurable` brings it to the disk. @param served a copy that is being read: it stays. @returns it */
	publish(tree: CopyTree, facts: Omit<IndexFacts, 'pack' | 'packBytes'>, served: number): CopyIndex {
		const kept = this.#compact(tree);
		const bytes = encodeIndex(kept, {...facts, pack: this.#pack, packBytes: this.#end});
		const serial = this.serial + 1;
		const temporary = join(this.#directory, 'index.new');
		const fd = fs.openSync(temporary, 'w', 0o600);
		try {
			fs.writeSync(fd, bytes);
		} finally {
			fs.closeSync(fd);
		}
		fs.renameSync(temporary, indexPath(this.#directory, serial));
		this.serial = serial;
		this.#published = this.#end;
		for (const [ino, node] of kept.nodes) tree.nodes.set(ino, node);
		this.#removeOld(served);
		const index = CopyIndex.parse(bytes);
		if (index === undefined) throw new Error('BUG: an index that can not be read back');
		return index;
	}

	/** Brings the newest copy to the disk. */
	makeDurable(): void {
		if (this.#durable === this.serial) return;
		fs.fdatasyncSync(this.#packFd);
		const fd = fs.openSync(indexPath(this.#directory, this.serial), 'r');
		try {
			fs.fdatasyncSync(fd);
		} finally {
			fs.closeSync(fd);
		}
		syncDirectory(this.#directory);
		this.#durable = this.serial;
	}

	close(): void {
		if (this.#packFd >= 0) fs.closeSync(this.#packFd);
		this.#packFd = -1;
	}

	#usePack(pack: number, end: number): void {
		this.close();
		this.#pack = pack;
		this.#packFd = fs.openSync(
			packPath(this.#directory, pack),
			fs.constants.O_RDWR | fs.constants.O_CREAT,
			0o600,
		);
		fs.ftruncateSync(this.#packFd, end);
		this.#end = end;
		this.#published = end;
	}

	#isWhole(index: CopyIndex): boolean {
		let fd;
		try {
			fd = fs.openSync(packPath(this.#directory, index.facts.pack), 'r');
		} catch {
			return false;
		}
		try {
			for (const {content} of index.tree().nodes.values())
				if (content !== undefined && crcOf(fd, content) !== content.crc) return false;
			return true;
		} finally {
			fs.closeSync(fd);
		}
	}

	/** Moves the contents in use to a new pack, when the old one holds too much else. @returns the tree as it then is */
	#compact(tree: CopyTree): CopyTree {
		const live = [...reachable(tree)].map(ino => [ino, tree.nodes.get(ino)!] as const);
		const bytes = live.reduce((sum, [, node]) => sum + (node.content?.length ?? 0), 0);
		if (this.#end - bytes <= Math.max(GARBAGE_MIN, bytes / 2)) return tree;
		const old = fs.openSync(packPath(this.#directory, this.#pack), 'r');
		try {
			this.#usePack(this.#pack + 1, 0);
			const nodes = new Map(
				live.map(([ino, node]) => {
					if (node.content === undefined) return [ino, node];
					const {offset, length} = node.content;
					const start = this.#end;
					for (let done = 0; done < length;) {
						const chunk = Buffer.alloc(Math.min(CHUNK, length - done));
						fs.readSync(old, chunk, 0, chunk.length, offset + done);
						this.append(chunk);
						done += chunk.length;
					}
					return [ino, {...node, content: {...node.content, offset: start}}];
				}),
			);
			return {root: tree.root, nodes};
		} finally {
			fs.closeSync(old);
		}
	}

	#removeOld(served: number): void {
		const serials = numbersOf(this.#directory, 'index');
		const kept = serials.filter((serial, i) => i <= KEPT || serial === served || serial === this.#durable);
		for (const serial of serials)
			if (!kept.includes(serial)) fs.rmSync(indexPath(this.#directory, serial), {force: true});
		const packs = new Set(kept.map(serial => readHeaderPack(indexPath(this.#directory, serial))));
		for (const pack of numbersOf(this.#directory, 'pack'))
			if (pack !== this.#pack && !packs.has(pack)) fs.rmSync(packPath(this.#directory, pack), {force: true});
	}
}

/** The number of the pack that an index uses; from its header alone. */
const readHeaderPack = (path: string): number => {
	const header = Buffer.alloc(HEADER_BYTES);
	const fd = fs.openSync(path, 'r');
	try {
		fs.readSync(fd, header, 0, header.length, 0);
	} finally {
		fs.closeSync(fd);
	}
	return header.readUInt32LE(HEADER.pack);
};
