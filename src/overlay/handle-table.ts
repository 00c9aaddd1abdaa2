/** Open handles, shared by all threads: number -> descriptor, generation and node; with pins, so that none closes under a call. */
import {
	BLOCK,
	BUCKETS,
	DESCRIPTOR,
	FLAGS,
	FLOCK,
	FREE_HEAD,
	GENERATION,
	KIND,
	LENGTH,
	LOCK,
	NEXT,
	NODE,
	PINS,
	SEQUENCE,
	SEQUENCE_MASK,
	SLOT_BITS,
	SLOT_MASK,
	STATE,
	STATE_CLOSING,
	STATE_FREE,
	STATE_OPEN,
	UNTOUCHED,
	USED,
	WORDS,
	HANDLE_KINDS,
	hasOwner,
	nowMs,
	openHandlesOf,
	putOwner,
	readHandle,
	type Handle,
	type HandleBuffers,
	type NewHandle,
} from './handle-layout.ts';
import {SharedLock} from './shared-lock.ts';
import {Slab} from './slab.ts';

export class HandleTable {
	readonly #cells: Int32Array;
	readonly #texts: Slab;
	readonly #lock: SharedLock;
	readonly #capacity: number;
	readonly #buckets: number;

	constructor(buffers: HandleBuffers) {
		this.#cells = new Int32Array(buffers.handles);
		this.#texts = new Slab(buffers.texts);
		this.#lock = new SharedLock(this.#cells, LOCK);
		this.#capacity = (this.#cells.length - BUCKETS) / WORDS;
		this.#buckets = this.#capacity * WORDS;
	}

