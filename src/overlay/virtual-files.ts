/** The operations on `/etc/hekafs/.hekafs/` and its files: all from memory, whatever the backing does (P5). */
import {
	type AttrReply,
	type Caller,
	type DirSink,
	type Entry,
	type OpenReply,
	type SetAttr,
} from '../fuse/filesystem.ts';
import {FOPEN} from '../fuse/wire/abi.ts';
import {DT} from '../posix/dents.ts';
import {ERRNO} from '../posix/errno.ts';
import {O} from '../posix/open-flags.ts';
import {STATX, STATX_SIZE} from '../posix/statx.ts';
import {type Board} from './board.ts';
import {type Guard} from './guard.ts';
import {type HandleTable} from './handle-table.ts';
import {S_IFDIR, S_IFREG} from './identity.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {
	CONTROL_WORDS,
	type ControlWord,
	SENTINELS,
	sentinelIndex,
	sentinelNode,
	sentinelNodeAt,
	sentinelRow,
	VIRTUAL_DIRECTORY_NODE,
	virtualIno,
} from './sentinels.ts';

const {EACCES, EBADF, EINVAL, EISDIR, ENFILE, ENOENT, EPERM} = ERRNO;

/**
 * The directory's own entry and attributes never change, and the kernel is told so: a lookup in the root waits for the
 * root's lock, which a CREATE that hangs in the backing may hold. Ten years.
 */
const FOREVER_MS = 315_360_000_000;

const CONTROL_NODE = sentinelNode(Buffer.from('control'));
/** The longest word with its newline is shorter. */
const CONTROL_MAX_BYTES = 64;

const isControlWord = (text: string): text is ControlWord => CONTROL_WORDS.some(word => word === text);

export interface VirtualParts {
	readonly board: Board;
	readonly handles: HandleTable;
	readonly guard: Guard;
	readonly onControl: (word: ControlWord) => void;
}

export class VirtualFiles {
	readonly #board: Board;
	readonly #handles: HandleTable;
	readonly #guard: Guard;
	readonly #onControl: (word: ControlWord) => void;
	readonly #statx = Buffer.alloc(STATX_SIZE);
	readonly #startedMs = Date.now();

	constructor({board, handles, guard, onControl}: VirtualParts) {
		this.#board = board;
		this.#handles = handles;
		this.#guard = guard;
		this.#onControl = onControl;
	}

