/**
 * The shared queue of requests that no worker may run yet: slots in shared memory, taken in order. The lock is never
 * held over a system call or a copy of data.
 */
import {OPCODE} from './wire/abi.ts';

/** Header cells. */
const LOCK = 0;
/** Entries in order. */
const COUNT = 1;
/** Unused slots; they are reused last in, first out, so that few of them ever touch memory. */
const UNUSED = 2;
/** Counts every request taken; the watchdog sees by it that someone takes. */
const TAKEN = 3;
const HEADER_CELLS = 4;

/** Cells of one slot's description. */
const LENGTH = 0;
const READ_AT = 1;
const UNIQUE_LOW = 2;
const UNIQUE_HIGH = 3;
const REQUEST_OPCODE = 4;
const META_CELLS = 5;

export interface QueueBuffers {
	readonly cells: SharedArrayBuffer;
	readonly bytes: SharedArrayBuffer;
	readonly slots: number;
	/** Slots kept back for requests that must not be refused. */
	readonly reserved: number;
	readonly slotSize: number;
}

/** @param slotSize bytes of the largest request */
export const createQueueBuffers = (slots: number, reserved: number, slotSize: number): QueueBuffers => {
	const cells = new SharedArrayBuffer(4 * (HEADER_CELLS + slots * (2 + META_CELLS)));
	const view = new Int32Array(cells);
	view[UNUSED] = slots;
	for (let i = 0; i < slots; i++) view[HEADER_CELLS + slots + i] = slots - 1 - i;
	return {cells, bytes: new SharedArrayBuffer(slots * slotSize), slots, reserved, slotSize};
};

/** Whether losing the request would leak: these carry what the kernel gives back and never asks again. */
export const mustNotBeRefused = (opcode: number): boolean =>
	opcode === OPCODE.RELEASE ||
	opcode === OPCODE.RELEASEDIR ||
	opcode === OPCODE.FORGET ||
	opcode === OPCODE.BATCH_FORGET;

export interface Taken {
	/** Bytes of the request, now in the caller's buffer. */
	readonly length: number;
	/** When it was read from the device, on the control's clock. */
	readonly readAtMs: number;
}

/** A view of the queue; any thread. */
export class RequestQueue {
	readonly #cells: Int32Array;
	readonly #bytes: Uint8Array;
	readonly #slots: number;
	readonly #reserved: number;
	readonly #slotSize: number;

	constructor(buffers: QueueBuffers) {
		this.#cells = new Int32Array(buffers.cells);
		this.#bytes = new Uint8Array(buffers.bytes);
		this.#slots = buffers.slots;
		this.#reserved = buffers.reserved;
		this.#slotSize = buffers.slotSize;
	}

