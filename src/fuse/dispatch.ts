/** Carries a parsed request to the filesystem's operation and encodes its answer; the table of all opcodes. */
import {lockOf, setAttrOf} from './arguments.ts';
import {AttributeEncoder, DirBuffer} from './attributes.ts';
import type {AttrReply, Caller, Entry, FilesystemOps, NegativeErrno, OpenReply} from './filesystem.ts';
import {
	ENTRY_OUT_SIZE,
	FATTR,
	FUSE_FSYNC_FDATASYNC,
	FUSE_GETATTR_FH,
	FUSE_OPEN_KILL_SUIDGID,
	FUSE_RELEASE_FLOCK_UNLOCK,
	FUSE_WRITE_KILL_SUIDGID,
	OPCODE_LIMIT,
	OPCODE,
	OPEN_OUT_SIZE,
	OUT_HEADER_SIZE,
	type OpcodeName,
} from './wire/abi.ts';
import type {ReplyBuffer} from './wire/reply.ts';
import type {RequestBuffer} from './wire/request.ts';
import {ERRNO} from '../posix/errno.ts';
import {F} from '../posix/locks.ts';

/** Instead of a payload size: this request has no answer at all. */
export const NO_REPLY = 0x7fff_ffff;
/** Instead of a payload size: a lock that somebody has and the client waits for; to be tried again (lock-waits.ts). */
export const WAITS = 0x7fff_fffe;

type Handler = (d: Dispatcher, r: RequestBuffer) => number;

/** Who asks, read from the request buffer when asked for. */
class RequestCaller implements Caller {
	readonly #request: RequestBuffer;

	constructor(request: RequestBuffer) {
		this.#request = request;
	}
	get unique(): bigint {
		return this.#request.uint64(8);
	}
	get uid(): number {
		return this.#request.uint32(24);
	}
	get gid(): number {
		return this.#request.uint32(28);
	}
	get pid(): number {
		return this.#request.uint32(32);
	}
	get suppGroup(): number | undefined {
		return this.#request.suppGroup();
	}
}

/** One thread's way from requests to answers. */
export class Dispatcher {
	readonly ops: FilesystemOps;
	readonly request: RequestBuffer;
	readonly reply: ReplyBuffer;
	readonly encoder: AttributeEncoder;
	readonly directory: DirBuffer;
	readonly caller: Caller;
	/** What the answer gives away, for `undo`; 0 and -1 stand for nothing. */
	givenNode = 0;
	givenHandle = -1;

	constructor(ops: FilesystemOps, request: RequestBuffer, reply: ReplyBuffer) {
		this.ops = ops;
		this.request = request;
		this.reply = reply;
		this.encoder = new AttributeEncoder(reply);
		this.directory = new DirBuffer(reply, this.encoder);
		this.caller = new RequestCaller(request);
	}

	/** @returns bytes of payload in `reply`, a negative errno, or NO_REPLY. Throws only what an operation throws. */
	run(): number {
		this.givenNode = 0;
		this.givenHandle = -1;
		this.directory.given.length = 0;
		const handler = HANDLERS[this.request.opcode];
		if (handler === undefined) return -ERRNO.ENOSYS;
		const result = handler(this, this.request);
		// The kernel remembers ENOSYS for the life of the mount; only NOT_OFFERED says it, on purpose.
		return result === -ERRNO.ENOSYS && handler !== NOT_OFFERED ? -ERRNO.EOPNOTSUPP : result;
	}

	/** The kernel did not take the answer of the last `run`: takes back what it would have given. */
	undo(result: number): void {
		if (result < 0) return;
		const {opcode} = this.request;
		if (this.givenNode !== 0 || this.givenHandle >= 0)
			this.ops.undo({
				...(this.givenNode !== 0 && {nodeid: this.givenNode}),
				...(this.givenHandle >= 0 && {fh: this.givenHandle}),
				...(opcode === OPCODE.OPENDIR && {directory: true}),
			});
		for (const nodeid of this.directory.given) this.ops.undo({nodeid});
		if (opcode === OPCODE.SETLKW && lockOf(this.request).type !== F.UNLCK)
			this.ops.setlk(this.caller, this.request.nodeid, {...lockOf(this.request), type: F.UNLCK});
	}

	/** The handle for `isLocal`: also those that stand behind a flag. -1: none. */
	handleOf(request: RequestBuffer): number {
		if (request.opcode === OPCODE.GETATTR && (request.uint32(40) & FUSE_GETATTR_FH) !== 0)
			return request.uint32(48) & 0x7fff_ffff;
		if (request.opcode === OPCODE.SETATTR && (request.uint32(40) & FATTR.FH) !== 0)
			return request.uint32(48) & 0x7fff_ffff;
		return request.fh;
	}

	entry(answer: Entry | NegativeErrno): number {
		if (typeof answer === 'number') return answer;
		this.givenNode = answer.nodeid;
		return this.encoder.entryOut(OUT_HEADER_SIZE, answer);
	}

	attr(answer: AttrReply | NegativeErrno): number {
		return typeof answer === 'number' ? answer : this.encoder.attrOut(answer);
	}

