/**
 * What a filesystem gives to the FUSE layer. All operations are synchronous and run on a worker thread; whichever may
 * block does so on its own thread only. Nothing here throws for an operating error: failures are negative errnos, as the
 * kernel protocol carries them.
 */
/* eslint-disable @typescript-eslint/no-duplicate-type-constituents -- `number | NegativeErrno` says what each half means */

/** A negative errno: -2 is ENOENT. */
export type NegativeErrno = number;

/** Who asks; from `fuse_in_header`. The object is reused for the next request: copy what must outlive the call. */
export interface Caller {
	readonly unique: bigint;
	readonly uid: number;
	readonly gid: number;
	/** Thread id of the caller in the daemon's pid namespace, 0 when it is in another one. */
	readonly pid: number;
	/** The one supplementary group that matches the parent directory's group (FUSE_CREATE_SUPP_GROUP), else undefined. */
	readonly suppGroup: number | undefined;
}

/** Attributes as `struct statx` in a buffer of 256 bytes (posix/statx.ts): the same layout on every architecture. */
export interface Attributes {
	readonly statx: Buffer;
	/** ANDed with the mode's permission bits before it goes to the kernel: 0o7555 hides the write bits. */
	readonly modeMask: number;
}

/** Answer to LOOKUP, MKNOD, MKDIR, SYMLINK, LINK and part of CREATE: takes one lookup reference on `nodeid`. */
export interface Entry extends Attributes {
	/** 0 with an `entryTimeoutMs` is a cached negative entry (LOOKUP only). */
	readonly nodeid: number;
	readonly generation: number;
	readonly entryTimeoutMs: number;
	readonly attrTimeoutMs: number;
}

export interface AttrReply extends Attributes {
	readonly attrTimeoutMs: number;
}

export interface OpenReply {
	/** Handle number, chosen by the filesystem, below 2^31. */
	readonly fh: number;
	/** FOPEN_* bits. */
	readonly openFlags: number;
}

/** SETATTR: only what stands here is to change. Times in seconds (64-bit signed) and nanoseconds, or 'now'. */
export interface SetAttr {
	readonly fh: number | undefined;
	readonly mode: number | undefined;
	readonly uid: number | undefined;
	readonly gid: number | undefined;
	readonly size: bigint | undefined;
	readonly atime: {readonly sec: bigint; readonly nsec: number} | 'now' | undefined;
	readonly mtime: {readonly sec: bigint; readonly nsec: number} | 'now' | undefined;
	/** FATTR_KILL_SUIDGID. */
	readonly killSuidgid: boolean;
}

export interface LockRequest {
	readonly fh: number;
	readonly owner: bigint;
	readonly start: bigint;
	readonly end: bigint;
	/** F_RDLCK 0, F_WRLCK 1, F_UNLCK 2. */
	readonly type: number;
	readonly pid: number;
	readonly flock: boolean;
}

/** Names are NUL-terminated views into the request's buffer; `length` is without the NUL, which stands right behind. */
export type Name = Buffer;

/**
 * READDIR/READDIRPLUS fill: returns false when the entry does not fit any more (then nothing was written, and no lookup
 * reference may be kept for it). Only READDIRPLUS takes `entry`, and a lookup reference with it, except for `.` and `..`.
 */
export interface DirSink {
	/** @param nextOffset the cookie that continues after this entry */
	add(name: Buffer, ino: bigint, dtype: number, nextOffset: bigint, entry?: Entry): boolean;
	/**
	 * As `add` without an entry, for a record as getdents64(2) gave it.
	 * @param words the same memory as `records`
	 * @param at where the record begins, a multiple of 8
	 */
	addRecord(records: Buffer, words: Uint32Array, at: number): boolean;
}

export interface StatfsReply {
	readonly blocks: bigint;
	readonly bfree: bigint;
	readonly bavail: bigint;
	readonly files: bigint;
	readonly ffree: bigint;
	readonly bsize: number;
	readonly namelen: number;
	readonly frsize: number;
}

export interface FilesystemOps {
	/**
	 * Whether this request is answered from memory, without touching anything that can hang. Called before every
	 * dispatch, on every thread; must be quick. The last free thread runs only requests for which this is true.
	 * Asked for FORGET and BATCH_FORGET (nodeid 0) too.
	 * @param opcode OPCODE.* of wire/abi.ts
	 * @param fh -1 when the request has none
	 */
	isLocal(opcode: number, nodeid: number, fh: number, name: Name | undefined): boolean;

