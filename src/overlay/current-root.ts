/** The generation in use and the root directory's last known attributes, shared by all threads (P5: answered from memory). */
import {STATX, STATX_SIZE} from '../posix/statx.ts';
import {copyOf} from './copy-generation.ts';
import {S_IFDIR} from './identity.ts';
import {SharedLock} from './shared-lock.ts';

const LOCK = 0;
const GENERATION = 1;
const REFRESHED_AT = 2;
/** Counts up when the root thread is asked to look; it sleeps on it. */
const REQUESTS = 3;
/** Counts up when the root thread has looked; who asked sleeps on it. */
const ANSWERS = 4;
/** 1 from a request to its answer. */
const PENDING = 5;
/** 1 when the generation's filesystem is a FUSE filesystem itself. */
const IS_FUSE = 6;
/** While a copy is current: the mount that it stands for, 0 when there is none, and what IS_FUSE was. */
const COVERED = 7;
const COVERED_IS_FUSE = 8;
/** When a change was last done through a mount that a copy stood for; 1 in the word behind when there was one. */
const ANSWERED_AT = 9;
const HAS_ANSWERED = 10;
const HEADER_BYTES = 64;

/** Attributes older than this are looked up again when somebody asks. */
const FRESH_MS = 1000;
/** How long a GETATTR of the root waits for the root thread: it must never be what a sentinel's stat waits for. */
const REFRESH_WAIT_MS = 3;

/** performance.now() alone begins anew in each thread. */
const nowMs = (): number => (performance.timeOrigin + performance.now()) | 0;

export const createRootCells = (): SharedArrayBuffer => new SharedArrayBuffer(HEADER_BYTES + 2 * STATX_SIZE);

export class CurrentRoot {
	readonly #cells: Int32Array;
	readonly #attributes: Uint8Array;
	readonly #covered: Uint8Array;
	readonly #device: DataView;
	readonly #lock: SharedLock;

	constructor(buffer: SharedArrayBuffer) {
		this.#cells = new Int32Array(buffer, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
		this.#attributes = new Uint8Array(buffer, HEADER_BYTES, STATX_SIZE);
		this.#covered = new Uint8Array(buffer, HEADER_BYTES + STATX_SIZE, STATX_SIZE);
		this.#device = new DataView(buffer, HEADER_BYTES, STATX_SIZE);
		this.#lock = new SharedLock(this.#cells, LOCK);
	}

