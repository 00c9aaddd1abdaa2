/** What tells one file of the backing filesystem from another: taken from its attributes. */
import {STATX} from '../posix/statx.ts';

/** STATX_BTIME, linux/stat.h: the mask bit that says that the birth time is valid. */
const STATX_BTIME = 0x800;
const S_IFMT = 0o170000;

export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

/**
 * Inode number (64 bits in two words), file type, and a digest of the birth time where the backing knows it: local
 * filesystems reuse inode numbers at once, GlusterFS (numbers derived from the gfid, no birth times) does not.
 */
export interface Identity {
	inoLow: number;
	inoHigh: number;
	/** 0: unknown. */
	birth: number;
	/** S_IFMT bits of the mode. */
	type: number;
}

/** Reads the identity out of a `struct statx`. The result is `into`, so that the hot path allocates nothing. */
export const readIdentity = (attributes: Buffer, into: Identity): Identity => {
	into.inoLow = attributes.readInt32LE(STATX.ino);
	into.inoHigh = attributes.readInt32LE(STATX.ino + 4);
	into.type = attributes.readUInt16LE(STATX.mode) & S_IFMT;
	into.birth =
		(attributes.readUInt32LE(STATX.mask) & STATX_BTIME) === 0
			? 0
			: Math.imul(attributes.readInt32LE(STATX.btimeSec), 0x9e3779b1) ^
				attributes.readInt32LE(STATX.btimeNsec) ^
				1;
	return into;
};

export const newIdentity = (): Identity => ({inoLow: 0, inoHigh: 0, birth: 0, type: 0});

/** Whether two identities are the same file, as far as one can tell. */
export const sameIdentity = (a: Identity, b: Identity): boolean =>
	a.inoLow === b.inoLow &&
	a.inoHigh === b.inoHigh &&
	a.type === b.type &&
	(a.birth === b.birth || a.birth === 0 || b.birth === 0);
