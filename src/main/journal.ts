/** The journal of this node as the daemon runs it: writes, follows the other nodes', keeps versions, answers `log`. */
import {describeError} from '../errors.ts';
import {type Node} from '../heal/node.ts';
import {FileVersions} from '../journal/file-versions.ts';
import {contentOf, historyOf, HistoryKeeper, type KeptVersion} from '../journal/history.ts';
import {JournalFollower} from '../journal/follower.ts';
import {JournalKeeper} from '../journal/keeper.ts';
import {isChosen, linesOfNode, mergeLines, type LogLine, type LogQuery} from '../journal/log-lines.ts';
import {type JournalFiles} from '../journal/ports.ts';
import {type Entry, type JournalRecord} from '../journal/record.ts';
import {formatVector} from '../journal/vector.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type Overlay} from '../overlay/overlay.ts';
import {type JournalCounter} from './journal-counter.ts';
import {type JournalFigures} from './metrics/figures.ts';
import {MountFiles} from './journal-files.ts';
import {repeat} from './repeat.ts';

/**
 * Records are written together with all that came since the last time. The same servers serve the users: on busy ones all
 * of it together takes no more than a sixth of the time.
 */
const WRITING = {everyMs: 100, share: 12, restMaxMs: 1000};
/** How often other nodes' journals are looked at. */
const FOLLOWING = {everyMs: 1000, share: 20, restMaxMs: 5000};
/** How often it is looked whether the content of changed files is to be kept, and how long each time. */
const KEEPING = {everyMs: 1000, share: 20, restMaxMs: 5000};
const KEEPING_LIMIT_MS = 100;
/** How long the end of hekafsd waits for the last records. */
const END_TIMEOUT_MS = 3000;

type Overlaid = Pick<Overlay, 'records' | 'versions'>;

export interface JournalOptions {
	readonly node: Node;
	readonly counter: JournalCounter;
	/** Undefined while it is not mounted. */
	readonly overlay: () => Overlaid | undefined;
	/** Told all records, this node's and the others', as they become known. */
	readonly onRecords?: (node: NodeUuid, records: readonly JournalRecord[]) => void;
}

export class Journal {
	readonly #o: JournalOptions;
	readonly #mounts = new MountFiles();
	/** A thread of its own: the journal must not wait until contents are read. */
	readonly #historyMounts = new MountFiles();
	readonly #history: HistoryKeeper;
	readonly #versions = new FileVersions();
	readonly #keeper: JournalKeeper;
	readonly #follower: JournalFollower;
	readonly #listeners = new Set<(line: LogLine) => void>();
	#ends: ReadonlyArray<() => void> = [];
	#ending = false;

