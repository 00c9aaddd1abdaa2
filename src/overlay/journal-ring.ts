/** A ring of bytes in shared memory: the worker threads put records in and go on, one other thread takes them out. */
import {SharedLock} from './shared-lock.ts';

/** Words before the data. Positions count bytes for ever, modulo 2^32. */
const LOCK = 0;
const HEAD = 1;
const TAIL = 2;
const DROPPED = 3;
/** The last counter given, 64 bits, at byte 16. */
const COUNTER_64 = 2;
const HEADER_BYTES = 64;
const LENGTH_BYTES = 4;

/** @param bytes a power of two */
export const createRingBuffer = (bytes: number): SharedArrayBuffer =>
	new SharedArrayBuffer(HEADER_BYTES + bytes);

export class JournalRing {
	readonly #words: Int32Array;
	readonly #counter: BigInt64Array;
	readonly #data: Uint8Array;
	readonly #lock: SharedLock;

	constructor(buffer: SharedArrayBuffer) {
		this.#words = new Int32Array(buffer, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
		this.#counter = new BigInt64Array(buffer, 0, HEADER_BYTES / BigInt64Array.BYTES_PER_ELEMENT);
		this.#data = new Uint8Array(buffer, HEADER_BYTES);
		this.#lock = new SharedLock(this.#words, LOCK);
	}

	/** The last counter that was given. */
	get counter(): number {
		return Number(Atomics.load(this.#counter, COUNTER_64));
	}

	/** To be called before any thread takes a counter. */
	startAt(counter: number): void {
		Atomics.store(this.#counter, COUNTER_64, BigInt(counter));
	}

	/** A counter that nobody else gets. */
	nextCounter(): number {
		return Number(Atomics.add(this.#counter, COUNTER_64, 1n)) + 1;
	}

	/** Records that found no room; their counters are missing in the journal, which shows them. */
	get dropped(): number {
		return Atomics.load(this.#words, DROPPED);
	}

	/** Copies one record in. Never waits for the one who takes them out. @returns false when there is no room */
	push(record: Uint8Array): boolean {
		const pushed = this.#lock.run(() => {
			const head = this.#words[HEAD]! >>> 0;
			const free = this.#data.length - ((head - (Atomics.load(this.#words, TAIL) >>> 0)) >>> 0);
			if (LENGTH_BYTES + record.length > free) return false;
			const length = Buffer.allocUnsafe(LENGTH_BYTES);
			length.writeUInt32LE(record.length);
			this.#copyIn(length, head);
			this.#copyIn(record, head + LENGTH_BYTES);
			Atomics.store(this.#words, HEAD, (head + LENGTH_BYTES + record.length) | 0);
			return true;
		});
		if (!pushed) Atomics.add(this.#words, DROPPED, 1);
		return pushed;
	}

	/** Takes all records out, oldest first. For one thread only. */
	drain(): Buffer[] {
		const tail = Atomics.load(this.#words, TAIL) >>> 0;
		const head = Atomics.load(this.#words, HEAD) >>> 0;
		const bytes = this.#copyOut(tail, (head - tail) >>> 0);
		const records: Buffer[] = [];
		for (let at = 0; at < bytes.length;) {
			const length = bytes.readUInt32LE(at);
			records.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
			at += LENGTH_BYTES + length;
		}
		Atomics.store(this.#words, TAIL, head | 0);
		return records;
	}

	#copyIn(bytes: Uint8Array, position: number): void {
		const at = (position >>> 0) % this.#data.length;
		const first = Math.min(bytes.length, this.#data.length - at);
		this.#data.set(bytes.subarray(0, first), at);
		this.#data.set(bytes.subarray(first), 0);
	}

	#copyOut(position: number, length: number): Buffer {
		const at = position % this.#data.length;
		const first = Math.min(length, this.#data.length - at);
		const out = Buffer.allocUnsafe(length);
		out.set(this.#data.subarray(at, at + first), 0);
		out.set(this.#data.subarray(0, length - first), first);
		return out;
	}
}
