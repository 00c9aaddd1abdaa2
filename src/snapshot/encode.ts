/** A tree to the bytes of an index. Pure. */
import {crc32} from 'node:zlib';
import {STATX} from '../posix/statx.ts';
import {
	HEADER,
	MAGIC,
	NAME,
	NAME_BYTES,
	NODE,
	NODE_BYTES,
	sectionsOf,
	slotOf,
	VERSION,
} from './index-layout.ts';
import {type CopyTree, reachable, type Xattr} from './tree.ts';

export interface IndexFacts {
	/** When the last look at everything began: what others changed before is in it. */
	readonly checkedMs: number;
	/** When the last look at what this node changed ended. */
	readonly updatedMs: number;
	/** The last look at everything found nothing changed since the one before: the tree as of one moment. */
	readonly quiet: boolean;
	/** Number of the pack that the contents are in, and how much of it is used. */
	readonly pack: number;
	readonly packBytes: number;
	/** The filesystem's UUID. */
	readonly filesystem: string;
}

const encodeXattrs = (xattrs: readonly Xattr[]): Buffer =>
	Buffer.concat(
		xattrs.flatMap(({name, value}) => {
			const lengths = Buffer.alloc(8);
			lengths.writeUInt32LE(name.length, 0);
			lengths.writeUInt32LE(value.length, 4);
			return [lengths, name, value];
		}),
	);

const BLOBS_FIRST_BYTES = 1 << 16;

/** Byte blobs one behind the other in one buffer that grows; offset 0 stands for none. */
class Blobs {
	#buffer = Buffer.alloc(BLOBS_FIRST_BYTES);
	#bytes = 1;

	add(blob: Uint8Array): number {
		const at = this.#room(blob.length);
		this.#buffer.set(blob, at);
		return at;
	}

	/** @param text bytes as latin1 */
	addLatin1(text: string): number {
		const at = this.#room(text.length);
		this.#buffer.write(text, at, 'latin1');
		return at;
	}

	get bytes(): Buffer {
		return this.#buffer.subarray(0, this.#bytes);
	}

	#room(length: number): number {
		const at = this.#bytes;
		this.#bytes += length;
		if (this.#bytes > this.#buffer.length)
			this.#buffer = Buffer.concat([this.#buffer], Math.max(2 * this.#buffer.length, this.#bytes));
		return at;
	}
}

/** A power of two, at least twice the number of files. */
const slotsFor = (nodes: number): number => 1 << (33 - Math.clz32(Math.max(nodes, 1) * 2 - 1) - 1);

/** What cannot be reached from the root is left out. */
export const encodeIndex = (tree: CopyTree, facts: IndexFacts): Buffer => {
	const inos = [...reachable(tree)];
	const places = new Map(inos.map((ino, i) => [ino, i]));
	const slots = slotsFor(inos.length);
	let names = 0;
	for (const ino of inos) names += tree.nodes.get(ino)!.children?.size ?? 0;
	const at = sectionsOf(inos.length, slots, names);
	const blobs = new Blobs();
	const head = Buffer.alloc(at.blobs);
	let nextName = 0;
	let bytes = 0;
	for (const [i, ino] of inos.entries()) {
		const {statx, content, target, xattrs, children} = tree.nodes.get(ino)!;
		const node = at.nodes + i * NODE_BYTES;
		head.set(statx, node);
		bytes += content?.length ?? 0;
		head.writeDoubleLE(content?.offset ?? 0, node + NODE.contentOffset);
		head.writeDoubleLE(content?.length ?? 0, node + NODE.contentLength);
		head.writeUInt32LE(content?.crc ?? 0, node + NODE.crc);
		head.writeUInt32LE(target === undefined ? 0 : blobs.add(target), node + NODE.target);
		head.writeUInt32LE(target?.length ?? 0, node + NODE.targetBytes);
		if (xattrs.length > 0) {
			const encoded = encodeXattrs(xattrs);
			head.writeUInt32LE(blobs.add(encoded), node + NODE.xattrs);
			head.writeUInt32LE(encoded.length, node + NODE.xattrsBytes);
		}
		head.writeUInt32LE(nextName, node + NODE.firstName);
		let count = 0;
		// latin1 strings compare as their bytes do.
		for (const name of [...(children?.keys() ?? [])].sort()) {
			const place = places.get(children!.get(name)!);
			if (place === undefined) continue;
			const entry = at.names + nextName * NAME_BYTES;
			head.writeUInt32LE(place, entry + NAME.node);
			head.writeUInt32LE(blobs.addLatin1(name), entry + NAME.blob);
			head.writeUInt32LE(name.length, entry + NAME.length);
			nextName++;
			count++;
		}
		head.writeUInt32LE(count, node + NODE.nameCount);
		let slot = slotOf(statx.readInt32LE(STATX.ino), statx.readInt32LE(STATX.ino + 4), slots);
		while (head.readUInt32LE(at.slots + slot * 4) !== 0) slot = (slot + 1) & (slots - 1);
		head.writeUInt32LE(i + 1, at.slots + slot * 4);
	}
	MAGIC.copy(head, 0);
	head.writeUInt32LE(VERSION, HEADER.version);
	head.writeUInt32LE(inos.length, HEADER.nodes);
	head.writeUInt32LE(slots, HEADER.slots);
	head.writeUInt32LE(names, HEADER.names);
	head.writeUInt32LE(facts.quiet ? 1 : 0, HEADER.quiet);
	head.writeDoubleLE(facts.checkedMs, HEADER.checkedMs);
	head.writeDoubleLE(facts.updatedMs, HEADER.updatedMs);
	head.writeUInt32LE(facts.pack, HEADER.pack);
	head.writeDoubleLE(facts.packBytes, HEADER.packBytes);
	head.writeBigUInt64LE(tree.root, HEADER.root);
	head.writeDoubleLE(bytes, HEADER.bytes);
	head.write(facts.filesystem, HEADER.filesystem, 'latin1');
	const whole = Buffer.concat([head, blobs.bytes]);
	whole.writeUInt32LE(crc32(whole.subarray(HEADER.crc + 4)), HEADER.crc);
	return whole;
};
