/** Arguments of operations that are too large for a line: locks and SETATTR, from the request's fields. */
import type {LockRequest, SetAttr} from './filesystem.ts';
import {FATTR, FUSE_LK_FLOCK} from './wire/abi.ts';
import type {RequestBuffer} from './wire/request.ts';

/** fuse_lk_in. */
export const lockOf = (r: RequestBuffer): LockRequest => ({
	fh: r.fh,
	owner: r.uint64(48),
	start: r.uint64(56),
	end: r.uint64(64),
	type: r.uint32(72),
	pid: r.uint32(76),
	flock: (r.uint32(80) & FUSE_LK_FLOCK) !== 0,
});

const timeOf = (
	r: RequestBuffer,
	bit: number,
	nowBit: number,
	secAt: number,
	nsecAt: number,
): SetAttr['atime'] => {
	const valid = r.uint32(40);
	if ((valid & bit) === 0) return undefined;
	return (valid & nowBit) !== 0 ? 'now' : {sec: r.int64(secAt), nsec: r.uint32(nsecAt)};
};

/** fuse_setattr_in. */
export const setAttrOf = (r: RequestBuffer): SetAttr => {
	const valid = r.uint32(40);
	return {
		fh: (valid & FATTR.FH) !== 0 ? r.uint32(48) & 0x7fff_ffff : undefined,
		mode: (valid & FATTR.MODE) !== 0 ? r.uint32(108) : undefined,
		uid: (valid & FATTR.UID) !== 0 ? r.uint32(116) : undefined,
		gid: (valid & FATTR.GID) !== 0 ? r.uint32(120) : undefined,
		size: (valid & FATTR.SIZE) !== 0 ? r.uint64(56) : undefined,
		atime: timeOf(r, FATTR.ATIME, FATTR.ATIME_NOW, 72, 96),
		mtime: timeOf(r, FATTR.MTIME, FATTR.MTIME_NOW, 80, 100),
		killSuidgid: (valid & FATTR.KILL_SUIDGID) !== 0,
	};
};
