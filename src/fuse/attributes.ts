/** Turns a filesystem's answers (statx and time-outs) into fuse_attr, fuse_attr_out, fuse_entry_out and directory entries. */
import {OUT_HEADER_SIZE, ENTRY_OUT_SIZE} from './wire/abi.ts';
import {direntSize, type ReplyBuffer} from './wire/reply.ts';
import type {AttrReply, Attributes, DirSink, Entry} from './filesystem.ts';
import {nameLengthOf} from '../posix/dents.ts';
import {STATX} from '../posix/statx.ts';

/** The file type bits of a mode. */
const S_IFMT = 0o170000;

const copy64 = (out: Uint32Array, to: number, from: DataView, at: number): void => {
	out[to] = from.getUint32(at, true);
	out[to + 1] = from.getUint32(at + 4, true);
};

/** Encodes for one thread: it remembers a view of the statx buffer, which is the same one nearly always. */
export class AttributeEncoder {
	readonly #reply: ReplyBuffer;
	#statx: Buffer | undefined;
	#view: DataView = new DataView(new ArrayBuffer(0));

	constructor(reply: ReplyBuffer) {
		this.#reply = reply;
	}

	/** fuse_attr_out as the whole payload. @returns its size */
	attrOut(answer: AttrReply): number {
		const {u32} = this.#reply;
		this.#reply.putNumber(16, Math.trunc(answer.attrTimeoutMs / 1000));
		u32[6] = (answer.attrTimeoutMs % 1000) * 1_000_000;
		u32[7] = 0;
		this.#attr(32, answer);
		return 104;
	}

	/** fuse_entry_out at `offset`. @returns its size */
	entryOut(offset: number, entry: Entry): number {
		const reply = this.#reply;
		const at = offset >>> 2;
		reply.putNumber(offset, entry.nodeid);
		reply.putNumber(offset + 8, entry.generation);
		reply.putNumber(offset + 16, Math.trunc(entry.entryTimeoutMs / 1000));
		reply.putNumber(offset + 24, Math.trunc(entry.attrTimeoutMs / 1000));
		reply.u32[at + 8] = (entry.entryTimeoutMs % 1000) * 1_000_000;
		reply.u32[at + 9] = (entry.attrTimeoutMs % 1000) * 1_000_000;
		this.#attr(offset + 40, entry);
		return ENTRY_OUT_SIZE;
	}

	/** fuse_attr at `offset`: copied in 32-bit halves, since bigints would be garbage on the hottest path. */
	#attr(offset: number, attributes: Attributes): void {
		const {statx} = attributes;
		if (statx !== this.#statx) {
			this.#statx = statx;
			this.#view = new DataView(statx.buffer, statx.byteOffset, statx.length);
		}
		const view = this.#view;
		const out = this.#reply.u32;
		const at = offset >>> 2;
		copy64(out, at + 0, view, STATX.ino);
		copy64(out, at + 2, view, STATX.size);
		copy64(out, at + 4, view, STATX.blocks);
		copy64(out, at + 6, view, STATX.atimeSec);
		copy64(out, at + 8, view, STATX.mtimeSec);
		copy64(out, at + 10, view, STATX.ctimeSec);
		out[at + 12] = view.getUint32(STATX.atimeNsec, true);
		out[at + 13] = view.getUint32(STATX.mtimeNsec, true);
		out[at + 14] = view.getUint32(STATX.ctimeNsec, true);
		out[at + 15] = view.getUint16(STATX.mode, true) & (S_IFMT | attributes.modeMask);
		out[at + 16] = view.getUint32(STATX.nlink, true);
		out[at + 17] = view.getUint32(STATX.uid, true);
		out[at + 18] = view.getUint32(STATX.gid, true);
		out[at + 19] = encodeDevice(view.getUint32(STATX.rdevMajor, true), view.getUint32(STATX.rdevMinor, true));
		out[at + 20] = view.getUint32(STATX.blksize, true);
		out[at + 21] = 0;
	}
}

/** new_encode_dev() of the kernel, include/linux/kdev_t.h. */
export const encodeDevice = (major: number, minor: number): number =>
	((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;

const DOT = 0x2e;
const isDotOrDotDot = (name: Buffer): boolean =>
	name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));

/** Collects the entries of one READDIR or READDIRPLUS in the reply buffer. One per thread, `reset` for each request. */
export class DirBuffer implements DirSink {
	readonly #reply: ReplyBuffer;
	readonly #encoder: AttributeEncoder;
	#at = OUT_HEADER_SIZE;
	#end = OUT_HEADER_SIZE;
	#plus = false;
	/** Nodes that got a lookup reference; `.` and `..` never do (the kernel takes none for them). */
	readonly given: number[] = [];

	constructor(reply: ReplyBuffer, encoder: AttributeEncoder) {
		this.#reply = reply;
		this.#encoder = encoder;
	}

	/** @param size bytes that the kernel asked for */
	reset(size: number, plus: boolean): void {
		this.#at = OUT_HEADER_SIZE;
		this.#end = OUT_HEADER_SIZE + Math.min(size, this.#reply.capacity);
		this.#plus = plus;
		this.given.length = 0;
	}

	/** Bytes of payload so far. */
	get size(): number {
		return this.#at - OUT_HEADER_SIZE;
	}

	add(name: Buffer, ino: bigint, dtype: number, nextOffset: bigint, entry?: Entry): boolean {
		const size = direntSize(name.length) + (this.#plus ? ENTRY_OUT_SIZE : 0);
		if (this.#at + size > this.#end) return false;
		if (this.#plus) {
			if (entry === undefined) this.#reply.putNoEntry(this.#at);
			else this.#encoder.entryOut(this.#at, entry);
			if (entry !== undefined && entry.nodeid !== 0 && !isDotOrDotDot(name)) this.given.push(entry.nodeid);
			this.#at += ENTRY_OUT_SIZE;
		}
		this.#at = this.#reply.putDirent(this.#at, name, ino, dtype, nextOffset);
		return true;
	}

	addRecord(records: Buffer, words: Uint32Array, at: number): boolean {
		const nameLength = nameLengthOf(records, at);
		const size = direntSize(nameLength) + (this.#plus ? ENTRY_OUT_SIZE : 0);
		if (this.#at + size > this.#end) return false;
		if (this.#plus) {
			this.#reply.putNoEntry(this.#at);
			this.#at += ENTRY_OUT_SIZE;
		}
		this.#at = this.#reply.putRecord(this.#at, records, words, at, nameLength);
		return true;
	}
}