	/** 0: there is no backing. */
	get generation(): number {
		return Atomics.load(this.#cells, GENERATION);
	}

	/** Whether the backing is a FUSE filesystem itself: a GlusterFS mount, as a rule. */
	get isFuse(): boolean {
		return Atomics.load(this.#cells, IS_FUSE) === 1;
	}

	/** Makes a generation current. @param attributes of its root. @param isFuse as the property */
	attach(generation: number, attributes: Uint8Array, isFuse: boolean): void {
		this.#lock.run(() => {
			this.#attributes.set(attributes);
			Atomics.store(this.#cells, IS_FUSE, isFuse ? 1 : 0);
			Atomics.store(this.#cells, REFRESHED_AT, nowMs());
			Atomics.store(this.#cells, COVERED, 0);
			Atomics.store(this.#cells, GENERATION, generation);
		});
		this.answered();
	}

	/** Makes a copy current in place of the mount that is, or of another copy. @param attributes of the copy's root */
	cover(copy: number, attributes: Uint8Array): void {
		this.#lock.run(() => {
			if (copyOf(this.generation) === 0) {
				this.#covered.set(this.#attributes);
				Atomics.store(this.#cells, COVERED_IS_FUSE, Atomics.load(this.#cells, IS_FUSE));
				Atomics.store(this.#cells, COVERED, this.generation);
			}
			this.#attributes.set(attributes);
			Atomics.store(this.#cells, IS_FUSE, 0);
			Atomics.store(this.#cells, GENERATION, copy);
		});
		this.answered();
	}

	/**
	 * A change was done through that mount: if a copy stands for it, it does no longer, for what was changed is not in it.
	 * Any thread; before the change is acknowledged.
	 */
	uncover(mount: number): void {
		if (this.generation === mount) return;
		this.#lock.run(() => {
			if (copyOf(this.generation) === 0 || Atomics.load(this.#cells, COVERED) !== mount) return;
			this.#attributes.set(this.#covered);
			Atomics.store(this.#cells, IS_FUSE, Atomics.load(this.#cells, COVERED_IS_FUSE));
			Atomics.store(this.#cells, COVERED, 0);
			Atomics.store(this.#cells, REFRESHED_AT, nowMs() - 2 * FRESH_MS);
			Atomics.store(this.#cells, ANSWERED_AT, nowMs());
			Atomics.store(this.#cells, HAS_ANSWERED, 1);
			Atomics.store(this.#cells, GENERATION, mount);
		});
	}

	/** How long ago `uncover` has found a mount answering, in ms; undefined: never. */
	get uncoveredMsAgo(): number | undefined {
		if (Atomics.load(this.#cells, HAS_ANSWERED) === 0) return undefined;
		return (nowMs() - Atomics.load(this.#cells, ANSWERED_AT)) | 0;
	}

	/** No backing; the root's attributes become those of an empty directory of root's that nobody may write. */
	detach(): void {
		const none = Buffer.alloc(STATX_SIZE);
		none.writeUInt16LE(S_IFDIR | 0o555, STATX.mode);
		none.writeUInt32LE(2, STATX.nlink);
		none.writeUInt32LE(4096, STATX.blksize);
		none.writeBigUInt64LE(1n, STATX.ino);
		this.attach(0, none, false);
	}

	/**
	 * Whether a file of that generation lies on another filesystem, mounted somewhere below the root. Inode numbers are
	 * unique on one filesystem only, and the next generation would not have that mount.
	 */
	isForeign(attributes: Buffer): boolean {
		const here = this.#device;
		// The copy has no device; what is answered now was begun on the mount before.
		if (copyOf(this.generation) !== 0) return false;
		return (
			attributes.readUInt32LE(STATX.devMajor) !== here.getUint32(STATX.devMajor, true) ||
			attributes.readUInt32LE(STATX.devMinor) !== here.getUint32(STATX.devMinor, true)
		);
	}

	/** Stores attributes seen in a generation, if it is still the current one. */
	store(generation: number, attributes: Uint8Array): void {
		this.#lock.run(() => {
			if (this.generation !== generation) return;
			this.#attributes.set(attributes);
			Atomics.store(this.#cells, REFRESHED_AT, nowMs());
		});
	}

	/** Inode number of the root in the backing. */
	get ino(): bigint {
		return this.#lock.run(() => this.#device.getBigUint64(STATX.ino, true));
	}

	read(into: Uint8Array): void {
		this.#lock.run(() => into.set(this.#attributes));
	}

	/** Whether the stored attributes are old enough to be looked up again. */
	get stale(): boolean {
		return ((nowMs() - Atomics.load(this.#cells, REFRESHED_AT)) | 0) > FRESH_MS;
	}

	/** Asks the root thread for fresh attributes; waits a moment for it unless it already owes an answer. */
	refresh(): void {
		if (this.generation === 0 || copyOf(this.generation) !== 0 || !this.stale) return;
		const answers = Atomics.load(this.#cells, ANSWERS);
		if (Atomics.compareExchange(this.#cells, PENDING, 0, 1) !== 0) return;
		this.wake();
		Atomics.wait(this.#cells, ANSWERS, answers, REFRESH_WAIT_MS);
	}

	/** Root thread: sleeps until the next request. @param seen what the call before returned, 0 at first */
	awaitRequest(seen: number): number {
		Atomics.wait(this.#cells, REQUESTS, seen);
		return Atomics.load(this.#cells, REQUESTS);
	}

	get requests(): number {
		return Atomics.load(this.#cells, REQUESTS);
	}

	/** Root thread: the request was dealt with. */
	answered(): void {
		Atomics.store(this.#cells, PENDING, 0);
		Atomics.add(this.#cells, ANSWERS, 1);
		Atomics.notify(this.#cells, ANSWERS);
	}

	/** Wakes the root threads: there is a request, or one of them is to end. */
	wake(): void {
		Atomics.add(this.#cells, REQUESTS, 1);
		Atomics.notify(this.#cells, REQUESTS);
	}
}