	lookup(caller: Caller, parent: number, name: Name): Entry | NegativeErrno;
	forget(nodeid: number, nlookup: number): void;
	getattr(caller: Caller, nodeid: number, fh: number | undefined): AttrReply | NegativeErrno;
	setattr(caller: Caller, nodeid: number, change: SetAttr): AttrReply | NegativeErrno;
	/** @returns bytes written into `into` */
	readlink(caller: Caller, nodeid: number, into: Buffer): number | NegativeErrno;
	symlink(caller: Caller, parent: number, name: Name, target: Name): Entry | NegativeErrno;
	mknod(
		caller: Caller,
		parent: number,
		name: Name,
		mode: number,
		rdev: number,
		umask: number,
	): Entry | NegativeErrno;
	mkdir(caller: Caller, parent: number, name: Name, mode: number, umask: number): Entry | NegativeErrno;
	unlink(caller: Caller, parent: number, name: Name): NegativeErrno;
	rmdir(caller: Caller, parent: number, name: Name): NegativeErrno;
	/** `flags`: RENAME_NOREPLACE 1, RENAME_EXCHANGE 2. */
	rename(
		caller: Caller,
		parent: number,
		name: Name,
		newParent: number,
		newName: Name,
		flags: number,
	): NegativeErrno;
	link(caller: Caller, nodeid: number, newParent: number, newName: Name): Entry | NegativeErrno;
	/** @param killSuidgid with O_TRUNC: the caller may not keep the file's set-id bits (FUSE_OPEN_KILL_SUIDGID) */
	open(caller: Caller, nodeid: number, flags: number, killSuidgid: boolean): OpenReply | NegativeErrno;
	create(
		caller: Caller,
		parent: number,
		name: Name,
		flags: number,
		mode: number,
		umask: number,
	): {readonly entry: Entry; readonly open: OpenReply} | NegativeErrno;
	/** Reads into `into` (its length is the size asked for). @returns bytes read */
	read(
		caller: Caller,
		nodeid: number,
		fh: number,
		offset: bigint,
		flags: number,
		into: Buffer,
	): number | NegativeErrno;
	/**
	 * @param killSuidgid the caller may not keep the file's set-id bits (FUSE_WRITE_KILL_SUIDGID)
	 * @returns bytes written
	 */
	write(
		caller: Caller,
		nodeid: number,
		fh: number,
		offset: bigint,
		flags: number,
		data: Buffer,
		killSuidgid: boolean,
	): number | NegativeErrno;
	flush(caller: Caller, nodeid: number, fh: number, lockOwner: bigint): NegativeErrno;
	/** `flockOwner` is set when FUSE_RELEASE_FLOCK_UNLOCK was. */
	release(caller: Caller, nodeid: number, fh: number, flockOwner: bigint | undefined): void;
	fsync(caller: Caller, nodeid: number, fh: number, dataOnly: boolean): NegativeErrno;
	opendir(caller: Caller, nodeid: number, flags: number): OpenReply | NegativeErrno;
	readdir(
		caller: Caller,
		nodeid: number,
		fh: number,
		offset: bigint,
		sink: DirSink,
		plus: boolean,
	): NegativeErrno;
	releasedir(caller: Caller, nodeid: number, fh: number): void;
	fsyncdir(caller: Caller, nodeid: number, fh: number, dataOnly: boolean): NegativeErrno;
	statfs(caller: Caller, nodeid: number): StatfsReply | NegativeErrno;
	setxattr(caller: Caller, nodeid: number, name: Name, value: Buffer, flags: number): NegativeErrno;
	/** `into` empty: only the size is asked for. @returns size; -ERANGE when it does not fit */
	getxattr(caller: Caller, nodeid: number, name: Name, into: Buffer): number | NegativeErrno;
	listxattr(caller: Caller, nodeid: number, into: Buffer): number | NegativeErrno;
	removexattr(caller: Caller, nodeid: number, name: Name): NegativeErrno;
	fallocate(
		caller: Caller,
		nodeid: number,
		fh: number,
		mode: number,
		offset: bigint,
		length: bigint,
	): NegativeErrno;
	lseek(caller: Caller, nodeid: number, fh: number, offset: bigint, whence: number): bigint | NegativeErrno;
	copyFileRange(
		caller: Caller,
		from: {readonly fh: number; readonly offset: bigint},
		to: {readonly nodeid: number; readonly fh: number; readonly offset: bigint},
		length: bigint,
	): number | NegativeErrno;
	tmpfile(
		caller: Caller,
		parent: number,
		flags: number,
		mode: number,
		umask: number,
	): {readonly entry: Entry; readonly open: OpenReply} | NegativeErrno;
	getlk(caller: Caller, nodeid: number, lock: LockRequest): LockRequest | NegativeErrno;
	/** Never waits: -EAGAIN when somebody else has the lock. Whoever wants to wait for it is asked about again and again. */
	setlk(caller: Caller, nodeid: number, lock: LockRequest): NegativeErrno;

	/**
	 * The kernel did not take the answer (the request was interrupted or had passed its deadline): undo what it would
	 * have given away: one lookup reference (`entry`), one open handle (`fh`).
	 */
	undo(given: {readonly nodeid?: number; readonly fh?: number; readonly directory?: boolean}): void;
}