	/** The virtual directory as an entry of the root. */
	directoryEntry(): Entry {
		return {...this.#attributes(VIRTUAL_DIRECTORY_NODE), ...this.#node(VIRTUAL_DIRECTORY_NODE, FOREVER_MS)};
	}

	lookup(parent: number, name: Buffer): Entry | number {
		const nodeid = parent === VIRTUAL_DIRECTORY_NODE ? sentinelNode(name) : undefined;
		if (nodeid === undefined || !this.#exists(nodeid)) return -ENOENT;
		return {...this.#attributes(nodeid), ...this.#node(nodeid, 0)};
	}

	getattr(nodeid: number): AttrReply | number {
		if (!this.#exists(nodeid)) return -ENOENT;
		const attrTimeoutMs = nodeid === VIRTUAL_DIRECTORY_NODE ? FOREVER_MS : 0;
		return {...this.#attributes(nodeid), attrTimeoutMs};
	}

	/** `echo word >control` sets the size to 0 first; nothing else can be changed. */
	setattr(nodeid: number, change: SetAttr): AttrReply | number {
		const {mode, uid, gid, atime, mtime, size} = change;
		const others = [mode, uid, gid, atime, mtime].some(value => value !== undefined);
		if (nodeid !== CONTROL_NODE || others || size === undefined) return -EPERM;
		return this.getattr(nodeid);
	}

	open(nodeid: number, flags: number): OpenReply | number {
		if (nodeid === VIRTUAL_DIRECTORY_NODE) return -EISDIR;
		if (!this.#exists(nodeid)) return -ENOENT;
		const writing = (flags & O.ACCMODE) !== O.RDONLY;
		// Root passes the check of modes; the text is not his to write either.
		if (writing !== (nodeid === CONTROL_NODE)) return -EACCES;
		const {text} = this.#board.read(sentinelIndex(nodeid));
		const fh = this.#handles.openText(nodeid, flags, text);
		return fh === 0 ? -ENFILE : {fh, openFlags: FOPEN.DIRECT_IO};
	}

	read(fh: number, offset: bigint, into: Buffer): number {
		const count = this.#handles.readText(fh, Number(offset), into);
		return count < 0 ? -EBADF : count;
	}

	/** One word per write, with or without a newline. */
	write(caller: Caller, nodeid: number, data: Buffer): number {
		if (nodeid !== CONTROL_NODE) return -EPERM;
		if (caller.uid !== 0) return -EPERM;
		const word = data.length <= CONTROL_MAX_BYTES ? data.toString('latin1').trim() : '';
		if (!isControlWord(word)) return -EINVAL;
		this.#onControl(word);
		return data.length;
	}

	opendir(nodeid: number): OpenReply | number {
		if (nodeid !== VIRTUAL_DIRECTORY_NODE) return -ERRNO.ENOTDIR;
		const fh = this.#handles.openText(nodeid, 0, Buffer.alloc(0));
		return fh === 0 ? -ENFILE : {fh, openFlags: 0};
	}

	/** Cookies are places in the list of all virtual files, so they hold whatever comes and goes. */
	readdir(offset: bigint, sink: DirSink): number {
		let next = offset;
		if (next === 0n && sink.add(Buffer.from('.'), virtualIno(VIRTUAL_DIRECTORY_NODE), DT.DIR, 1n)) next = 1n;
		if (next === 1n && sink.add(Buffer.from('..'), BigInt(ROOT_NODE), DT.DIR, 2n)) next = 2n;
		if (next < 2n) return 0;
		for (let index = Number(next) - 2; index < SENTINELS.length; index++) {
			const nodeid = sentinelNodeAt(index);
			const name = Buffer.from(SENTINELS[index]!.name);
			if (!this.#exists(nodeid)) continue;
			if (!sink.add(name, virtualIno(nodeid), DT.REG, BigInt(index + 3))) break;
		}
		return 0;
	}

	release(fh: number): void {
		this.#handles.close(fh);
	}

	#exists(nodeid: number): boolean {
		if (nodeid === VIRTUAL_DIRECTORY_NODE) return true;
		return sentinelRow(nodeid)?.exists(this.#guard.view()) ?? false;
	}

	#node(
		nodeid: number,
		timeoutMs: number,
	): Pick<Entry, 'nodeid' | 'generation' | 'entryTimeoutMs' | 'attrTimeoutMs'> {
		return {nodeid, generation: 0, entryTimeoutMs: timeoutMs, attrTimeoutMs: timeoutMs};
	}

	/** Attributes of the virtual directory or of one of its files, as a `struct statx`. */
	#attributes(nodeid: number): {readonly statx: Buffer; readonly modeMask: number} {
		const row = sentinelRow(nodeid);
		const index = sentinelIndex(nodeid);
		const text = row === undefined ? undefined : this.#board.describe(index);
		const length = nodeid === CONTROL_NODE ? 0 : (text?.length ?? 0);
		const changedMs = text !== undefined && text.changedMs !== 0 ? text.changedMs : this.#startedMs;
		const out = this.#statx;
		out.writeUInt32LE(4096, STATX.blksize);
		out.writeUInt32LE(row === undefined ? 2 : 1, STATX.nlink);
		out.writeUInt16LE(row === undefined ? S_IFDIR | 0o555 : S_IFREG | row.mode, STATX.mode);
		out.writeBigUInt64LE(virtualIno(nodeid), STATX.ino);
		out.writeBigUInt64LE(BigInt(length), STATX.size);
		out.writeBigUInt64LE(BigInt(Math.ceil(length / 512)), STATX.blocks);
		for (const [sec, nsec] of [
			[STATX.atimeSec, STATX.atimeNsec],
			[STATX.mtimeSec, STATX.mtimeNsec],
			[STATX.ctimeSec, STATX.ctimeNsec],
		] as const) {
			out.writeBigInt64LE(BigInt(Math.floor(changedMs / 1000)), sec);
			out.writeUInt32LE((changedMs % 1000) * 1_000_000, nsec);
		}
		return {statx: out, modeMask: 0o7777};
	}
}
