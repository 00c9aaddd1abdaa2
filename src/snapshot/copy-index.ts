/** Reads an index without unpacking it: find a file by inode number, a name in a directory, attributes, links, xattrs. */
import {crc32} from 'node:zlib';
import {STATX} from '../posix/statx.ts';
import {
	FILESYSTEM_CHARS,
	HEADER,
	HEADER_BYTES,
	MAGIC,
	NAME,
	NAME_BYTES,
	NODE,
	NODE_BYTES,
	type Sections,
	sectionsOf,
	slotOf,
	VERSION,
} from './index-layout.ts';
import {type IndexFacts} from './encode.ts';
import {
	type Content,
	type CopyNode,
	type CopyTree,
	inoOf,
	STATX_BYTES,
	TYPE,
	typeOf,
	type Xattr,
} from './tree.ts';

/** A file of the copy: where its record begins. */
export type Place = number;

export class CopyIndex {
	readonly #bytes: Buffer;
	readonly #at: Sections;
	readonly #nodes: number;
	readonly #slots: number;

	private constructor(bytes: Buffer) {
		this.#bytes = bytes;
		this.#nodes = bytes.readUInt32LE(HEADER.nodes);
		this.#slots = bytes.readUInt32LE(HEADER.slots);
		this.#at = sectionsOf(this.#nodes, this.#slots, bytes.readUInt32LE(HEADER.names));
	}

	/** @returns undefined when the bytes are not a whole index of ours: the checksum covers every one of them */
	static parse(bytes: Buffer): CopyIndex | undefined {
		if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
		if (bytes.readUInt32LE(HEADER.version) !== VERSION) return undefined;
		if (crc32(bytes.subarray(HEADER.crc + 4)) !== bytes.readUInt32LE(HEADER.crc)) return undefined;
		const index = new CopyIndex(bytes);
		return index.#fits() ? index : undefined;
	}

	/** Whether the sections that the header tells of are there, and a search in the hash table ends. */
	#fits(): boolean {
		const slots = this.#slots;
		return this.#at.blobs <= this.#bytes.length && slots > this.#nodes && (slots & (slots - 1)) === 0;
	}

	get files(): number {
		return this.#nodes;
	}
	/** Of all contents. */
	get contentBytes(): number {
		return this.#bytes.readDoubleLE(HEADER.bytes);
	}
	get facts(): IndexFacts {
		const b = this.#bytes;
		return {
			checkedMs: b.readDoubleLE(HEADER.checkedMs),
			updatedMs: b.readDoubleLE(HEADER.updatedMs),
			quiet: b.readUInt32LE(HEADER.quiet) === 1,
			pack: b.readUInt32LE(HEADER.pack),
			packBytes: b.readDoubleLE(HEADER.packBytes),
			filesystem: b
				.toString('latin1', HEADER.filesystem, HEADER.filesystem + FILESYSTEM_CHARS)
				.replace(/\0+$/, ''),
		};
	}

	root(): Place {
		const found = this.find(this.#bytes.readBigUInt64LE(HEADER.root));
		if (found === undefined) throw new Error('BUG: an index without its root');
		return found;
	}

	/** @param ino as the backing has it, unsigned */
	find(ino: bigint): Place | undefined {
		const signed = BigInt.asIntN(64, ino);
		const low = Number(BigInt.asIntN(32, signed));
		const high = Number(signed >> 32n);
		let slot = slotOf(low, high, this.#slots);
		for (;;) {
			const found = this.#bytes.readUInt32LE(this.#at.slots + slot * 4);
			if (found === 0) return undefined;
			const place = this.#at.nodes + (found - 1) * NODE_BYTES;
			if (this.#bytes.readBigUInt64LE(place + STATX.ino) === ino) return place;
			slot = (slot + 1) & (this.#slots - 1);
		}
	}

	/** Puts the attributes into the front of `into` and zeros behind. */
	attributes(place: Place, into: Buffer): void {
		this.#bytes.copy(into, 0, place, place + STATX_BYTES);
		into.fill(0, STATX_BYTES);
	}

	content(place: Place): Content {
		return {
			offset: this.#bytes.readDoubleLE(place + NODE.contentOffset),
			length: this.#bytes.readDoubleLE(place + NODE.contentLength),
			crc: this.#bytes.readUInt32LE(place + NODE.crc),
		};
	}

	target(place: Place): Buffer {
		return this.#blob(place + NODE.target, place + NODE.targetBytes);
	}

	xattrs(place: Place): readonly Xattr[] {
		const blob = this.#blob(place + NODE.xattrs, place + NODE.xattrsBytes);
		const found: Xattr[] = [];
		for (let at = 0; at < blob.length;) {
			const value = at + 8 + blob.readUInt32LE(at);
			const end = value + blob.readUInt32LE(at + 4);
			found.push({name: blob.subarray(at + 8, value), value: blob.subarray(value, end)});
			at = end;
		}
		return found;
	}

	nameCount(place: Place): number {
		return this.#bytes.readUInt32LE(place + NODE.nameCount);
	}

	/** @param position from 0 to below `nameCount` */
	nameAt(place: Place, position: number): {readonly name: Buffer; readonly place: Place} {
		const entry = this.#at.names + (this.#bytes.readUInt32LE(place + NODE.firstName) + position) * NAME_BYTES;
		const start = this.#at.blobs + this.#bytes.readUInt32LE(entry + NAME.blob);
		return {
			name: this.#bytes.subarray(start, start + this.#bytes.readUInt32LE(entry + NAME.length)),
			place: this.#at.nodes + this.#bytes.readUInt32LE(entry + NAME.node) * NODE_BYTES,
		};
	}

	lookup(directory: Place, name: Buffer): Place | undefined {
		let low = 0;
		for (let high = this.nameCount(directory); low < high;) {
			const middle = (low + high) >>> 1;
			const here = this.nameAt(directory, middle);
			const order = Buffer.compare(here.name, name);
			if (order === 0) return here.place;
			if (order < 0) low = middle + 1;
			else high = middle;
		}
		return undefined;
	}

	/** Unpacked, to go on from. */
	tree(): CopyTree {
		const nodes = new Map<bigint, CopyNode>();
		for (let i = 0; i < this.#nodes; i++) {
			const place = this.#at.nodes + i * NODE_BYTES;
			const statx = Buffer.from(this.#bytes.subarray(place, place + STATX_BYTES));
			const type = typeOf(statx);
			const children = new Map<string, bigint>();
			for (let n = 0; n < this.nameCount(place); n++) {
				const {name, place: child} = this.nameAt(place, n);
				children.set(name.toString('latin1'), this.#bytes.readBigUInt64LE(child + STATX.ino));
			}
			nodes.set(inoOf(statx), {
				statx,
				content: type === TYPE.regular ? this.content(place) : undefined,
				target: type === TYPE.symlink ? Buffer.from(this.target(place)) : undefined,
				xattrs: this.xattrs(place).map(({name, value}) => ({
					name: Buffer.from(name),
					value: Buffer.from(value),
				})),
				children: type === TYPE.directory ? children : undefined,
			});
		}
		return {root: this.#bytes.readBigUInt64LE(HEADER.root), nodes};
	}

	#blob(at: number, lengthAt: number): Buffer {
		const start = this.#at.blobs + this.#bytes.readUInt32LE(at);
		return this.#bytes.subarray(start, start + this.#bytes.readUInt32LE(lengthAt));
	}
}
