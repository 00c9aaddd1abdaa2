/** The POSIX locks that one owner has on one file, so that they can be had again in another generation. Pure. */
import {F} from '../posix/locks.ts';

export interface LockRange {
	/** F.RDLCK or F.WRLCK. */
	readonly type: number;
	readonly start: bigint;
	/** The last byte, inclusive. */
	readonly end: bigint;
	/** Process that took it, for F_GETLK. */
	readonly pid: number;
}

/** All that one owner has on one file. */
export interface OwnedLocks {
	/** The file handle through which the last one came: with its release they end, whoever the owner is. */
	readonly via: number;
	readonly ranges: readonly LockRange[];
}

/** `via`, s32, and padding. */
const HEADER_BYTES = 8;
/** Bytes of one range: type s32, pid s32, start u64, end u64. */
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
	if (change.type !== F.UNLCK) {
		const {type, start, end, pid} = change;
		after.push({type, start, end, pid});
	}
	return after;
};

/** Whether the held range is in the way of the wanted one. */
export const conflicts = (held: LockRange, wanted: Pick<LockRange, 'type' | 'start' | 'end'>): boolean =>
	(held.type === F.WRLCK || wanted.type === F.WRLCK) && held.start <= wanted.end && wanted.start <= held.end;

export const encodeLocks = ({via, ranges}: OwnedLocks): Buffer => {
	const out = Buffer.alloc(HEADER_BYTES + ranges.length * RANGE_BYTES);
	out.writeInt32LE(via, 0);
	for (const [i, {type, pid, start, end}] of ranges.entries()) {
		const at = HEADER_BYTES + i * RANGE_BYTES;
		out.writeInt32LE(type, at);
		out.writeInt32LE(pid, at + 4);
		out.writeBigUInt64LE(start, at + 8);
		out.writeBigUInt64LE(end, at + 16);
	}
	return out;
};

/** @param bytes of `encodeLocks`, or none: nothing is held */
export const decodeLocks = (bytes: Buffer): OwnedLocks => ({
	via: bytes.length < HEADER_BYTES ? 0 : bytes.readInt32LE(0),
	ranges: Array.from(
		{length: Math.max(0, Math.floor((bytes.length - HEADER_BYTES) / RANGE_BYTES))},
		(_, i) => {
			const at = HEADER_BYTES + i * RANGE_BYTES;
			return {
				type: bytes.readInt32LE(at),
				pid: bytes.readInt32LE(at + 4),
				start: bytes.readBigUInt64LE(at + 8),
				end: bytes.readBigUInt64LE(at + 16),
			};
		},
	),
});