	get used(): number {
		return Atomics.load(this.#cells, USED);
	}

	/** @returns the handle's number, or 0 when the table is full: then the caller still owns the descriptor */
	open(handle: NewHandle): number {
		return this.#lock.run(() => this.#open(handle, 0, 0));
	}

	/** Opens a handle on a copy of the text. @returns its number, or 0 when there is no room */
	openText(nodeid: number, flags: number, text: Uint8Array): number {
		return this.#lock.run(() => {
			const block = this.#texts.store(text);
			if (block === 0) return 0;
			const handle = {kind: 'text', nodeid, fd: -1, generation: 0, flags} as const;
			const fh = this.#open(handle, block, text.length);
			if (fh === 0) this.#texts.free(block);
			return fh;
		});
	}

	/** Keeps the handle's descriptor open until `unpin`. @returns undefined when there is no such handle */
	pin(fh: number): Handle | undefined {
		return this.#lock.run(() => this.#pin(this.#slot(fh)));
	}

	/** @returns as `close` */
	unpin(fh: number): number {
		return this.#lock.run(() => {
			const at = (fh & SLOT_MASK) * WORDS;
			this.#cells[at + PINS] = this.#cells[at + PINS]! - 1;
			return this.#freeIfDone(at);
		});
	}

	/** Releases the handle: nobody can pin it any more. @returns a descriptor that the caller must close now, or -1 */
	close(fh: number): number {
		return this.#lock.run(() => {
			const at = this.#slot(fh);
			if (at === 0) return -1;
			this.#cells[at + STATE] = STATE_CLOSING;
			return this.#freeIfDone(at);
		});
	}

	/**
	 * Gives the pinned handle a descriptor of another generation. The old one stays open, as a retired handle, since other
	 * threads may be about to use it and closing it may block on a dying mount: see `takeRetired`.
	 * @returns false when the table is full or another thread has done it: then nothing changed
	 */
	rebind(handle: Handle, fd: number, generation: number): boolean {
		return this.#lock.run(() => {
			const cells = this.#cells;
			const at = (handle.fh & SLOT_MASK) * WORDS;
			if (cells[at + GENERATION] === generation) return false;
			const old = {...handle, kind: 'retired', fd: cells[at + DESCRIPTOR]!} as const;
			// A handle that was opened on the copy has none yet.
			if (old.fd >= 0 && this.#open({...old, generation: cells[at + GENERATION]!}, 0, nowMs()) === 0)
				return false;
			cells[at + DESCRIPTOR] = fd;
			cells[at + GENERATION] = generation;
			return true;
		});
	}

	/** Handles through which something is locked and that are not yet of that generation. */
	lockHolders(generation: number): number[] {
		const cells = this.#cells;
		return this.#lock.run(() =>
			this.#slots()
				.filter(at => cells[at + STATE] === STATE_OPEN && cells[at + GENERATION] !== generation)
				.filter(at => cells[at + KIND] === HANDLE_KINDS.lock || cells[at + FLOCK] !== 0)
				.map(at => readHandle(cells, at).fh),
		);
	}

	/** Keeps bytes with the pinned handle, in place of those before. @returns false when there is no room */
	setBytes(fh: number, bytes: Uint8Array): boolean {
		return this.#lock.run(() => {
			const at = (fh & SLOT_MASK) * WORDS;
			const block = this.#texts.store(bytes);
			if (block === 0) return false;
			if (this.#cells[at + BLOCK] !== 0) this.#texts.free(this.#cells[at + BLOCK]!);
			this.#cells[at + BLOCK] = block;
			this.#cells[at + LENGTH] = bytes.length;
			return true;
		});
	}

	/** A copy of what `setBytes` or `openText` gave the pinned handle. */
	bytesOf(fh: number): Buffer {
		const at = (fh & SLOT_MASK) * WORDS;
		return this.#lock.run(() => {
			const block = this.#cells[at + BLOCK]!;
			return Buffer.from(block === 0 ? [] : this.#texts.view(block, this.#cells[at + LENGTH]!));
		});
	}

	/**
	 * Frees the retired handles of a generation that nobody can be using any more.
	 * @param graceMs how long ago they must have been retired
	 * @returns the descriptors, for a thread to close that may block
	 */
	takeRetired(generation: number, graceMs: number): number[] {
		const cells = this.#cells;
		return this.#take(
			at =>
				cells[at + KIND] === HANDLE_KINDS.retired &&
				cells[at + GENERATION] === generation &&
				((nowMs() - cells[at + LENGTH]!) | 0) >= graceMs,
		);
	}

	/** Releases all handles of a generation. @returns the descriptors, for a thread to close that may block */
	takeAll(generation: number): number[] {
		return this.#take(at => this.#cells[at + GENERATION] === generation);
	}

	/** Whether any handle still belongs to that generation. */
	hasGeneration(generation: number): boolean {
		const cells = this.#cells;
		return this.#lock.run(() => this.#slots().some(at => cells[at + GENERATION] === generation));
	}

	/** Notes what flock holds through the pinned handle. */
	setFlock(fh: number, operation: number): void {
		Atomics.store(this.#cells, (fh & SLOT_MASK) * WORDS + FLOCK, operation);
	}

	/** Pins an open handle of the node, of whatever generation. */
	pinOpenOf(nodeid: number, kind: 'file' | 'directory'): Handle | undefined {
		return this.#lock.run(() => this.#pin(openHandlesOf(this.#cells, this.#buckets, nodeid, kind)[0]));
	}

	/** Pins the handle that holds the owner's POSIX locks on the node. */
	pinLockOf(nodeid: number, owner: bigint): Handle | undefined {
		return this.#lock.run(() =>
			this.#pin(this.#locksOf(nodeid).find(at => hasOwner(this.#cells, at, owner))),
		);
	}

	/** Pins all handles that hold POSIX locks on the node. */
	pinLocksOf(nodeid: number): Handle[] {
		return this.#lock.run(() => this.#locksOf(nodeid).map(at => this.#pin(at)!));
	}

	/** The content of a text handle from `offset` on. @returns bytes copied, or -1 when there is no such handle */
	readText(fh: number, offset: number, into: Uint8Array): number {
		return this.#lock.run(() => {
			const at = this.#slot(fh);
			if (at === 0 || this.#cells[at + KIND] !== HANDLE_KINDS.text) return -1;
			const length = this.#cells[at + LENGTH]!;
			const count = Math.max(0, Math.min(into.length, length - offset));
			if (count > 0)
				into.set(this.#texts.view(this.#cells[at + BLOCK]!, length).subarray(offset, offset + count));
			return count;
		});
	}

	/** Where the handles are that have descriptors. */
	#slots(): number[] {
		const cells = this.#cells;
		const found: number[] = [];
		for (let at = WORDS; at < cells[UNTOUCHED]! * WORDS; at += WORDS)
			if (cells[at + STATE] !== STATE_FREE && cells[at + KIND] !== HANDLE_KINDS.text) found.push(at);
		return found;
	}

	/** Releases the open handles for which `chosen` holds. @returns the descriptors of those that nobody has pinned */
	#take(chosen: (at: number) => boolean): number[] {
		return this.#lock.run(() => {
			const taken: number[] = [];
			for (const at of this.#slots()) {
				if (this.#cells[at + STATE] !== STATE_OPEN || !chosen(at)) continue;
				this.#cells[at + STATE] = STATE_CLOSING;
				const fd = this.#freeIfDone(at);
				if (fd >= 0) taken.push(fd);
			}
			return taken;
		});
	}

	#slot(fh: number): number {
		const slot = fh & SLOT_MASK;
		if (slot === 0 || slot >= this.#capacity) return 0;
		const at = slot * WORDS;
		const same = this.#cells[at + SEQUENCE] === fh >>> SLOT_BITS;
		return same && this.#cells[at + STATE] === STATE_OPEN ? at : 0;
	}

	#locksOf(nodeid: number): number[] {
		return openHandlesOf(this.#cells, this.#buckets, nodeid, 'lock');
	}

	#pin(at = 0): Handle | undefined {
		if (at === 0) return undefined;
		this.#cells[at + PINS] = this.#cells[at + PINS]! + 1;
		return readHandle(this.#cells, at);
	}

	#open(handle: NewHandle, block: number, length: number): number {
		const cells = this.#cells;
		let slot = cells[FREE_HEAD]!;
		if (slot !== 0) cells[FREE_HEAD] = cells[slot * WORDS + NEXT]!;
		else if (cells[UNTOUCHED]! < this.#capacity) slot = cells[UNTOUCHED]!++;
		else return 0;
		const at = slot * WORDS;
		cells[at + SEQUENCE] = (cells[at + SEQUENCE]! + 1) & SEQUENCE_MASK;
		cells[at + STATE] = STATE_OPEN;
		cells[at + KIND] = HANDLE_KINDS[handle.kind];
		cells[at + NODE] = handle.nodeid;
		cells[at + DESCRIPTOR] = handle.fd;
		cells[at + GENERATION] = handle.generation;
		cells[at + FLAGS] = handle.flags;
		cells[at + PINS] = 0;
		putOwner(cells, at, handle.owner ?? 0n);
		cells[at + FLOCK] = 0;
		cells[at + BLOCK] = block;
		cells[at + LENGTH] = length;
		const bucket = this.#buckets + (handle.nodeid & (BUCKETS - 1));
		cells[at + NEXT] = cells[bucket]!;
		cells[bucket] = slot;
		Atomics.add(cells, USED, 1);
		return (cells[at + SEQUENCE]! << SLOT_BITS) | slot;
	}

	#freeIfDone(at: number): number {
		const cells = this.#cells;
		if (cells[at + STATE] !== STATE_CLOSING || cells[at + PINS]! > 0) return -1;
		const slot = at / WORDS;
		let link = this.#buckets + (cells[at + NODE]! & (BUCKETS - 1));
		while (cells[link] !== slot) link = cells[link]! * WORDS + NEXT;
		cells[link] = cells[at + NEXT]!;
		if (cells[at + BLOCK] !== 0) this.#texts.free(cells[at + BLOCK]!);
		cells[at + STATE] = STATE_FREE;
		cells[at + NEXT] = cells[FREE_HEAD]!;
		cells[FREE_HEAD] = slot;
		Atomics.sub(cells, USED, 1);
		return cells[at + DESCRIPTOR]!;
	}
}
