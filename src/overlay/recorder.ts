/** Makes the journal's records on a worker thread: who did what to which path, and what came of it. */
import {readFileSync} from 'node:fs';
import {type Caller} from '../fuse/filesystem.ts';
import {encodeRecord, type JournalRecord, type Operation} from '../journal/record.ts';
import {ERRNO} from '../posix/errno.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {type InodeTable} from './inode-table.ts';
import {type JournalRing} from './journal-ring.ts';
import {type WriteCounts} from './write-counts.ts';

/** PATH_MAX / 2: as deep as a path can be. */
const DEPTH_MAX = 2048;
/** Process ids come back for other programs; a name is believed for this long. */
const COMMAND_MAX_AGE_MS = 2000;
const COMMANDS_MAX = 256;
const SLASH = Buffer.from('/');

/** A file by its node, or by its name in a directory. */
export interface Where {
	readonly nodeid: number;
	readonly name?: Buffer;
}

export class Recorder {
	readonly #ring: JournalRing;
	readonly #inodes: InodeTable;
	readonly #writes: WriteCounts;
	readonly #commands = new Map<number, {readonly name: string; readonly atMs: number}>();

	constructor(ring: JournalRing, inodes: InodeTable, writes: WriteCounts) {
		this.#ring = ring;
		this.#inodes = inodes;
		this.#writes = writes;
	}

	/** The path from the root; null when it is not known, as that of a file without a name. */
	pathOf({nodeid, name}: Where): Buffer | null {
		const parts: Buffer[] = name === undefined ? [] : [name];
		let depth = 0;
		for (let at = nodeid; at !== ROOT_NODE; depth++) {
			const place = this.#inodes.placeOf(at);
			if (place === undefined || depth === DEPTH_MAX) return null;
			parts.unshift(place.name);
			at = place.parent;
		}
		return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [SLASH, part])));
	}

	/**
	 * Records one request that has ended. What the gate refused is no change and no attempt that reached the filesystem.
	 * @param result ≥ 0 or a negative errno
	 * @param paths must be looked up before what removes or moves a name, and after what makes one
	 */
	record(
		caller: Pick<Caller, 'uid' | 'pid'>,
		operation: Operation,
		result: number,
		paths: {readonly path: Buffer | null; readonly to?: Buffer | null},
		writes: {readonly count: number; readonly bytes: number} = {count: 0, bytes: 0},
	): void {
		if (result === -ERRNO.EROFS) return;
		const record: JournalRecord = {
			counter: this.#ring.nextCounter(),
			timeMs: Date.now(),
			operation,
			path: paths.path,
			to: paths.to ?? null,
			uid: caller.uid,
			pid: caller.pid,
			command: this.#commandOf(caller.pid),
			errno: result < 0 ? -result : 0,
			writes: writes.count,
			bytes: writes.bytes,
			after: null,
		};
		this.#ring.push(encodeRecord(record));
	}

	/** Counts a write that went well; it is recorded when the handle is closed, or after a while. */
	wrote(caller: Caller, nodeid: number, fh: number, bytes: number): void {
		// While the writer waits for us its name can be read; later it may be gone.
		this.#commandOf(caller.pid);
		if (this.#writes.add(fh, bytes, caller)) this.closed(nodeid, fh);
	}

	/** The handle was closed once more: what was written through it makes a record. */
	closed(nodeid: number, fh: number): void {
		const writes = this.#writes.take(fh);
		if (writes !== undefined) this.record(writes, 'write', 0, {path: this.pathOf({nodeid})}, writes);
	}

	#commandOf(pid: number): string {
		if (pid === 0) return '';
		const now = performance.now();
		const known = this.#commands.get(pid);
		if (known !== undefined && now - known.atMs < COMMAND_MAX_AGE_MS) return known.name;
		if (this.#commands.size >= COMMANDS_MAX) this.#commands.clear();
		const name = readCommand(pid) ?? known?.name ?? '';
		this.#commands.set(pid, {name, atMs: now});
		return name;
	}
}

const readCommand = (pid: number): string | undefined => {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
	} catch {
		return undefined;
	}
};
