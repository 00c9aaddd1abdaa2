/** The overlay as the main thread sees it: mounts it, switches generations, publishes sentinels, ends it. */
import createDebug from 'debug';
import {extname} from 'node:path';
import {resolveMountpoint} from '../fuse/device.ts';
import {mountSession, type Session} from '../fuse/session.ts';
import {HekafsError} from '../errors.ts';
import {AttributeDrops} from './attribute-drops.ts';
import {copyGeneration, copyOf} from './copy-generation.ts';
import {rootOfCopy} from './copy-view.ts';
import {type CurrentRoot} from './current-root.ts';
import {type Deadlines, deadlinesByOpcode} from './deadlines.ts';
import {GenerationRoot} from './generation-root.ts';
import {handlesMax} from './handles-max.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {type JournalRing} from './journal-ring.ts';
import {type OverlayStats} from './overlay-stats.ts';
import {SENTINELS} from './sentinels.ts';
import {createSharedState, openTables, type SharedState, type Tables} from './shared-state.ts';
import {type VersionTable} from './version-table.ts';
import {VirtualPin} from './virtual-pin.ts';
import {type ControlMessage, type OverlayWorkerData} from './worker-protocol.ts';

export interface OverlayOptions {
	readonly mountpoint: string;
	readonly gateBuffer: SharedArrayBuffer;
	/** How long a mutation waits while the gate is `switching`. */
	readonly writeWaitMs: number;
	/** When a request is answered ETIMEDOUT; waiting for a lock has no end. */
	readonly deadlineMs: number;
	/** Where a class of requests has another one. */
	readonly deadlines?: Deadlines;
	readonly workers?: number;
	/** Where the verified copies are kept (src/snapshot/); none are served without. */
	readonly copyDirectory?: string;
	/** How long the kernel may keep attributes of files of the backing. Default 800. */
	readonly attrTimeoutMs?: number;
	/** How long the kernel may keep names of the backing. Default 800. */
	readonly entryTimeoutMs?: number;
	/** The counter before the first record of this run; without it nothing is recorded. */
	readonly journalFrom?: number;
	/** A word was written to `.hekafs/control`. */
	readonly onControl: (word: string) => void;
	/** A bug, in words. */
	readonly onProblem?: (problem: string) => void;
}

export interface Overlay extends AsyncDisposable {
	readonly closed: Session['closed'];
	/**
	 * Makes a generation's root current for what comes from now on. Open handles are opened anew on their next use: the
	 * same inode number, else ESTALE. Locks are taken over at once; resolves when that is done.
	 * @param generation never used before, also if the same directory comes back: descriptors are told apart by it
	 * @throws HekafsError HEKAFS_MOUNT_LOST, HEKAFS_TIMEOUT: then the generation before stays; HEKAFS_INTERNAL: used before
	 */
	switchTo(generation: number, root: {readonly path: string}): Promise<void>;
	/**
	 * Reads come from that copy from now on, at once; the generation in use stays as it is, for `serveMount`. Mutations are
	 * the gate's matter: it must not be open.
	 * @returns false when there is no such copy: then nothing changed
	 */
	serveCopy(serial: number): boolean;
	/** Reads come from the generation in use again. */
	serveMount(): void;
	/** How many ms ago a change went well through the mount, which ended that the copy served; undefined: never. */
	readonly mountAnsweredMsAgo: number | undefined;
	/** Where the threads that serve note what they change. */
	readonly changed: SharedArrayBuffer;
	/** There is no backing: reads give ENOTCONN, mutations EROFS. */
	detach(): void;
	/** Texts of the sentinel files by name; a name that is absent gets an empty text. Existence follows the gate. */
	publish(texts: Readonly<Record<string, string>>): void;
	/**
	 * An owner of the truth says that a file's content or attributes changed: the kernel drops what it has of them. What is
	 * below must know of the change already.
	 * @param ino inode number of the backing
	 * @returns false when the kernel had nothing of it
	 */
	fileChanged(ino: bigint): Promise<boolean>;
	/** As `fileChanged`, of a directory that a name was added to or taken from, or where it leads elsewhere now. */
	nameChanged(directoryIno: bigint, name: Uint8Array): Promise<boolean>;
	/** To be called after a change of the gate: drops cached attributes, so that write bits appear and vanish at once. */
	gateChanged(): void;
	/** What the requests have left for the journal, and where it puts the versions of files. */
	readonly records: JournalRing;
	readonly versions: VersionTable;
	stats(): OverlayStats;
	/** What was answered since the start, by opcode. */
	readonly tallied: Session['tallied'];
	unmount(): Promise<void>;
}

const debug = createDebug('hekafs:overlay');

const DEFAULT_CACHE_MS = 800;
const END_TIMEOUT_MS = 1000;

const MODULE = new URL(`worker${extname(import.meta.url)}`, import.meta.url);

const isControlMessage = (message: unknown): message is ControlMessage =>
	typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'control';

interface OverlayParts {
	readonly session: Session;
	readonly pin: VirtualPin;
	readonly state: SharedState;
	readonly tables: Tables;
	readonly deadlineMs: number;
	readonly copyDirectory: string | undefined;
	readonly onProblem: OverlayOptions['onProblem'] | undefined;
}

class MountedOverlay implements Overlay {
	readonly closed: Session['closed'];
	readonly tallied: Session['tallied'];
	readonly #session: Session;
	readonly #state: SharedState;
	readonly #tables: Tables;
	readonly #pin: VirtualPin;
	readonly #deadlineMs: number;
	readonly #onProblem: (problem: string) => void;
	readonly #copyDirectory: string | undefined;
	readonly #roots = new Set<GenerationRoot>();
	readonly #used = new Set<number>();
	#current: GenerationRoot | undefined;
	readonly #drops: AttributeDrops;

