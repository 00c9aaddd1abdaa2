/** How the files that the kernel knows lie in shared memory. */
import {S_IFDIR} from './identity.ts';

/** FUSE_ROOT_ID; the root has no name, is never freed and takes no references. */
export const ROOT_NODE = 1;
/** Node numbers below this are the root and the virtual files; the table's own begin here. */
export const FIRST_NODE = 64;
/** NAME_MAX of Linux. */
export const NAME_MAX = 255;

/** Words of one node. */
export const WORDS = 16;
export const FLAGS = 0;
/** Counts the uses of the slot; goes to the kernel as the node's generation. */
export const REUSE = 1;
export const PARENT = 2;
export const NAME = 3;
export const NAME_LENGTH = 4;
export const INO_LOW = 5;
export const INO_HIGH = 6;
export const BIRTH = 7;
export const TYPE = 8;
export const LOOKUPS_LOW = 9;
export const LOOKUPS_HIGH = 10;
export const CHILDREN = 11;
/** Next in the hash chain, or in the free list. */
export const NEXT = 12;

/** Digest of the stamps with which the kernel may keep the file's pages; two words, 0: none. See kept-pages.ts. */
export const STAMP_LOW = 13;
export const STAMP_HIGH = 14;

export const FLAG_USED = 1;
export const FLAG_HASHED = 2;

/** Words of node 0, which does not exist: the table's own state. */
export const LOCK = 0;
export const FREE_HEAD = 1;
export const UNTOUCHED = 2;
export const USED = 3;

const TWO_32 = 2 ** 32;

/** Adds to a node's 64-bit lookup count, never below zero: a count too high only keeps a node, too low would free it. */
export const addLookups = (cells: Int32Array, nodeid: number, count: number): void => {
	const at = nodeid * WORDS;
	const before = (cells[at + LOOKUPS_HIGH]! >>> 0) * TWO_32 + (cells[at + LOOKUPS_LOW]! >>> 0);
	const after = Math.max(0, before + count);
	cells[at + LOOKUPS_LOW] = after | 0;
	cells[at + LOOKUPS_HIGH] = Math.floor(after / TWO_32);
};

export interface InodeBuffers {
	readonly nodes: SharedArrayBuffer;
	readonly names: SharedArrayBuffer;
}

/** @param capacity nodes at most, a power of two; one takes 68 bytes once it is used */
export const createInodeCells = (capacity: number): SharedArrayBuffer => {
	const buffer = new SharedArrayBuffer(capacity * (WORDS + 1) * Int32Array.BYTES_PER_ELEMENT);
	const cells = new Int32Array(buffer);
	cells[UNTOUCHED] = FIRST_NODE;
	cells[ROOT_NODE * WORDS + FLAGS] = FLAG_USED;
	cells[ROOT_NODE * WORDS + TYPE] = S_IFDIR;
	return buffer;
};

/**
 * From a node to the inode number of the backing, unsigned; 0 for the root, whose number nobody looked at.
 * @param nodes what `createInodeCells` made
 */
export const inodeNumbers = (nodes: SharedArrayBuffer): ((nodeid: number) => bigint) => {
	const cells = new Int32Array(nodes);
	return nodeid => {
		const at = nodeid * WORDS;
		return (BigInt(cells[at + INO_HIGH]! >>> 0) << 32n) | BigInt(cells[at + INO_LOW]! >>> 0);
	};
};

/** Where a node was last seen. */
export interface Place {
	readonly parent: number;
	/** A copy, with a NUL behind it. */
	readonly name: Buffer;
}
