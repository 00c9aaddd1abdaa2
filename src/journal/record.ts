/** What a journal file holds, as values and as msgpack (docs/INTERFACE.md, "Journal"). Pure. */
import {Packr} from 'msgpackr';
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {type VersionVector} from './vector.ts';

/** What a request did. */
export const OPERATIONS = [
	'create',
	'mkdir',
	'mknod',
	'symlink',
	'link',
	'unlink',
	'rmdir',
	'rename',
	'exchange',
	'write',
	'truncate',
	'chmod',
	'chown',
	'utimes',
	'setxattr',
	'removexattr',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** How the file was soon after the change: tells which copy of a file is the result of which record. */
export interface FileState {
	/** 16 hexadecimal digits; GlusterFS derives it from the gfid. */
	readonly ino: string;
	readonly size: number;
	readonly mtimeSec: number;
	readonly mtimeNsec: number;
	/** Type and permission bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
}

/** One request of a user that changed something, or tried to. */
export interface JournalRecord {
	readonly counter: number;
	/** When it ended, ms since 1970 by the clock of the node. */
	readonly timeMs: number;
	readonly operation: Operation;
	/** From the root, without a slash at the beginning; names are bytes. Null: the file had no name. */
	readonly path: Uint8Array | null;
	/** The new name of `rename`, `exchange` and `link`. */
	readonly to: Uint8Array | null;
	readonly uid: number;
	/** 0 when the process was in another pid namespace. */
	readonly pid: number;
	/** The process's name, at most 15 bytes; empty when it was gone. */
	readonly command: string;
	/** 0, or the errno that the caller got, positive. */
	readonly errno: number;
	/** `write`: how many requests this record stands for, and their bytes. */
	readonly writes: number;
	readonly bytes: number;
	/** Null: not looked at, or not there any more. */
	readonly after: FileState | null;
}

/** The first frame of a file. */
export interface SegmentHeader {
	readonly node: NodeUuid;
	/** When this run of hekafsd began, ms since 1970. */
	readonly run: number;
	/** The counter of the file's first record. */
	readonly first: number;
	/** The run before this one came to its end: no record of it is missing. */
	readonly cleanly: boolean;
}

export type Entry =
	| {readonly kind: 'header'; readonly header: SegmentHeader}
	/** What the node knew of the other nodes' changes when it wrote the records that follow. */
	| {readonly kind: 'seen'; readonly seen: VersionVector}
	| {readonly kind: 'record'; readonly record: JournalRecord}
	/** Written by a newer version, or by somebody else. */
	| {readonly kind: 'unknown'};

export const JOURNAL_FORMAT = 1;
const HEADER = 1;
const SEEN = 2;
const RECORD = 3;

// No structures kept between records: each can be read alone.
const packr = new Packr({useRecords: false, moreTypes: false});

export const encodeHeader = ({node, run, first, cleanly}: SegmentHeader): Buffer =>
	packr.pack([HEADER, JOURNAL_FORMAT, node, run, first, cleanly]);

export const encodeSeen = (seen: VersionVector): Buffer =>
	packr.pack([SEEN, Object.fromEntries([...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)))]);

export const encodeRecord = (r: JournalRecord): Buffer => {
	const {after} = r;
	return packr.pack([
		RECORD,
		r.counter,
		r.timeMs,
		r.operation,
		r.path,
		r.to,
		r.uid,
		r.pid,
		r.command,
		r.errno,
		r.writes,
		r.bytes,
		after && [after.ino, after.size, after.mtimeSec, after.mtimeNsec, after.mode, after.uid, after.gid],
	]);
};

const isCount = (value: unknown): value is number =>
	typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const areCounts = (...values: unknown[]): boolean => values.every(isCount);
const isPath = (value: unknown): value is Uint8Array | null => value === null || value instanceof Uint8Array;
const isOperation = (value: unknown): value is Operation => OPERATIONS.some(known => known === value);

const readState = (value: unknown): FileState | null | undefined => {
	if (value === null) return null;
	if (!Array.isArray(value)) return undefined;
	const [ino, size, mtimeSec, mtimeNsec, mode, uid, gid] = value as unknown[];
	if (typeof ino !== 'string' || !/^[0-9a-f]{16}$/.test(ino)) return undefined;
	if (!Number.isSafeInteger(mtimeSec) || !areCounts(size, mtimeNsec, mode, uid, gid)) return undefined;
	return {ino, size, mtimeSec, mtimeNsec, mode, uid, gid} as FileState;
};

const readHeader = ([, format, uuid, run, first, cleanly]: readonly unknown[]): Entry => {
	const node = typeof uuid === 'string' ? parseNodeUuid(uuid) : undefined;
	if (format !== JOURNAL_FORMAT || node === undefined || !isCount(run) || !isCount(first))
		return {kind: 'unknown'};
	return {kind: 'header', header: {node, run, first, cleanly: cleanly === true}};
};

const readSeen = ([, value]: readonly unknown[]): Entry => {
	if (typeof value !== 'object' || value === null) return {kind: 'unknown'};
	const seen = new Map<NodeUuid, number>();
	for (const [uuid, counter] of Object.entries(value)) {
		const node = parseNodeUuid(uuid);
		if (node === undefined || !isCount(counter)) return {kind: 'unknown'};
		seen.set(node, counter);
	}
	return {kind: 'seen', seen};
};

const readRecord = (values: readonly unknown[]): Entry => {
	const [, counter, timeMs, operation, path, to, uid, pid, command, errno, writes, bytes, state] = values;
	const after = readState(state ?? null);
	if (!areCounts(counter, timeMs, uid, pid, errno, writes, bytes) || after === undefined)
		return {kind: 'unknown'};
	if (!isOperation(operation) || !isPath(path) || !isPath(to) || typeof command !== 'string')
		return {kind: 'unknown'};
	const numbers = {counter, timeMs, uid, pid, errno, writes, bytes} as Pick<
		JournalRecord,
		'counter' | 'timeMs' | 'uid' | 'pid' | 'errno' | 'writes' | 'bytes'
	>;
	return {kind: 'record', record: {...numbers, operation, path, to, command, after}};
};

/** Never throws: what it does not understand is `unknown`. More elements than it knows are for newer versions. */
export const decodeEntry = (payload: Buffer): Entry => {
	let values: unknown;
	try {
		values = packr.unpack(payload);
	} catch {
		return {kind: 'unknown'};
	}
	if (!Array.isArray(values)) return {kind: 'unknown'};
	switch (values[0]) {
		case HEADER:
			return readHeader(values);
		case SEEN:
			return readSeen(values);
		case RECORD:
			return readRecord(values);
		default:
			return {kind: 'unknown'};
	}
};
