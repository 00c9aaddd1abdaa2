/**
 * Keeps the content of files that users of this node have changed: soon after the change, once for equal content, the
 * last versions of each file. Which version a file had when is written to an index beside the contents.
 */
import {createHash} from 'node:crypto';
import {Packr} from 'msgpackr';
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {encodeFrame, readFrames} from './frames.ts';
import {type JournalFiles, type KeptState} from './ports.ts';
import {type JournalRecord} from './record.ts';

export const HISTORY_DIRECTORY = '.hekafs/history';
const directoryOf = (node: NodeUuid): string => `${HISTORY_DIRECTORY}/${node}`;
const objectsOf = (node: NodeUuid): string => `${directoryOf(node)}/objects`;
const indexOf = (node: NodeUuid): string => `${directoryOf(node)}/index`;

/** Larger files have no history. */
export const HISTORY_FILE_MAX_BYTES = 512 * 1024;
/** Versions of one file that are kept on each node that changed it. */
export const VERSIONS_PER_FILE = 20;
/** All contents of a node together. */
export const HISTORY_MAX_BYTES = 64 * 1024 * 1024;
/** An index longer than this is written anew with what is still kept. */
const INDEX_MAX_BYTES = 1024 * 1024;
/** Files that wait to be read; of one that changes again meanwhile only the last state is kept. */
const WAITING_MAX = 4096;
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** A version of a file that can be had again. */
export interface KeptVersion {
	readonly path: Buffer;
	/** SHA-256 of the content, 64 hexadecimal digits. */
	readonly hash: string;
	readonly size: number;
	/** Permission bits. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	/** Of the change after which it was kept. */
	readonly counter: number;
	readonly timeMs: number;
}

/** A file is kept when it has rested so long: editors and scripts write a file in several steps. */
export const REST_MS = 2000;
/** One that changes all the time is kept so often: each version is a handful of changes over all bricks, and a file to heal. */
export const LONGEST_WAIT_MS = 60_000;

/** A file whose content is to be kept. */
interface Waiting {
	/** Of its last change. */
	readonly record: JournalRecord;
	/** When the first change was made that is not kept yet. */
	readonly sinceMs: number;
}

const isRipe = ({record, sinceMs}: Waiting, nowMs: number): boolean =>
	nowMs - record.timeMs >= REST_MS || nowMs - sinceMs >= LONGEST_WAIT_MS;

const packr = new Packr({useRecords: false});
const VERSION = 1;

const encodeVersion = (v: KeptVersion): Buffer =>
	encodeFrame(packr.pack([VERSION, v.counter, v.timeMs, v.path, v.hash, v.size, v.mode, v.uid, v.gid]));

const isCount = (value: unknown): value is number =>
	typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** @returns undefined for what is not a version in this form; never throws */
const decodeVersion = (payload: Buffer): KeptVersion | undefined => {
	let values: unknown;
	try {
		values = packr.unpack(payload);
	} catch {
		return undefined;
	}
	if (!Array.isArray(values) || values[0] !== VERSION) return undefined;
	const [, counter, timeMs, path, hash, size, mode, uid, gid] = values as unknown[];
	if (![counter, timeMs, size, mode, uid, gid].every(isCount) || !(path instanceof Uint8Array))
		return undefined;
	if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
	return {counter, timeMs, path: Buffer.from(path), hash, size, mode, uid, gid} as KeptVersion;
};

const decodeIndex = (bytes: Buffer): KeptVersion[] =>
	readFrames(bytes).payloads.flatMap(payload => decodeVersion(payload) ?? []);

/** Which versions stay: the last of each file, and no more than fit together; oldest go first. Pure. */
export const keptOf = (versions: readonly KeptVersion[]): readonly KeptVersion[] => {
	const perFile = new Map<string, number>();
	const sizes = new Map<string, number>();
	let total = 0;
	const kept: KeptVersion[] = [];
	for (const version of versions.toReversed()) {
		const key = version.path.toString('latin1');
		const count = (perFile.get(key) ?? 0) + 1;
		const added = sizes.has(version.hash) ? 0 : version.size;
		if (count > VERSIONS_PER_FILE || total + added > HISTORY_MAX_BYTES) continue;
		perFile.set(key, count);
		sizes.set(version.hash, version.size);
		total += added;
		kept.push(version);
	}
	return kept.toReversed();
};

export interface TurnLimits {
	/** As Date.now(): what changed a moment before is left out. */
	readonly nowMs: number;
	readonly limitMs: number;
}

export class HistoryKeeper {
	readonly #node: NodeUuid;
	readonly #files: () => JournalFiles | undefined;
	readonly #waiting = new Map<string, Waiting>();
	/** What the index tells, oldest first; undefined until it was read. */
	#versions: KeptVersion[] | undefined;
	#indexBytes = 0;
	#turning: Promise<void> = Promise.resolve();

	/** @param files undefined while nothing may be written */
	constructor(node: NodeUuid, files: () => JournalFiles | undefined) {
		this.#node = node;
		this.#files = files;
	}