	constructor(parts: OverlayParts) {
		const {session, pin} = parts;
		this.#session = session;
		this.closed = session.closed;
		this.tallied = () => session.tallied();
		this.#pin = pin;
		void session.closed.then(() => pin.release());
		this.#state = parts.state;
		this.#tables = parts.tables;
		this.#deadlineMs = parts.deadlineMs;
		this.#copyDirectory = parts.copyDirectory;
		this.#drops = new AttributeDrops(
			() => this.#tables.inodes.nodes(),
			nodeid => session.notifier.invalAttributes(nodeid),
		);
		this.#onProblem = parts.onProblem ?? (() => undefined);
	}

	get #root(): CurrentRoot {
		return this.#tables.root;
	}

	get records(): JournalRing {
		return this.#tables.ring;
	}
	get versions(): VersionTable {
		return this.#tables.versions;
	}

	async switchTo(generation: number, {path}: {readonly path: string}): Promise<void> {
		debug('generation %d: %s', generation, path);
		if (this.#used.has(generation))
			throw new HekafsError('HEKAFS_INTERNAL', `generation ${generation} was used before: ${path}`);
		this.#used.add(generation);
		const options = {state: this.#state, generation, path, timeoutMs: this.#deadlineMs};
		const next = await GenerationRoot.open(options, this.#root);
		this.#roots.add(next);
		const before = this.#current;
		this.#current = next;
		const lost = await next.becomeCurrent(this.#deadlineMs);
		before?.supersede();
		this.gateChanged();
		if (lost > 0) this.#onProblem(`${lost} locks are lost: generation ${generation} does not give them`);
	}

	serveCopy(serial: number): boolean {
		if (this.#root.generation === copyGeneration(serial)) return true;
		const attributes = rootOfCopy(this.#copyDirectory, serial);
		if (attributes === undefined) return false;
		debug('copy %d', serial);
		this.#root.cover(copyGeneration(serial), attributes);
		this.gateChanged();
		return true;
	}

	serveMount(): void {
		debug('the mount again');
		if (copyOf(this.#root.generation) !== 0)
			if (this.#current === undefined) this.#root.detach();
			else this.#current.becomeCurrentAgain();
		this.gateChanged();
	}

	get mountAnsweredMsAgo(): number | undefined {
		return this.#root.uncoveredMsAgo;
	}

	get changed(): SharedArrayBuffer {
		return this.#state.changed;
	}

	detach(): void {
		this.#root.detach();
		this.#current?.supersede();
		this.#current = undefined;
		this.gateChanged();
	}

	publish(texts: Readonly<Record<string, string>>): void {
		this.#tables.board.publish(SENTINELS.map(({name}) => texts[name] ?? ''));
	}

	gateChanged(): void {
		this.#drops.start();
	}

	async fileChanged(ino: bigint): Promise<boolean> {
		const nodeid = this.#nodeOf(ino);
		return nodeid !== 0 && this.#session.notifier.invalInode(nodeid, 0n, 0n);
	}

	async nameChanged(directoryIno: bigint, name: Uint8Array): Promise<boolean> {
		const nodeid = this.#nodeOf(directoryIno);
		return nodeid !== 0 && this.#session.notifier.invalEntry(nodeid, name);
	}

	stats(): OverlayStats {
		return {
			...this.#session.stats(),
			generation: this.#root.generation,
			nodes: this.#tables.inodes.used,
			names: this.#tables.inodes.namesUsed,
			handles: this.#tables.handles.used,
			switches: this.#roots.size,
		};
	}

	async unmount(): Promise<void> {
		this.#drops.stop();
		this.#pin.release();
		await this.#session.unmount();
		await Promise.all([...this.#roots].map(root => root.end(END_TIMEOUT_MS)));
		this.#roots.clear();
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.unmount();
	}

	/** 0: the kernel doesn't know the file. */
	#nodeOf(ino: bigint): number {
		return ino === this.#root.ino ? ROOT_NODE : this.#tables.inodes.findNumber(ino);
	}
}

/**
 * Mounts the overlay, without a backing at first: it answers sentinels and refuses the rest. Sets the umask of the
 * process to 0, since files are made with exactly the mode that the caller's umask left.
 * @throws HekafsError as `mountSession`
 */
export const mountOverlay = async (options: OverlayOptions): Promise<Overlay> => {
	process.umask(0);
	const state = createSharedState(options.gateBuffer, handlesMax());
	const tables = openTables(state);
	tables.root.detach();
	const {deadlineMs, deadlines = {}, writeWaitMs, workers, onProblem, onControl, copyDirectory} = options;
	// Before the mount: afterwards the path leads into the overlay.
	const mountpoint = resolveMountpoint(options.mountpoint);
	tables.ring.startAt(options.journalFrom ?? 0);
	const workerData: OverlayWorkerData = {
		state,
		journal: options.journalFrom !== undefined,
		writeWaitMs,
		copyDirectory,
		times: {
			attrTimeoutMs: options.attrTimeoutMs ?? DEFAULT_CACHE_MS,
			entryTimeoutMs: options.entryTimeoutMs ?? DEFAULT_CACHE_MS,
		},
	};
	const session = await mountSession({
		mountpoint,
		fsname: 'hekafs',
		subtype: 'hekafs',
		workerModule: MODULE,
		workerData,
		deadlineMs,
		deadlinesMs: deadlinesByOpcode(deadlines),
		onMessage: message => {
			if (isControlMessage(message)) onControl(message.word);
		},
		...(workers !== undefined && {workers}),
		...(onProblem !== undefined && {onProblem}),
	});
	const pin = await VirtualPin.take(mountpoint, session.connection);
	return new MountedOverlay({session, pin, state, tables, deadlineMs, copyDirectory, onProblem});
};
