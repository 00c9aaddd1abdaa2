/** Writes this node's journal: takes records from where requests leave them and appends them, many at a time. */
import {type NodeUuid} from '../membership/ids.ts';
import {encodeFrame} from './frames.ts';
import {type JournalFiles} from './ports.ts';
import {decodeEntry, encodeHeader, encodeRecord, encodeSeen, type JournalRecord} from './record.ts';
import {
	JOURNAL_DIRECTORY,
	journalOf,
	outdatedSegments,
	SEGMENT_MAX_BYTES,
	segmentName,
	segmentsAmong,
} from './segments.ts';
import {compareVectors, type VersionVector} from './vector.ts';

/** Records that wait while nothing can be written; more are dropped, and their counters are seen to be missing. */
const PENDING_MAX = 20_000;
/** Records of one append: their frames stay far below a second's worth of network. */
const BATCH_MAX = 1000;
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** After these the path names nothing, or something else. */
const REMOVING = new Set<JournalRecord['operation']>(['unlink', 'rmdir']);

export interface KeeperOptions {
	readonly node: NodeUuid;
	/** When this run of hekafsd began, ms since 1970. */
	readonly run: number;
	/** Whether the run before came to its end. */
	readonly cleanly: boolean;
	/** Takes out what requests have left since the last time. */
	readonly drain: () => readonly Buffer[];
	/** Where to write; undefined while nothing may be written. */
	readonly files: () => JournalFiles | undefined;
	/** What is known of the other nodes' changes. */
	readonly seen: () => VersionVector;
	/** Told what has been written, in the order of counters. */
	readonly onRecords: (records: readonly JournalRecord[]) => void;
	/** Told when writing begins to fail. */
	readonly onProblem: (problem: unknown) => void;
}

interface Segment {
	readonly path: string;
	size: number;
}

/** The path that a change has left something at. */
const changedPath = ({operation, errno, path, to}: JournalRecord): Uint8Array | null =>
	errno !== 0 || REMOVING.has(operation) ? null : (to ?? path);

const keyOf = (path: Uint8Array): string => Buffer.from(path).toString('latin1');

export class JournalKeeper {
	readonly #o: KeeperOptions;
	#pending: JournalRecord[] = [];
	#segment: Segment | undefined;
	#cleanly: boolean;
	/** The vector that the segment last tells. */
	#told: VersionVector | undefined;
	#failing = false;
	#turning: Promise<void> = Promise.resolve();

	constructor(options: KeeperOptions) {
		this.#o = options;
		this.#cleanly = options.cleanly;
	}

	/** Records that were taken out and are not written yet. */
	get waiting(): number {
		return this.#pending.length;
	}

	/** Takes and writes what there is; turns come one after the other. Never rejects. */
	async turn(): Promise<void> {
		this.#turning = this.#turning.then(async () => this.#turn());
		return this.#turning;
	}

	async #turn(): Promise<void> {
		this.#take();
		while (this.#pending.length > 0) {
			const files = this.#o.files();
			if (files === undefined) return;
			try {
				await this.#write(files, this.#pending.slice(0, BATCH_MAX));
				this.#failing = false;
			} catch (error) {
				// What was appended in part is a torn tail: no more may follow it.
				this.#segment = undefined;
				if (!this.#failing) this.#o.onProblem(error);
				this.#failing = true;
				return;
			}
		}
	}

	#take(): void {
		for (const payload of this.#o.drain()) {
			const entry = decodeEntry(payload);
			if (entry.kind === 'record' && this.#pending.length < PENDING_MAX) this.#pending.push(entry.record);
		}
		// Two threads may put theirs in in the other order than they took their counters.
		this.#pending.sort((a, b) => a.counter - b.counter);
	}

	async #write(files: JournalFiles, batch: readonly JournalRecord[]): Promise<void> {
		const records = await this.#lookAt(files, batch);
		const segment = await this.#openSegment(files, batch[0]!.counter);
		const seen = this.#o.seen();
		const frames: Buffer[] = [];
		if (segment.size === 0) frames.push(encodeFrame(encodeHeader(this.#header(batch[0]!.counter))));
		if (segment.size === 0 || this.#told === undefined || compareVectors(this.#told, seen) !== 'equal')
			frames.push(encodeFrame(encodeSeen(seen)));
		for (const record of records) frames.push(encodeFrame(encodeRecord(record)));
		segment.size = await files.append(segment.path, Buffer.concat(frames), FILE_MODE);
		this.#told = seen;
		this.#cleanly = true;
		this.#pending = this.#pending.slice(batch.length);
		this.#o.onRecords(records);
	}

	#header(first: number): Parameters<typeof encodeHeader>[0] {
		return {node: this.#o.node, run: this.#o.run, first, cleanly: this.#cleanly};
	}

	/** Looks each changed file up once; that other changes may have followed is known of `after` (docs/INTERFACE.md). */
	async #lookAt(files: JournalFiles, batch: readonly JournalRecord[]): Promise<readonly JournalRecord[]> {
		const paths = new Map<string, Uint8Array>();
		for (const record of batch) {
			const path = changedPath(record);
			if (path !== null) paths.set(keyOf(path), path);
		}
		const states = await files.states([...paths.values()]);
		const found = new Map([...paths.keys()].map((key, i) => [key, states[i] ?? null]));
		return batch.map(record => {
			const path = changedPath(record);
			return path === null ? record : {...record, after: found.get(keyOf(path)) ?? null};
		});
	}

	async #openSegment(files: JournalFiles, first: number): Promise<Segment> {
		if (this.#segment !== undefined && this.#segment.size < SEGMENT_MAX_BYTES) return this.#segment;
		const directory = journalOf(this.#o.node);
		for (const path of [JOURNAL_DIRECTORY.split('/')[0]!, JOURNAL_DIRECTORY, directory])
			await files.mkdir(path, DIRECTORY_MODE);
		const names = segmentsAmong((await files.list(directory)) ?? []);
		for (const name of outdatedSegments(names)) await files.remove(`${directory}/${name}`);
		this.#segment = {path: `${directory}/${segmentName(first, names)}`, size: 0};
		this.#told = undefined;
		return this.#segment;
	}
}
