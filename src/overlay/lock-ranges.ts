/** The POSIX locks that one owner has on one file, so that they can be had again in another generation. Pure. */
import {F} from '../posix/locks.ts';

export interface LockRange {
	/** F.RDLCK or F.WRLCK. */
	readonly type: number;
	readonly start: bigint;
	/** The last byte, inclusive. */
	readonly end: bigint;
}

/** Bytes of one range: type s32, padding, start u64, end u64. */
const RANGE_BYTES = 24;

/** What is held after a lock or, with F.UNLCK, an unlock: the newest counts where they overlap. fcntl(2) */
export const applyLock = (held: readonly LockRange[], change: LockRange): LockRange[] => {
	const after: LockRange[] = [];
	for (const range of held) {
		if (range.start < change.start)
			after.push({...range, end: range.end < change.start ? range.end : change.start - 1n});
		if (range.end > change.end)
			after.push({...range, start: range.start > change.end ? range.start : change.end + 1n});
	}
	if (change.type !== F.UNLCK) after.push({type: change.type, start: change.start, end: change.end});
	return after;
};

export const encodeRanges = (ranges: readonly LockRange[]): Buffer => {
	const out = Buffer.alloc(ranges.length * RANGE_BYTES);
	for (const [i, {type, start, end}] of ranges.entries()) {
		out.writeInt32LE(type, i * RANGE_BYTES);
		out.writeBigUInt64LE(start, i * RANGE_BYTES + 8);
		out.writeBigUInt64LE(end, i * RANGE_BYTES + 16);
	}
	return out;
};

export const decodeRanges = (bytes: Buffer): LockRange[] =>
	Array.from({length: Math.floor(bytes.length / RANGE_BYTES)}, (_, i) => ({
		type: bytes.readInt32LE(i * RANGE_BYTES),
		start: bytes.readBigUInt64LE(i * RANGE_BYTES + 8),
		end: bytes.readBigUInt64LE(i * RANGE_BYTES + 16),
	}));
