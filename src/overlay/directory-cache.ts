/** O_PATH descriptors of directories, shared by all threads: bounded, pinned while in use, each of one generation. */
import {SharedLock} from './shared-lock.ts';

const SETS = 256;
const WAYS = 4;
const WORDS = 8;
const NODE = 0;
/** The node's reuse number, so that an entry never serves the next file with the same node number. */
const REUSE = 1;
const GENERATION = 2;
const DESCRIPTOR = 3;
const PINS = 4;
const LAST_USE = 5;

/** Words of the header. */
const LOCK = 0;
const CLOCK = 1;
const HEADER = 8;

/** Descriptors at most. */
export const DIRECTORIES_MAX = SETS * WAYS;

export const createDirectoryCells = (): SharedArrayBuffer =>
	new SharedArrayBuffer((HEADER + SETS * WAYS * WORDS) * Int32Array.BYTES_PER_ELEMENT);

/** A pinned descriptor. `slot` -1: the cache had no room, the caller closes it. */
export interface PinnedDirectory {
	readonly fd: number;
	readonly slot: number;
}

/** What an entry is found by. */
export interface DirectoryKey {
	readonly nodeid: number;
	readonly reuse: number;
	readonly generation: number;
}

export class DirectoryCache {
	readonly #cells: Int32Array;
	readonly #lock: SharedLock;

	constructor(buffer: SharedArrayBuffer) {
		this.#cells = new Int32Array(buffer);
		this.#lock = new SharedLock(this.#cells, LOCK);
	}

	/** @returns undefined when the directory is not in the cache */
	pin(key: DirectoryKey): PinnedDirectory | undefined {
		return this.#lock.run(() => this.#pin(key));
	}

	/**
	 * Adds a descriptor that the caller opened, pinned.
	 * @returns what to use from now on, and the descriptors that the caller must close (another thread's was there first,
	 * or an old one made room)
	 */
	add(key: DirectoryKey, fd: number): {readonly pinned: PinnedDirectory; readonly toClose: number} {
		return this.#lock.run(() => {
			const cells = this.#cells;
			const first = this.#pin(key);
			if (first !== undefined) return {pinned: first, toClose: fd};
			let oldest = 0;
			for (let way = 0; way < WAYS; way++) {
				const at = this.#at(key.nodeid, way);
				if (cells[at + NODE] === 0) {
					oldest = at;
					break;
				}
				if (cells[at + PINS] !== 0) continue;
				if (oldest === 0 || ((cells[at + LAST_USE]! - cells[oldest + LAST_USE]!) | 0) < 0) oldest = at;
			}
			if (oldest === 0) return {pinned: {fd, slot: -1}, toClose: -1};
			const toClose = cells[oldest + NODE] === 0 ? -1 : cells[oldest + DESCRIPTOR]!;
			cells[oldest + NODE] = key.nodeid;
			cells[oldest + REUSE] = key.reuse;
			cells[oldest + GENERATION] = key.generation;
			cells[oldest + DESCRIPTOR] = fd;
			cells[oldest + PINS] = 1;
			cells[oldest + LAST_USE] = ++cells[CLOCK]!;
			return {pinned: {fd, slot: oldest}, toClose};
		});
	}

	unpin(pinned: PinnedDirectory): void {
		if (pinned.slot < 0) return;
		this.#lock.run(() => {
			this.#cells[pinned.slot + PINS] = this.#cells[pinned.slot + PINS]! - 1;
		});
	}

	/** Takes out the unpinned entries for which `unwanted` holds. @returns their descriptors, for the caller to close */
	sweep(unwanted: (key: DirectoryKey) => boolean): number[] {
		return this.#lock.run(() => {
			const closing: number[] = [];
			for (let at = HEADER; at < this.#cells.length; at += WORDS) this.#takeOut(at, unwanted, closing);
			return closing;
		});
	}

	/** `sweep` for the entries of one node. */
	drop(nodeid: number): number[] {
		return this.#lock.run(() => {
			const closing: number[] = [];
			for (let way = 0; way < WAYS; way++)
				this.#takeOut(this.#at(nodeid, way), key => key.nodeid === nodeid, closing);
			return closing;
		});
	}

	#at(nodeid: number, way: number): number {
		return HEADER + ((nodeid & (SETS - 1)) * WAYS + way) * WORDS;
	}

	#pin(key: DirectoryKey): PinnedDirectory | undefined {
		const cells = this.#cells;
		for (let way = 0; way < WAYS; way++) {
			const at = this.#at(key.nodeid, way);
			if (
				cells[at + NODE] !== key.nodeid ||
				cells[at + REUSE] !== key.reuse ||
				cells[at + GENERATION] !== key.generation
			)
				continue;
			cells[at + PINS] = cells[at + PINS]! + 1;
			cells[at + LAST_USE] = ++cells[CLOCK]!;
			return {fd: cells[at + DESCRIPTOR]!, slot: at};
		}
		return undefined;
	}

	#takeOut(at: number, unwanted: (key: DirectoryKey) => boolean, closing: number[]): void {
		const cells = this.#cells;
		if (cells[at + NODE] === 0 || cells[at + PINS] !== 0) return;
		const key = {
			nodeid: cells[at + NODE]!,
			reuse: cells[at + REUSE]!,
			generation: cells[at + GENERATION]!,
		};
		if (!unwanted(key)) return;
		closing.push(cells[at + DESCRIPTOR]!);
		cells[at + NODE] = 0;
	}
}
