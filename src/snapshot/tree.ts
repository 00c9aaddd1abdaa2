/** The copy of a tree as its follower keeps it in memory: files by inode number, names as bytes in latin1. */
import {STATX} from '../posix/statx.ts';

/** The part of a `struct statx` that says something; the rest is spare. */
export const STATX_BYTES = 144;

const S_IFMT = 0o170000;
export const TYPE = {directory: 0o040000, regular: 0o100000, symlink: 0o120000} as const;

/** Where a file's bytes lie in the pack, and their CRC-32. */
export interface Content {
	readonly offset: number;
	readonly length: number;
	readonly crc: number;
}

export interface Xattr {
	readonly name: Buffer;
	readonly value: Buffer;
}

export interface CopyNode {
	/** Of the backing; without device number, which differs with each mount, and without birth time. */
	readonly statx: Buffer;
	/** Of a regular file. */
	readonly content: Content | undefined;
	/** Of a symbolic link. */
	readonly target: Buffer | undefined;
	readonly xattrs: readonly Xattr[];
	/** Of a directory: inode number by name. */
	readonly children: ReadonlyMap<string, bigint> | undefined;
}

export interface CopyTree {
	readonly root: bigint;
	readonly nodes: Map<bigint, CopyNode>;
}

export const inoOf = (statx: Buffer): bigint => statx.readBigUInt64LE(STATX.ino);
export const typeOf = (statx: Buffer): number => statx.readUInt16LE(STATX.mode) & S_IFMT;
export const sizeOf = (statx: Buffer): number => Number(statx.readBigUInt64LE(STATX.size));

/** A copy of attributes without what belongs to one mount or to one look. */
export const keepAttributes = (statx: Buffer): Buffer => {
	const kept = Buffer.from(statx.subarray(0, STATX_BYTES));
	kept.writeUInt32LE(0x7ff, STATX.mask);
	kept.fill(0, STATX.btimeSec, STATX.ctimeSec);
	kept.fill(0, STATX.devMajor, STATX_BYTES);
	return kept;
};

/**
 * Whether two looks show the same version of the same file: everything but the access time. A change of content or of
 * extended attributes moves the ctime, which no user can set.
 */
export const sameStamp = (a: Buffer, b: Buffer): boolean =>
	a.compare(b, STATX.nlink, STATX.blocks, STATX.nlink, STATX.blocks) === 0 &&
	a.compare(b, STATX.ctimeSec, STATX_BYTES, STATX.ctimeSec, STATX_BYTES) === 0;

/** Inode numbers that can be reached from the root. */
export const reachable = ({root, nodes}: CopyTree): Set<bigint> => {
	const found = new Set<bigint>();
	const open = [root];
	for (let ino = open.pop(); ino !== undefined; ino = open.pop()) {
		const node = nodes.get(ino);
		if (node === undefined || found.has(ino)) continue;
		found.add(ino);
		if (node.children !== undefined) open.push(...node.children.values());
	}
	return found;
};

/** Bytes of content of what can be reached from the root. */
export const contentBytes = (tree: CopyTree): number => {
	let bytes = 0;
	for (const ino of reachable(tree)) bytes += tree.nodes.get(ino)!.content?.length ?? 0;
	return bytes;
};