	get count(): number {
		return Atomics.load(this.#cells, COUNT);
	}
	get taken(): number {
		return Atomics.load(this.#cells, TAKEN);
	}

	/** A futex: 0 open, 1 locked, 2 locked and waited for. */
	#lock(): void {
		if (Atomics.compareExchange(this.#cells, LOCK, 0, 1) === 0) return;
		while (Atomics.exchange(this.#cells, LOCK, 2) !== 0) Atomics.wait(this.#cells, LOCK, 2);
	}
	#unlock(): void {
		if (Atomics.exchange(this.#cells, LOCK, 0) === 2) Atomics.notify(this.#cells, LOCK, 1);
	}

	#order(position: number): number {
		return HEADER_CELLS + position;
	}
	#meta(slot: number): number {
		return HEADER_CELLS + 2 * this.#slots + slot * META_CELLS;
	}

	#releaseSlot(slot: number): void {
		const unused = this.#cells[UNUSED]!;
		this.#cells[HEADER_CELLS + this.#slots + unused] = slot;
		this.#cells[UNUSED] = unused + 1;
	}

	/** Under the lock: takes the entry at a position out of the order. @returns its slot */
	#pull(position: number): number {
		const count = this.#cells[COUNT]!;
		const slot = this.#cells[this.#order(position)]!;
		this.#cells.copyWithin(this.#order(position), this.#order(position + 1), this.#order(count));
		Atomics.store(this.#cells, COUNT, count - 1);
		return slot;
	}

	/**
	 * @param message a buffer with the request at its start
	 * @returns false when there is no room for it
	 */
	push(
		message: Buffer,
		length: number,
		opcode: number,
		uniqueLow: number,
		uniqueHigh: number,
		readAtMs: number,
	): boolean {
		const cells = this.#cells;
		this.#lock();
		const unused = cells[UNUSED]!;
		if (length > this.#slotSize || unused <= (mustNotBeRefused(opcode) ? 0 : this.#reserved)) {
			this.#unlock();
			return false;
		}
		cells[UNUSED] = unused - 1;
		const slot = cells[HEADER_CELLS + this.#slots + unused - 1]!;
		this.#unlock();
		const meta = this.#meta(slot);
		cells[meta + LENGTH] = length;
		cells[meta + READ_AT] = readAtMs;
		cells[meta + UNIQUE_LOW] = uniqueLow;
		cells[meta + UNIQUE_HIGH] = uniqueHigh;
		cells[meta + REQUEST_OPCODE] = opcode;
		this.#bytes.set(message.subarray(0, length), slot * this.#slotSize);
		this.#lock();
		const count = cells[COUNT]!;
		cells[this.#order(count)] = slot;
		Atomics.store(cells, COUNT, count + 1);
		this.#unlock();
		return true;
	}

	/** Takes the oldest request and copies it to the start of `into`. */
	pop(into: Buffer): Taken | undefined {
		const cells = this.#cells;
		if (this.count === 0) return undefined;
		this.#lock();
		if (cells[COUNT] === 0) {
			this.#unlock();
			return undefined;
		}
		const slot = this.#pull(0);
		Atomics.add(cells, TAKEN, 1);
		this.#unlock();
		const length = cells[this.#meta(slot) + LENGTH]!;
		const readAtMs = cells[this.#meta(slot) + READ_AT]!;
		into.set(this.#bytes.subarray(slot * this.#slotSize, slot * this.#slotSize + length));
		this.#lock();
		this.#releaseSlot(slot);
		this.#unlock();
		return {length, readAtMs};
	}

	/** Removes one request by its number, unless it is one that must not be refused. @returns whether it was there */
	remove(uniqueLow: number, uniqueHigh: number): boolean {
		return this.#removeIf(
			meta =>
				this.#cells[meta + UNIQUE_LOW] === uniqueLow &&
				this.#cells[meta + UNIQUE_HIGH] === uniqueHigh &&
				!mustNotBeRefused(this.#cells[meta + REQUEST_OPCODE]!),
			() => undefined,
		);
	}

	/**
	 * Removes every request that `isOverdue` says and tells its number.
	 * @param isOverdue gets the opcode and when the request was read
	 */
	expire(
		isOverdue: (opcode: number, readAtMs: number) => boolean,
		expired: (uniqueLow: number, uniqueHigh: number, opcode: number) => void,
	): void {
		if (this.count === 0) return;
		this.#removeIf(meta => {
			const opcode = this.#cells[meta + REQUEST_OPCODE]!;
			return !mustNotBeRefused(opcode) && isOverdue(opcode, this.#cells[meta + READ_AT]!);
		}, expired);
	}

	#removeIf(
		test: (meta: number) => boolean,
		removed: (uniqueLow: number, uniqueHigh: number, opcode: number) => void,
	): boolean {
		const found: number[] = [];
		this.#lock();
		for (let position = 0; position < this.#cells[COUNT]!;) {
			const meta = this.#meta(this.#cells[this.#order(position)]!);
			if (!test(meta)) {
				position++;
				continue;
			}
			found.push(
				this.#cells[meta + UNIQUE_LOW]!,
				this.#cells[meta + UNIQUE_HIGH]!,
				this.#cells[meta + REQUEST_OPCODE]!,
			);
			this.#releaseSlot(this.#pull(position));
		}
		this.#unlock();
		for (let i = 0; i < found.length; i += 3) removed(found[i]!, found[i + 1]!, found[i + 2]!);
		return found.length > 0;
	}
}