	constructor(options: JournalOptions) {
		this.#o = options;
		const {node, counter, overlay} = options;
		this.#keeper = new JournalKeeper({
			node: node.self,
			run: Date.now(),
			cleanly: counter.cleanly,
			drain: () => overlay()?.records.drain() ?? [],
			files: () => (this.#mayWrite() ? this.#files() : undefined),
			seen: () => this.#othersSeen(),
			onRecords: records => {
				this.#learn(node.self, records);
				this.#history.changed(records);
			},
			onProblem: problem => node.ports.log(`the journal can't be written now: ${describeError(problem)}`),
		});
		this.#history = new HistoryKeeper(node.self, () =>
			this.#mayWrite() ? this.#historyMounts.of(node.current) : undefined,
		);
		this.#follower = new JournalFollower({
			files: () => this.#files(),
			onlyOnce: each => each === node.self,
			onEntries: (from, entries) => this.#read(from, entries),
		});
	}

	/** The version of the whole filesystem as far as it is known here: one line. */
	get version(): string {
		return formatVector(this.#versions.all);
	}

	/** For the metrics. */
	get figures(): JournalFigures {
		return {
			counters: this.#versions.all,
			waiting: this.#keeper.waiting,
			dropped: this.#o.overlay()?.records.dropped ?? 0,
		};
	}

	start(): void {
		this.#ends = [
			repeat(WRITING, async () => this.#write()),
			repeat(FOLLOWING, async () => this.#follow()),
			repeat(KEEPING, async () => this.#keepHistory({nowMs: Date.now(), limitMs: KEEPING_LIMIT_MS})),
		];
	}

	/** Writes what is left. To be called when the overlay serves no more and the mount still stands. */
	async stop(): Promise<void> {
		for (const end of this.#ends) end();
		this.#ending = true;
		const late = new Promise<void>(resolve => setTimeout(resolve, END_TIMEOUT_MS).unref());
		await Promise.race([this.#keeper.turn().then(async () => this.#keepHistory()), late]);
		const last = this.#o.overlay()?.records.counter;
		if (last !== undefined && this.#keeper.waiting === 0) this.#o.counter.close(last);
		await Promise.all([this.#mounts.end(), this.#historyMounts.end()]);
	}

	/** The audit trail as it stands in the filesystem. Rejects when that can't be read. */
	async log(query: LogQuery): Promise<readonly LogLine[]> {
		await this.#keeper.turn();
		const files = this.#files();
		if (files === undefined) return [];
		const entries = new Map<NodeUuid, Entry[]>();
		const reader = new JournalFollower({
			files: () => files,
			onlyOnce: () => false,
			onEntries: (node, read) => entries.set(node, [...(entries.get(node) ?? []), ...read]),
		});
		await reader.turn();
		const lines = [...entries].map(([node, read]) => linesOfNode(node, read).filter(l => isChosen(l, query)));
		return mergeLines(lines);
	}

	/** The versions of a file that can be had again, oldest first. Rejects when the filesystem can't be read. */
	async versionsOf(path: Uint8Array): Promise<readonly KeptVersion[]> {
		await this.#keeper.turn();
		await this.#keepHistory();
		const files = this.#files();
		return files === undefined ? [] : historyOf(files, path);
	}

	/** The content of a version; null when it is kept no more. */
	async content({hash}: KeptVersion): Promise<Buffer | null> {
		const files = this.#files();
		return files === undefined ? null : contentOf(files, hash);
	}

	/** Tells each line that becomes known from now on. @returns what ends it */
	follow(query: LogQuery, onLine: (line: LogLine) => void): () => void {
		const listener = (line: LogLine): void => {
			if (isChosen(line, query)) onLine(line);
		};
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#files(): JournalFiles | undefined {
		return this.#mounts.of(this.#o.node.current);
	}

	/** Only through a mount that the gate stands open for (P1); at the end what was acknowledged before is still written. */
	#mayWrite(): boolean {
		const {current, ports} = this.#o.node;
		const {state, generation} = ports.gate.view();
		return current !== undefined && (this.#ending || (state === 'open' && generation === current.generation));
	}

	async #write(): Promise<void> {
		const counter = this.#o.overlay()?.records.counter;
		if (counter !== undefined) this.#o.counter.used(counter);
		await this.#keeper.turn();
	}

	/** What can't be kept now waits: the next change tries again. */
	async #keepHistory(only?: Parameters<HistoryKeeper['turn']>[0]): Promise<void> {
		await this.#history.turn(only).catch(() => undefined);
	}

	async #follow(): Promise<void> {
		// The mount says so itself, and the loop deals with it; the next turn goes on where this one ended.
		await this.#follower.turn().catch(() => undefined);
	}

	#othersSeen(): ReadonlyMap<NodeUuid, number> {
		return new Map([...this.#versions.all].filter(([node]) => node !== this.#o.node.self));
	}

	#read(node: NodeUuid, entries: readonly Entry[]): void {
		const own = node === this.#o.node.self;
		const before = this.#o.counter.start;
		const records = entries
			.flatMap(entry => (entry.kind === 'record' ? [entry.record] : []))
			// What this run writes it has learnt when it wrote it.
			.filter(record => !own || record.counter <= before);
		this.#learn(node, records);
	}

	#learn(node: NodeUuid, records: readonly JournalRecord[]): void {
		const changed = new Set<string>();
		for (const record of records) {
			const ino = this.#versions.apply(node, record);
			if (ino !== undefined) changed.add(ino);
			for (const listener of this.#listeners) listener({kind: 'record', node, timeMs: record.timeMs, record});
		}
		this.#publish(changed);
		this.#o.onRecords?.(node, records);
	}

	#publish(inos: Iterable<string>): void {
		const table = this.#o.overlay()?.versions;
		if (table === undefined) return;
		const {files} = this.#versions;
		for (const ino of inos) {
			const version = files.get(ino);
			if (version === undefined || table.set(BigInt(`0x${ino}`), formatVector(version))) continue;
			// Full of files that nobody keeps the versions of any more.
			table.clear();
			this.#publish(files.keys());
			return;
		}
	}
}
