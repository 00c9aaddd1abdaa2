/** How the index of a copy lies in its file: header, hash table, files, names, blobs; little endian. */
import {STATX_BYTES} from './tree.ts';

export const MAGIC = Buffer.from('HEKACOPY');
export const VERSION = 1;
/** More is no index of ours. */
export const INDEX_MAX_BYTES = 512 << 20;

/** Byte offsets in the header. */
export const HEADER = {
	version: 8, // u32
	crc: 12, // u32, of everything behind it
	nodes: 16, // u32
	slots: 20, // u32, a power of two
	names: 24, // u32
	quiet: 28, // u32
	checkedMs: 32, // f64
	updatedMs: 40, // f64
	pack: 48, // u32
	packBytes: 56, // f64
	root: 64, // u64
	bytes: 72, // f64
	filesystem: 80, // 36 characters
} as const;
export const HEADER_BYTES = 128;
export const FILESYSTEM_CHARS = 36;

/** Byte offsets in the record of a file, behind its attributes. */
export const NODE = {
	contentOffset: STATX_BYTES, // f64
	contentLength: STATX_BYTES + 8, // f64
	crc: STATX_BYTES + 16, // u32
	firstName: STATX_BYTES + 20, // u32
	nameCount: STATX_BYTES + 24, // u32
	target: STATX_BYTES + 28, // u32: a blob, 0 for none
	targetBytes: STATX_BYTES + 32, // u32
	xattrs: STATX_BYTES + 36, // u32: a blob, 0 for none
	xattrsBytes: STATX_BYTES + 40, // u32
} as const;
export const NODE_BYTES = STATX_BYTES + 48;

/** Byte offsets in the record of a name; a directory's stand together, sorted by their bytes. */
export const NAME = {node: 0, blob: 4, length: 8} as const;
export const NAME_BYTES = 12;

export interface Sections {
	readonly slots: number;
	readonly nodes: number;
	readonly names: number;
	readonly blobs: number;
}

/** Where the sections begin. */
export const sectionsOf = (nodes: number, slots: number, names: number): Sections => {
	const atNodes = HEADER_BYTES + slots * 4;
	const atNames = atNodes + nodes * NODE_BYTES;
	return {slots: HEADER_BYTES, nodes: atNodes, names: atNames, blobs: atNames + names * NAME_BYTES};
};

/** The first slot to look at for an inode number. */
export const slotOf = (low: number, high: number, slots: number): number =>
	(Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 7) & (slots - 1);
