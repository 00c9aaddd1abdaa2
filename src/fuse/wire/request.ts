/** One request as it lies in the read buffer: checked once against its length, then read field by field without copies. */
import {
	FUSE_EXT_GROUPS,
	IN_HEADER_SIZE,
	OPCODE,
	OPCODE_LIMIT,
	READ_BUFFER_SLACK,
	WRITE_DATA_OFFSET,
	type OpcodeName,
} from './abi.ts';

/** Why a message is no request. None of these comes from a sane kernel. */
export type ParseFailure = 'short' | 'length' | 'opcode' | 'number' | 'truncated' | 'name';

interface Shape {
	/** Bytes of the fixed struct behind the header. */
	readonly fixed: number;
	/** NUL-terminated strings behind it. */
	readonly names: 0 | 1 | 2;
	/** The message offset of the file handle; 0: it has none. */
	readonly fh: number;
	/** The first string may hold a slash (it names no directory entry). */
	readonly slash?: boolean;
}

const s = (fixed: number, names: 0 | 1 | 2 = 0, fh = 0, slash = false): Shape => ({fixed, names, fh, slash});

/** What is refused by its opcode alone: the body is never looked at. */
const UNREAD = s(0);

/** The struct that each opcode carries, with the sizes that our INIT answer leads to (SETXATTR: the 8-byte one). */
const SHAPES: Readonly<Record<OpcodeName, Shape>> = {
	LOOKUP: s(0, 1),
	FORGET: s(8),
	GETATTR: s(16),
	SETATTR: s(88),
	READLINK: s(0),
	SYMLINK: s(0, 2),
	MKNOD: s(16, 1),
	MKDIR: s(8, 1),
	UNLINK: s(0, 1),
	RMDIR: s(0, 1),
	RENAME: s(8, 2),
	LINK: s(8, 1),
	OPEN: s(8),
	READ: s(40, 0, 40),
	WRITE: s(40, 0, 40),
	STATFS: s(0),
	RELEASE: s(24, 0, 40),
	FSYNC: s(16, 0, 40),
	SETXATTR: s(8, 1, 0, true),
	GETXATTR: s(8, 1, 0, true),
	LISTXATTR: s(8),
	REMOVEXATTR: s(0, 1, 0, true),
	FLUSH: s(24, 0, 40),
	INIT: s(16),
	OPENDIR: s(8),
	READDIR: s(40, 0, 40),
	RELEASEDIR: s(24, 0, 40),
	FSYNCDIR: s(16, 0, 40),
	GETLK: s(48, 0, 40),
	SETLK: s(48, 0, 40),
	SETLKW: s(48, 0, 40),
	ACCESS: s(8),
	CREATE: s(16, 1),
	INTERRUPT: s(8),
	BMAP: UNREAD,
	DESTROY: s(0),
	IOCTL: UNREAD,
	POLL: UNREAD,
	NOTIFY_REPLY: UNREAD,
	BATCH_FORGET: s(8),
	FALLOCATE: s(32, 0, 40),
	READDIRPLUS: s(40, 0, 40),
	RENAME2: s(16, 2),
	LSEEK: s(24, 0, 40),
	COPY_FILE_RANGE: s(56, 0, 40),
	SETUPMAPPING: UNREAD,
	REMOVEMAPPING: UNREAD,
	SYNCFS: UNREAD,
	// The kernel sends its placeholder "/" as the name of a file that has none.
	TMPFILE: s(16, 1, 0, true),
	STATX: UNREAD,
	COPY_FILE_RANGE_64: UNREAD,
};
const BY_OPCODE: (Shape | undefined)[] = new Array<Shape | undefined>(OPCODE_LIMIT).fill(undefined);
for (const [name, opcode] of Object.entries(OPCODE)) BY_OPCODE[opcode] = SHAPES[name as OpcodeName];

const NUL = 0;
const SLASH = 0x2f;

/** A read buffer and the request in it. One per thread, reused for every request. */
export class RequestBuffer {
	readonly memory: Buffer;
	readonly u32: Uint32Array;
	readonly #i64: BigInt64Array;
	/** Bytes of the message; set by `parse`. */
	length = 0;
	opcode = 0;
	nodeid = 0;
	/** The file handle; -1 when the request has none. */
	fh = -1;
	/** The first and second string; views into `memory`, valid until the next read. */
	name: Buffer | undefined;
	secondName: Buffer | undefined;
	/** Where what follows the strings begins (the value of SETXATTR), and where it ends. */
	tail = 0;
	end = 0;
	#data: Buffer | undefined;

