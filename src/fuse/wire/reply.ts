/** One reply as it is built up in a reused buffer: the header, and encoders for the structs that need no outside types. */
import {DIRENT_SIZE, ENTRY_OUT_SIZE, OUT_HEADER_SIZE, STATFS_OUT_SIZE} from './abi.ts';

/** Where the name begins in a record of getdents64(2): linux/dirent.h. */
const RECORD_NAME = 19;

export interface StatfsFields {
	readonly blocks: bigint;
	readonly bfree: bigint;
	readonly bavail: bigint;
	readonly files: bigint;
	readonly ffree: bigint;
	readonly bsize: number;
	readonly namelen: number;
	readonly frsize: number;
}

/** A reply buffer. Payload offsets in here are message offsets: the payload begins at OUT_HEADER_SIZE. */
export class ReplyBuffer {
	readonly memory: Buffer;
	readonly u32: Uint32Array;
	readonly u64: BigUint64Array;
	#payload: Buffer | undefined;

	/** @param capacity the largest payload, bytes */
	constructor(capacity: number) {
		this.memory = Buffer.allocUnsafeSlow(OUT_HEADER_SIZE + ((capacity + 7) & ~7));
		this.u32 = new Uint32Array(this.memory.buffer, this.memory.byteOffset);
		this.u64 = new BigUint64Array(this.memory.buffer, this.memory.byteOffset);
	}

	get capacity(): number {
		return this.memory.length - OUT_HEADER_SIZE;
	}

	/** A view of the payload of exactly this size (at most the capacity), kept while the size stays the same. */
	payload(size: number): Buffer {
		const length = Math.min(size, this.capacity);
		if (this.#payload?.length !== length)
			this.#payload = this.memory.subarray(OUT_HEADER_SIZE, OUT_HEADER_SIZE + length);
		return this.#payload;
	}

	/**
	 * Writes the header.
	 * @param result bytes of payload, or a negative errno
	 * @returns bytes of the whole message
	 */
	finish(uniqueLow: number, uniqueHigh: number, result: number): number {
		const length = result < 0 ? OUT_HEADER_SIZE : OUT_HEADER_SIZE + result;
		this.u32[0] = length;
		this.u32[1] = result < 0 ? result : 0;
		this.u32[2] = uniqueLow;
		this.u32[3] = uniqueHigh;
		return length;
	}

	/** A 64-bit field from a number ≥ 0. */
	putNumber(offset: number, value: number): void {
		const at = offset >>> 2;
		this.u32[at] = value % 0x1_0000_0000;
		this.u32[at + 1] = value / 0x1_0000_0000;
	}

	/** fuse_open_out at `offset`. */
	putOpen(offset: number, fh: number, openFlags: number): void {
		const at = offset >>> 2;
		this.u32[at] = fh;
		this.u32[at + 1] = 0;
		this.u32[at + 2] = openFlags;
		this.u32[at + 3] = 0;
	}

	/** A payload of two words: fuse_write_out, fuse_getxattr_out. @returns its size */
	putSize(size: number): number {
		this.u32[4] = size;
		this.u32[5] = 0;
		return 8;
	}

	/** fuse_statfs_out. @returns its size */
	putStatfs(statfs: StatfsFields): number {
		const {u32, u64} = this;
		u32.fill(0, 4, (OUT_HEADER_SIZE + STATFS_OUT_SIZE) >>> 2);
		u64[2] = statfs.blocks;
		u64[3] = statfs.bfree;
		u64[4] = statfs.bavail;
		u64[5] = statfs.files;
		u64[6] = statfs.ffree;
		u32[14] = statfs.bsize;
		u32[15] = statfs.namelen;
		u32[16] = statfs.frsize;
		return STATFS_OUT_SIZE;
	}

	/** fuse_lk_out. @returns its size */
	putLock(start: bigint, end: bigint, type: number, pid: number): number {
		this.u64[2] = start;
		this.u64[3] = end;
		this.u32[8] = type;
		this.u32[9] = pid;
		return 24;
	}

	/** fuse_dirent at `offset` (a multiple of 8), padded. @returns the offset behind it */
	putDirent(offset: number, name: Buffer, ino: bigint, type: number, nextOffset: bigint): number {
		const at = offset >>> 2;
		this.u64[offset >>> 3] = ino;
		this.u64[(offset >>> 3) + 1] = nextOffset;
		this.u32[at + 4] = name.length;
		this.u32[at + 5] = type;
		const next = offset + direntSize(name.length);
		// The pad is inside the last eight bytes; zero them first, the name then overwrites its part.
		this.u64[(next >>> 3) - 1] = name.length === 0 ? this.u64[(next >>> 3) - 1]! : 0n;
		this.memory.set(name, offset + DIRENT_SIZE);
		return next;
	}

	/**
	 * As `putDirent`, from a record of getdents64(2): the same numbers at other places, word by word, since thousands of
	 * bigints and views would be most of the work.
	 * @param at where the record begins, a multiple of 8. @param nameLength bytes of its name, from `at + 19` on
	 */
	putRecord(offset: number, records: Uint8Array, words: Uint32Array, at: number, nameLength: number): number {
		const {u32, memory} = this;
		const to = offset >>> 2;
		const from = at >>> 2;
		for (let i = 0; i < 4; i++) u32[to + i] = words[from + i]!;
		u32[to + 4] = nameLength;
		u32[to + 5] = (words[from + 4]! >>> 16) & 0xff;
		const next = offset + direntSize(nameLength);
		u32[(next >>> 2) - 2] = 0;
		u32[(next >>> 2) - 1] = 0;
		for (let i = 0; i < nameLength; i++) memory[offset + DIRENT_SIZE + i] = records[at + RECORD_NAME + i]!;
		return next;
	}

	/** An all-zero fuse_entry_out at `offset`: in READDIRPLUS an entry without a node. */
	putNoEntry(offset: number): void {
		this.u32.fill(0, offset >>> 2, (offset + ENTRY_OUT_SIZE) >>> 2);
	}
}

/** FUSE_DIRENT_SIZE: the struct and the name, padded to 8. */
export const direntSize = (nameLength: number): number => (DIRENT_SIZE + nameLength + 7) & ~7;

/** A whole reply that carries only an error, for a request that another thread holds. @param error a negative errno */
export const encodeErrorReply = (
	into: Buffer,
	uniqueLow: number,
	uniqueHigh: number,
	error: number,
): number => {
	into.writeUInt32LE(OUT_HEADER_SIZE, 0);
	into.writeInt32LE(error, 4);
	into.writeInt32LE(uniqueLow, 8);
	into.writeInt32LE(uniqueHigh, 12);
	return OUT_HEADER_SIZE;
};
