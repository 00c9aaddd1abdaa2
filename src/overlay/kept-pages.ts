/** Whether the kernel may keep what it has read of a file, or of a directory's entries, beyond the end of the open. */
import {STATX} from '../posix/statx.ts';
import {STAMP_HIGH, STAMP_LOW, WORDS} from './inode-layout.ts';

/**
 * Time stamps must be this old before they are relied upon. Two changes within one tick of a clock leave the same stamp; and
 * GlusterFS takes the stamp from the node that makes the change and keeps the later one, so that a node whose clock is
 * behind leaves it as it was. The clocks of the nodes agree within this time, or a change could be missed.
 */
export const SETTLED_MS = 10_000;

const NS_PER_MS = 1_000_000;

const stampMs = (statx: Buffer, sec: number, nsec: number): number =>
	statx.readInt32LE(sec + 4) * 2 ** 32 * 1000 +
	statx.readUInt32LE(sec) * 1000 +
	statx.readUInt32LE(nsec) / NS_PER_MS;

/** Whether neither content nor attributes have changed for a while. @param nowMs as Date.now() */
export const isSettled = (statx: Buffer, nowMs: number): boolean =>
	Math.max(stampMs(statx, STATX.mtimeSec, STATX.mtimeNsec), stampMs(statx, STATX.ctimeSec, STATX.ctimeNsec)) <
	nowMs - SETTLED_MS;

const WORDS_OF_STAMP = [
	STATX.mtimeSec,
	STATX.mtimeNsec,
	STATX.ctimeSec,
	STATX.ctimeNsec,
	STATX.size,
	STATX.size + 4,
] as const;

/** For each node the stamp with which the kernel may keep what it has; in the inode table's memory, for all threads. */
export class KeptPages {
	readonly #cells: Int32Array;

	/** @param nodes the memory of the inode table */
	constructor(nodes: SharedArrayBuffer) {
		this.#cells = new Int32Array(nodes);
	}

	/** The kernel was given something else than the backing has: what it has of the node is not to be kept. */
	forget(nodeid: number): void {
		this.#cells[nodeid * WORDS + STAMP_LOW] = 0;
	}

	/**
	 * Whether the kernel may keep the pages that it has of the node's file: all were read while the file was as it is now.
	 * Notes that those of this open are.
	 * @param statx the file's attributes, asked for after it was opened
	 */
	mayKeep(nodeid: number, statx: Buffer, nowMs = Date.now()): boolean {
		const at = nodeid * WORDS;
		const cells = this.#cells;
		let low = 1;
		let high = 0;
		if (isSettled(statx, nowMs))
			for (const field of WORDS_OF_STAMP) {
				const word = statx.readInt32LE(field);
				low = Math.imul(low ^ word, 0x85ebca6b) ^ (low >>> 13);
				high = Math.imul(high ^ word, 0xc2b2ae35) ^ (high >>> 15);
			}
		else low = 0;
		const same = cells[at + STAMP_LOW] === low && cells[at + STAMP_HIGH] === high && low !== 0;
		cells[at + STAMP_LOW] = low;
		cells[at + STAMP_HIGH] = high;
		return same;
	}
}