	/** @param maxWrite the negotiated max_write, bytes */
	constructor(maxWrite: number) {
		this.memory = Buffer.allocUnsafeSlow(maxWrite + READ_BUFFER_SLACK);
		this.u32 = new Uint32Array(this.memory.buffer, this.memory.byteOffset);
		this.#i64 = new BigInt64Array(this.memory.buffer, this.memory.byteOffset);
	}

	/** Halves of the request's number, without a bigint. Only after a `parse` that didn't say 'short'. */
	get uniqueLow(): number {
		return this.u32[2]! | 0;
	}
	get uniqueHigh(): number {
		return this.u32[3]! | 0;
	}

	/** Field readers take offsets in the message; `parse` has made sure that those of the opcode's struct are there. */
	uint32(offset: number): number {
		return this.u32[offset >>> 2]!;
	}
	int64(offset: number): bigint {
		return this.#i64[offset >>> 3]!;
	}
	uint64(offset: number): bigint {
		return BigInt.asUintN(64, this.#i64[offset >>> 3]!);
	}
	/** A 64-bit field as a number; exact below 2^53. */
	number(offset: number): number {
		return this.u32[(offset >>> 2) + 1]! * 0x1_0000_0000 + this.u32[offset >>> 2]!;
	}

	/** The data of a WRITE: a view, kept while the size stays the same. */
	writeData(): Buffer {
		const size = this.uint32(56);
		if (this.#data?.length !== size)
			this.#data = this.memory.subarray(WRITE_DATA_OFFSET, WRITE_DATA_OFFSET + size);
		return this.#data;
	}

	/**
	 * Checks the message in `memory` and finds its parts; reads nothing beyond `length`.
	 * @param length bytes that were read
	 * @returns undefined when it is a whole request of a known opcode
	 */
	parse(length: number): ParseFailure | undefined {
		this.length = length;
		this.name = undefined;
		this.secondName = undefined;
		this.fh = -1;
		if (length < IN_HEADER_SIZE || length > this.memory.length) return 'short';
		if (this.u32[0] !== length) return 'length';
		this.opcode = this.u32[1]!;
		const shape = BY_OPCODE[this.opcode];
		if (shape === undefined) return 'opcode';
		if (this.u32[5]! > 0x1f_ffff) return 'number';
		this.nodeid = this.number(16);
		this.end = length - (this.u32[9]! & 0xffff) * 8;
		this.tail = IN_HEADER_SIZE + shape.fixed;
		if (this.end < this.tail) return 'truncated';
		if (shape.fh !== 0 && !this.#takeHandle(shape.fh)) return 'number';
		if (shape.names > 0) return this.#takeNames(shape);
		if (this.opcode === OPCODE.WRITE && this.uint32(56) > this.end - WRITE_DATA_OFFSET) return 'truncated';
		if (this.opcode === OPCODE.BATCH_FORGET && this.uint32(40) > (this.end - 48) >>> 4) return 'truncated';
		return undefined;
	}

	/** Handles are ours and below 2^31. */
	#takeHandle(offset: number): boolean {
		this.fh = this.u32[offset >>> 2]! | 0;
		return this.u32[(offset >>> 2) + 1] === 0 && this.fh >= 0;
	}

	#takeNames(shape: Shape): ParseFailure | undefined {
		this.name = this.#takeName(shape.slash === true);
		if (this.name === undefined) return 'name';
		if (shape.names === 2) {
			this.secondName = this.#takeName(this.opcode === OPCODE.SYMLINK);
			if (this.secondName === undefined) return 'name';
		}
		if (this.opcode === OPCODE.SETXATTR)
			return this.end - this.tail === this.uint32(40) ? undefined : 'truncated';
		return this.tail === this.end ? undefined : 'name';
	}

	/** The next NUL-terminated string, at least one byte long, without the NUL. */
	#takeName(slash: boolean): Buffer | undefined {
		const start = this.tail;
		let at = start;
		for (; at < this.end; at++) {
			const byte = this.memory[at]!;
			if (byte === NUL) break;
			if (byte === SLASH && !slash) return undefined;
		}
		if (at === start || at >= this.end) return undefined;
		this.tail = at + 1;
		return this.memory.subarray(start, at);
	}

	/** The one supplementary group in the extensions behind `end` (FUSE_CREATE_SUPP_GROUP), if any. */
	suppGroup(): number | undefined {
		let at = this.end;
		while (this.length - at >= 16) {
			const size = this.memory.readUInt32LE(at);
			if (size < 8 || size > this.length - at) return undefined;
			const groups = this.memory.readUInt32LE(at + 4) === FUSE_EXT_GROUPS && size >= 16;
			if (groups && this.memory.readUInt32LE(at + 8) >= 1) return this.memory.readUInt32LE(at + 12);
			at += (size + 7) & ~7;
		}
		return undefined;
	}
}