	/** Takes note of changes whose content is to be kept. */
	changed(records: readonly JournalRecord[]): void {
		for (const record of records) {
			const path = record.to ?? record.path;
			const {after} = record;
			if (path === null || after === null || (after.mode & S_IFMT) !== S_IFREG) continue;
			if (after.size > HISTORY_FILE_MAX_BYTES || this.#waiting.size >= WAITING_MAX) continue;
			const key = Buffer.from(path).toString('latin1');
			this.#waiting.set(key, {record, sinceMs: this.#waiting.get(key)?.sinceMs ?? record.timeMs});
		}
	}

	/**
	 * Keeps what waits: all of it, or only what rests and only as long as `limitMs` lasts. Rejects when the filesystem does;
	 * what was not kept then is tried again.
	 */
	async turn(only?: TurnLimits): Promise<void> {
		const turn = this.#turning.then(async () => this.#turn(only));
		this.#turning = turn.catch(() => undefined);
		return turn;
	}

	async #turn(only: TurnLimits | undefined): Promise<void> {
		const endMs = performance.now() + (only?.limitMs ?? Number.POSITIVE_INFINITY);
		for (const [key, waiting] of [...this.#waiting]) {
			if (only !== undefined && !isRipe(waiting, only.nowMs)) continue;
			if (performance.now() >= endMs) return;
			const files = this.#files();
			if (files === undefined) return;
			const versions = await this.#open(files);
			const path = Buffer.from(key, 'latin1');
			const state = await files.keep(path, objectsOf(this.#node), HISTORY_FILE_MAX_BYTES);
			if (state !== null) await this.#add(files, versions, path, state, waiting.record);
			// A change that came meanwhile has put another record there.
			if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
		}
	}

	async #open(files: JournalFiles): Promise<KeptVersion[]> {
		if (this.#versions !== undefined) return this.#versions;
		for (const path of ['.hekafs', HISTORY_DIRECTORY, directoryOf(this.#node), objectsOf(this.#node)])
			await files.mkdir(path, DIRECTORY_MODE);
		const bytes = (await files.read(indexOf(this.#node), 2 * INDEX_MAX_BYTES)) ?? Buffer.alloc(0);
		this.#versions = decodeIndex(bytes);
		this.#indexBytes = bytes.length;
		const named = new Set(this.#versions.map(({hash}) => hash));
		// What was kept just before the end of a run may be in no index.
		for (const name of (await files.list(objectsOf(this.#node))) ?? [])
			if (!named.has(name)) await files.remove(`${objectsOf(this.#node)}/${name}`);
		// A torn tail must not hide what follows.
		if (readFrames(bytes).rest !== 'end') this.#indexBytes = Number.MAX_SAFE_INTEGER;
		return this.#versions;
	}

	async #add(
		files: JournalFiles,
		versions: KeptVersion[],
		path: Buffer,
		state: KeptState,
		{counter, timeMs}: JournalRecord,
	): Promise<void> {
		const {hash, size, mode, uid, gid} = state;
		const last = versions.findLast(version => version.path.equals(path));
		if (last?.hash === hash && last.mode === (mode & 0o7777) && last.uid === uid && last.gid === gid) return;
		const version = {path, hash, size, mode: mode & 0o7777, uid, gid, counter, timeMs};
		try {
			versions.push(version);
			const kept = keptOf(versions);
			if (kept.length < versions.length || this.#indexBytes > INDEX_MAX_BYTES)
				await this.#rewrite(files, kept);
			else this.#indexBytes = await files.append(indexOf(this.#node), encodeVersion(version), FILE_MODE);
		} catch (error) {
			this.#versions = undefined;
			throw error;
		}
	}

	/** The index first: it must not name what is not there any more. */
	async #rewrite(files: JournalFiles, kept: readonly KeptVersion[]): Promise<void> {
		const gone = new Set((this.#versions ?? []).map(version => version.hash));
		for (const {hash} of kept) gone.delete(hash);
		const bytes = Buffer.concat(kept.map(encodeVersion));
		await files.replace(indexOf(this.#node), bytes, FILE_MODE);
		this.#versions = [...kept];
		this.#indexBytes = bytes.length;
		for (const hash of gone) await files.remove(`${objectsOf(this.#node)}/${hash}`);
	}
}

/** The versions of a file that all nodes keep, oldest first, each content with its owner and mode once in a row. */
export const historyOf = async (files: JournalFiles, path: Uint8Array): Promise<readonly KeptVersion[]> => {
	const found: KeptVersion[] = [];
	for (const name of (await files.list(HISTORY_DIRECTORY)) ?? []) {
		const node = parseNodeUuid(name);
		if (node === undefined) continue;
		const bytes = await files.read(indexOf(node), 2 * INDEX_MAX_BYTES);
		if (bytes !== null) found.push(...decodeIndex(bytes).filter(version => version.path.equals(path)));
	}
	return found.toSorted((a, b) => a.timeMs - b.timeMs);
};

/** The content behind a hash, whichever node keeps it; null when none does any more. */
export const contentOf = async (files: JournalFiles, hash: string): Promise<Buffer | null> => {
	for (const name of (await files.list(HISTORY_DIRECTORY)) ?? []) {
		const node = parseNodeUuid(name);
		const content =
			node === undefined ? null : await files.read(`${objectsOf(node)}/${hash}`, HISTORY_FILE_MAX_BYTES);
		// One that was cut off while it was written is not what it is called.
		if (content !== null && createHash('sha256').update(content).digest('hex') === hash) return content;
	}
	return null;
};
