/** How open handles lie in shared memory, and what is told about one. */

export const HANDLE_KINDS = {
	file: 1,
	directory: 2,
	/** A virtual file: its content as it was at open. */
	text: 3,
	/** The descriptor that holds the POSIX locks of one owner on one file. */
	lock: 4,
	/** A descriptor that a handle had in an older generation. */
	retired: 5,
} as const;
export type HandleKind = keyof typeof HANDLE_KINDS;
const KIND_NAMES = [
	'file',
	'file',
	'directory',
	'text',
	'lock',
	'retired',
] as const satisfies readonly HandleKind[];

export const WORDS = 16;
export const STATE = 0;
export const SEQUENCE = 1;
export const KIND = 2;
export const NODE = 3;
export const DESCRIPTOR = 4;
export const GENERATION = 5;
export const FLAGS = 6;
export const PINS = 7;
const OWNER_LOW = 8;
const OWNER_HIGH = 9;
export const FLOCK = 10;
export const BLOCK = 11;
/** Of the text; for a retired one: since when, in ms. */
export const LENGTH = 12;
/** Next handle of the nodes in the same bucket, or in the free list. */
export const NEXT = 13;

export const STATE_FREE = 0;
export const STATE_OPEN = 1;
/** Released; the last one that unpins it closes the descriptor. */
export const STATE_CLOSING = 2;

/** Words of slot 0, which is no handle. */
export const LOCK = 0;
export const FREE_HEAD = 1;
export const UNTOUCHED = 2;
export const USED = 3;

export const SLOT_BITS = 16;
export const SLOT_MASK = (1 << SLOT_BITS) - 1;
export const SEQUENCE_MASK = (1 << 14) - 1;
export const BUCKETS = 4096;

/** Handles at most: no more than the slot bits carry. */
export const HANDLES_MAX = 1 << SLOT_BITS;

export const nowMs = (): number => (performance.timeOrigin + performance.now()) | 0;

export interface HandleBuffers {
	readonly handles: SharedArrayBuffer;
	readonly texts: SharedArrayBuffer;
}

/** @param capacity handles at most, up to HANDLES_MAX */
export const createHandleCells = (capacity: number): SharedArrayBuffer => {
	const buffer = new SharedArrayBuffer(
		(Math.min(capacity, HANDLES_MAX) * WORDS + BUCKETS) * Int32Array.BYTES_PER_ELEMENT,
	);
	new Int32Array(buffer)[UNTOUCHED] = 1;
	return buffer;
};

export const putOwner = (cells: Int32Array, at: number, owner: bigint): void => {
	cells[at + OWNER_LOW] = Number(BigInt.asIntN(32, owner));
	cells[at + OWNER_HIGH] = Number(BigInt.asIntN(32, owner >> 32n));
};

export const hasOwner = (cells: Int32Array, at: number, owner: bigint): boolean =>
	cells[at + OWNER_LOW] === Number(BigInt.asIntN(32, owner)) &&
	cells[at + OWNER_HIGH] === Number(BigInt.asIntN(32, owner >> 32n));

/** What is known of a handle at the moment it was pinned. */
export interface Handle {
	readonly fh: number;
	readonly kind: HandleKind;
	readonly nodeid: number;
	/** -1 for a text. */
	readonly fd: number;
	/** Which mount the descriptor belongs to. */
	readonly generation: number;
	/** O_* flags that it was opened with. */
	readonly flags: number;
	/** LOCK.SH or LOCK.EX when flock holds one through it, else 0. */
	readonly flock: number;
}

/** The handle whose words begin at `at`. */
export const readHandle = (cells: Int32Array, at: number): Handle => ({
	fh: (cells[at + SEQUENCE]! << SLOT_BITS) | (at / WORDS),
	kind: KIND_NAMES[cells[at + KIND]!]!,
	nodeid: cells[at + NODE]!,
	fd: cells[at + DESCRIPTOR]!,
	generation: cells[at + GENERATION]!,
	flags: cells[at + FLAGS]!,
	flock: cells[at + FLOCK]!,
});

export interface NewHandle {
	readonly kind: HandleKind;
	readonly nodeid: number;
	readonly fd: number;
	readonly generation: number;
	readonly flags: number;
	readonly owner?: bigint;
}

/**
 * Where the open handles of a node are.
 * @param buckets where the heads of the chains begin
 */
export const openHandlesOf = (
	cells: Int32Array,
	buckets: number,
	nodeid: number,
	kind: HandleKind,
): number[] => {
	const found: number[] = [];
	for (let slot = cells[buckets + (nodeid & (BUCKETS - 1))]!; slot !== 0;) {
		const at = slot * WORDS;
		const same = cells[at + NODE] === nodeid && cells[at + KIND] === HANDLE_KINDS[kind];
		if (same && cells[at + STATE] === STATE_OPEN) found.push(at);
		slot = cells[at + NEXT]!;
	}
	return found;
};