	open(answer: OpenReply | NegativeErrno): number {
		if (typeof answer === 'number') return answer;
		this.givenHandle = answer.fh;
		this.reply.putOpen(OUT_HEADER_SIZE, answer.fh, answer.openFlags);
		return OPEN_OUT_SIZE;
	}

	created(answer: {readonly entry: Entry; readonly open: OpenReply} | NegativeErrno): number {
		if (typeof answer === 'number') return answer;
		this.entry(answer.entry);
		this.givenHandle = answer.open.fh;
		this.reply.putOpen(OUT_HEADER_SIZE + ENTRY_OUT_SIZE, answer.open.fh, answer.open.openFlags);
		return ENTRY_OUT_SIZE + OPEN_OUT_SIZE;
	}

	list(plus: boolean): number {
		const r = this.request;
		this.directory.reset(r.uint32(56), plus);
		const result = this.ops.readdir(this.caller, r.nodeid, r.fh, r.int64(48), this.directory, plus);
		// What was added before a failure would be lost with its references: those entries are the answer then.
		return result < 0 && this.directory.size === 0 ? result : this.directory.size;
	}

	/** GETXATTR and LISTXATTR: size 0 asks for the size only. */
	xattr(size: number, read: (into: Buffer) => number): number {
		const result = read(this.reply.payload(size));
		return result >= 0 && size === 0 ? this.reply.putSize(result) : result;
	}
}

const getlk: Handler = (d, r) => {
	const answer = d.ops.getlk(d.caller, r.nodeid, lockOf(r));
	return typeof answer === 'number'
		? answer
		: d.reply.putLock(answer.start, answer.end, answer.type, answer.pid);
};

const batchForget: Handler = (d, r) => {
	const count = r.uint32(40);
	for (let i = 0, at = 48; i < count; i++, at += 16) d.ops.forget(r.number(at), r.number(at + 8));
	return NO_REPLY;
};

const copyFileRange: Handler = (d, r) => {
	// The kernel checks nothing here that `parse` doesn't: the second handle is the one field outside its table.
	if (r.uint32(68) !== 0) return -ERRNO.EBADF;
	const from = {fh: r.fh, offset: r.uint64(48)};
	const to = {nodeid: r.number(56), fh: r.uint32(64), offset: r.uint64(72)};
	const copied = d.ops.copyFileRange(d.caller, from, to, r.uint64(80));
	return copied < 0 ? copied : d.reply.putSize(copied);
};

/** The kernel then does it in its own way or never asks again; each has been looked at. */
const NOT_OFFERED: Handler = () => -ERRNO.ENOSYS;
/** Not ENOSYS: this is what a filesystem without ioctls says. */
const notIoctl: Handler = () => -ERRNO.ENOTTY;
const nothing: Handler = () => 0;
const noReply: Handler = () => NO_REPLY;

const BY_NAME: Readonly<Record<OpcodeName, Handler>> = {
	LOOKUP: (d, r) => d.entry(d.ops.lookup(d.caller, r.nodeid, r.name!)),
	FORGET: (d, r) => (d.ops.forget(r.nodeid, r.number(40)), NO_REPLY),
	GETATTR: (d, r) => {
		const fh = d.handleOf(r);
		return d.attr(d.ops.getattr(d.caller, r.nodeid, fh < 0 ? undefined : fh));
	},
	SETATTR: (d, r) => d.attr(d.ops.setattr(d.caller, r.nodeid, setAttrOf(r))),
	READLINK: (d, r) => d.ops.readlink(d.caller, r.nodeid, d.reply.payload(4096)),
	SYMLINK: (d, r) => d.entry(d.ops.symlink(d.caller, r.nodeid, r.name!, r.secondName!)),
	MKNOD: (d, r) =>
		d.entry(d.ops.mknod(d.caller, r.nodeid, r.name!, r.uint32(40), r.uint32(44), r.uint32(48))),
	MKDIR: (d, r) => d.entry(d.ops.mkdir(d.caller, r.nodeid, r.name!, r.uint32(40), r.uint32(44))),
	UNLINK: (d, r) => d.ops.unlink(d.caller, r.nodeid, r.name!),
	RMDIR: (d, r) => d.ops.rmdir(d.caller, r.nodeid, r.name!),
	RENAME: (d, r) => d.ops.rename(d.caller, r.nodeid, r.name!, r.number(40), r.secondName!, 0),
	RENAME2: (d, r) => d.ops.rename(d.caller, r.nodeid, r.name!, r.number(40), r.secondName!, r.uint32(48)),
	LINK: (d, r) => d.entry(d.ops.link(d.caller, r.number(40), r.nodeid, r.name!)),
	OPEN: (d, r) =>
		d.open(d.ops.open(d.caller, r.nodeid, r.uint32(40), (r.uint32(44) & FUSE_OPEN_KILL_SUIDGID) !== 0)),
	READ: (d, r) =>
		d.ops.read(d.caller, r.nodeid, r.fh, r.int64(48), r.uint32(72), d.reply.payload(r.uint32(56))),
	WRITE: (d, r) => {
		const kill = (r.uint32(60) & FUSE_WRITE_KILL_SUIDGID) !== 0;
		const written = d.ops.write(d.caller, r.nodeid, r.fh, r.int64(48), r.uint32(72), r.writeData(), kill);
		return written < 0 ? written : d.reply.putSize(written);
	},
	STATFS: (d, r) => {
		const answer = d.ops.statfs(d.caller, r.nodeid);
		return typeof answer === 'number' ? answer : d.reply.putStatfs(answer);
	},
	RELEASE: (d, r) => {
		const unlock = (r.uint32(52) & FUSE_RELEASE_FLOCK_UNLOCK) !== 0;
		d.ops.release(d.caller, r.nodeid, r.fh, unlock ? r.uint64(56) : undefined);
		return 0;
	},
	FSYNC: (d, r) => d.ops.fsync(d.caller, r.nodeid, r.fh, (r.uint32(48) & FUSE_FSYNC_FDATASYNC) !== 0),
	SETXATTR: (d, r) =>
		d.ops.setxattr(d.caller, r.nodeid, r.name!, r.memory.subarray(r.tail, r.end), r.uint32(44)),
	GETXATTR: (d, r) => d.xattr(r.uint32(40), into => d.ops.getxattr(d.caller, r.nodeid, r.name!, into)),
	LISTXATTR: (d, r) => d.xattr(r.uint32(40), into => d.ops.listxattr(d.caller, r.nodeid, into)),
	REMOVEXATTR: (d, r) => d.ops.removexattr(d.caller, r.nodeid, r.name!),
	FLUSH: (d, r) => d.ops.flush(d.caller, r.nodeid, r.fh, r.uint64(56)),
	// Answered once, before any worker runs (handshake.ts).
	INIT: () => -ERRNO.EIO,
	OPENDIR: (d, r) => d.open(d.ops.opendir(d.caller, r.nodeid, r.uint32(40))),
	READDIR: d => d.list(false),
	READDIRPLUS: d => d.list(true),
	RELEASEDIR: (d, r) => (d.ops.releasedir(d.caller, r.nodeid, r.fh), 0),
	FSYNCDIR: (d, r) => d.ops.fsyncdir(d.caller, r.nodeid, r.fh, (r.uint32(48) & FUSE_FSYNC_FDATASYNC) !== 0),
	GETLK: getlk,
	SETLK: (d, r) => d.ops.setlk(d.caller, r.nodeid, lockOf(r)),
	SETLKW: (d, r) => {
		const result = d.ops.setlk(d.caller, r.nodeid, lockOf(r));
		return result === -ERRNO.EAGAIN || result === -ERRNO.EACCES ? WAITS : result;
	},
	// With default_permissions the kernel checks by itself and does not ask.
	ACCESS: nothing,
	CREATE: (d, r) =>
		d.created(d.ops.create(d.caller, r.nodeid, r.name!, r.uint32(40), r.uint32(44), r.uint32(48))),
	TMPFILE: (d, r) => d.created(d.ops.tmpfile(d.caller, r.nodeid, r.uint32(40), r.uint32(44), r.uint32(48))),
	// Handled by serve.ts before dispatch.
	INTERRUPT: noReply,
	BMAP: NOT_OFFERED,
	DESTROY: nothing,
	IOCTL: notIoctl,
	POLL: NOT_OFFERED,
	NOTIFY_REPLY: noReply,
	BATCH_FORGET: batchForget,
	FALLOCATE: (d, r) => d.ops.fallocate(d.caller, r.nodeid, r.fh, r.uint32(64), r.uint64(48), r.uint64(56)),
	LSEEK: (d, r) => {
		const at = d.ops.lseek(d.caller, r.nodeid, r.fh, r.int64(48), r.uint32(56));
		if (typeof at === 'number') return at;
		if (at < 0n) return Number(at);
		d.reply.u64[2] = at;
		return 8;
	},
	COPY_FILE_RANGE: copyFileRange,
	SETUPMAPPING: NOT_OFFERED,
	REMOVEMAPPING: NOT_OFFERED,
	// syncfs(2) then syncs only what this kernel holds, which is nothing: there is no write-back cache.
	SYNCFS: NOT_OFFERED,
	// The kernel falls back to GETATTR and COPY_FILE_RANGE.
	STATX: NOT_OFFERED,
	COPY_FILE_RANGE_64: NOT_OFFERED,
};

/** Whether the answer doesn't depend on the filesystem: such a request never waits for anything. */
export const answersByItself = (opcode: number): boolean => {
	const handler = HANDLERS[opcode];
	return handler === NOT_OFFERED || handler === nothing || handler === noReply || handler === notIoctl;
};

const HANDLERS: (Handler | undefined)[] = new Array<Handler | undefined>(OPCODE_LIMIT).fill(undefined);
for (const [name, opcode] of Object.entries(OPCODE)) HANDLERS[opcode] = BY_NAME[name as OpcodeName];
