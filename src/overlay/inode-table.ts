/** The files that the kernel knows: node number <-> inode of the backing and its last known name; shared by all threads. */
import {type Identity, S_IFDIR, sameIdentity} from './identity.ts';
import {
	BIRTH,
	CHILDREN,
	FIRST_NODE,
	FLAGS,
	FLAG_HASHED,
	FLAG_USED,
	FREE_HEAD,
	INO_HIGH,
	INO_LOW,
	LOCK,
	LOOKUPS_HIGH,
	LOOKUPS_LOW,
	NAME,
	NAME_LENGTH,
	NEXT,
	PARENT,
	REUSE,
	ROOT_NODE,
	TYPE,
	UNTOUCHED,
	USED,
	WORDS,
	addLookups,
	type InodeBuffers,
	type Place,
} from './inode-layout.ts';
import {SharedLock} from './shared-lock.ts';
import {Slab} from './slab.ts';

export class InodeTable {
	readonly #cells: Int32Array;
	readonly #names: Slab;
	readonly #lock: SharedLock;
	readonly #capacity: number;

	constructor(buffers: InodeBuffers) {
		this.#cells = new Int32Array(buffers.nodes);
		this.#names = new Slab(buffers.names);
		this.#lock = new SharedLock(this.#cells, LOCK);
		this.#capacity = this.#cells.length / (WORDS + 1);
	}

	/** Nodes that the kernel knows, or whose children it knows; without the root. */
	get used(): number {
		return Atomics.load(this.#cells, USED);
	}

	get namesUsed(): number {
		return this.#lock.run(() => this.#names.used);
	}

	/** The generation that goes with the node number: differs each time a number is used for another file. */
	reuseOf(nodeid: number): number {
		return Atomics.load(this.#cells, nodeid * WORDS + REUSE);
	}

	typeOf(nodeid: number): number {
		return this.#cells[nodeid * WORDS + TYPE]!;
	}

	/**
	 * Takes one lookup reference on the file's node, which is made if there is none, and notes its name.
	 * @returns the node number, or 0 when the table is full
	 */
	reference(identity: Identity, parent: number, name: Uint8Array): number {
		return this.#lock.run(() => {
			const nodeid = this.#find(identity) || this.#make(identity);
			if (nodeid === 0) return 0;
			if (!this.#place(nodeid, parent, name)) {
				this.#freeIfUnused(nodeid);
				return 0;
			}
			addLookups(this.#cells, nodeid, 1);
			return nodeid;
		});
	}

	/** As `reference` for a file that has no name (O_TMPFILE). */
	referenceUnnamed(identity: Identity): number {
		return this.#lock.run(() => {
			const nodeid = this.#find(identity) || this.#make(identity);
			if (nodeid !== 0) addLookups(this.#cells, nodeid, 1);
			return nodeid;
		});
	}

	/**
	 * Gives references back; frees the node with the last one, and the parents that only it kept.
	 * @returns the directories that were freed
	 */
	forget(nodeid: number, count: number): readonly number[] {
		if (nodeid < FIRST_NODE) return [];
		return this.#lock.run(() => {
			addLookups(this.#cells, nodeid, -count);
			return this.#freeIfUnused(nodeid);
		});
	}

	/** @returns the node of that file, or 0 */
	find(identity: Identity): number {
		return this.#lock.run(() => this.#find(identity));
	}

	/** @returns the node of the file with that inode number of the backing, or 0 */
	findNumber(ino: bigint): number {
		return this.#lock.run(() =>
			this.#numbered(Number(BigInt.asIntN(32, ino)), Number(BigInt.asIntN(32, ino >> 32n))),
		);
	}

	/** Whether the node still stands for that file. */
	is(nodeid: number, identity: Identity): boolean {
		const at = nodeid * WORDS;
		return (this.#cells[at + FLAGS]! & FLAG_USED) !== 0 && this.#matches(at, identity);
	}

	/** @returns where the node was last seen; undefined for the root and when no name is known */
	placeOf(nodeid: number): Place | undefined {
		return this.#lock.run(() => {
			const at = nodeid * WORDS;
			const block = this.#cells[at + NAME]!;
			if (block === 0) return undefined;
			const length = this.#cells[at + NAME_LENGTH]!;
			const memory = Buffer.alloc(length + 1);
			memory.set(this.#names.view(block, length));
			return {parent: this.#cells[at + PARENT]!, name: memory.subarray(0, length)};
		});
	}

	/** Notes that the file is now found under this name (after RENAME, LINK). */
	moved(nodeid: number, parent: number, name: Uint8Array): void {
		this.#lock.run(() => {
			const at = nodeid * WORDS;
			if ((this.#cells[at + FLAGS]! & FLAG_USED) === 0) return;
			this.#place(nodeid, parent, name);
			if ((this.#cells[at + FLAGS]! & FLAG_HASHED) === 0) this.#hash(nodeid);
		});
	}

	/**
	 * Notes that a name of the file was removed.
	 * @param last it was the last one: the inode number may come back for another file
	 */
	unnamed(nodeid: number, parent: number, name: Uint8Array, last: boolean): void {
		this.#lock.run(() => {
			const at = nodeid * WORDS;
			const cells = this.#cells;
			const known = cells[at + NAME]!;
			if (
				last ||
				(known !== 0 &&
					cells[at + PARENT] === parent &&
					this.#names.equals(known, cells[at + NAME_LENGTH]!, name))
			)
				this.#unplace(nodeid);
			if (last) this.#unhash(nodeid);
		});
	}

	/** All node numbers in use, the root included, in chunks; nodes that come and go meanwhile may be missed. */
	*nodes(): Generator<number> {
		yield ROOT_NODE;
		for (let n = FIRST_NODE; n < Atomics.load(this.#cells, UNTOUCHED); n++)
			if ((this.#cells[n * WORDS + FLAGS]! & FLAG_USED) !== 0) yield n;
	}

	#matches(at: number, identity: Identity): boolean {
		const cells = this.#cells;
		return sameIdentity(identity, {
			inoLow: cells[at + INO_LOW]!,
			inoHigh: cells[at + INO_HIGH]!,
			birth: cells[at + BIRTH]!,
			type: cells[at + TYPE]!,
		});
	}

	#bucket(inoLow: number, inoHigh: number): number {
		const mixed = Math.imul(inoLow ^ Math.imul(inoHigh, 0x85ebca6b), 0x9e3779b1);
		return this.#capacity * WORDS + ((mixed >>> 7) & (this.#capacity - 1));
	}

	/** One file has one node (hard links, page cache, locks); a node whose number names another file now is let go. */
	#find(identity: Identity): number {
		const n = this.#numbered(identity.inoLow, identity.inoHigh);
		if (n === 0 || this.#matches(n * WORDS, identity)) return n;
		this.#unplace(n);
		this.#unhash(n);
		return 0;
	}

	#numbered(inoLow: number, inoHigh: number): number {
		const cells = this.#cells;
		for (let n = cells[this.#bucket(inoLow, inoHigh)]!; n !== 0; n = cells[n * WORDS + NEXT]!)
			if (cells[n * WORDS + INO_LOW] === inoLow && cells[n * WORDS + INO_HIGH] === inoHigh) return n;
		return 0;
	}

	#make(identity: Identity): number {
		const cells = this.#cells;
		let nodeid = cells[FREE_HEAD]!;
		if (nodeid !== 0) cells[FREE_HEAD] = cells[nodeid * WORDS + NEXT]!;
		else if (cells[UNTOUCHED]! < this.#capacity) nodeid = cells[UNTOUCHED]!++;
		else return 0;
		const at = nodeid * WORDS;
		cells.fill(0, at + PARENT, at + WORDS);
		cells[at + INO_LOW] = identity.inoLow;
		cells[at + INO_HIGH] = identity.inoHigh;
		cells[at + BIRTH] = identity.birth;
		cells[at + TYPE] = identity.type;
		cells[at + FLAGS] = FLAG_USED;
		cells[USED] = cells[USED]! + 1;
		this.#hash(nodeid);
		return nodeid;
	}

	#hash(nodeid: number): void {
		const cells = this.#cells;
		const at = nodeid * WORDS;
		const bucket = this.#bucket(cells[at + INO_LOW]!, cells[at + INO_HIGH]!);
		cells[at + NEXT] = cells[bucket]!;
		cells[bucket] = nodeid;
		cells[at + FLAGS] = cells[at + FLAGS]! | FLAG_HASHED;
	}

	#unhash(nodeid: number): void {
		const cells = this.#cells;
		const at = nodeid * WORDS;
		if ((cells[at + FLAGS]! & FLAG_HASHED) === 0) return;
		let link = this.#bucket(cells[at + INO_LOW]!, cells[at + INO_HIGH]!);
		while (cells[link] !== nodeid) link = cells[link]! * WORDS + NEXT;
		cells[link] = cells[at + NEXT]!;
		cells[at + FLAGS] = cells[at + FLAGS]! & ~FLAG_HASHED;
	}

	/** @returns false when there is no memory for the name */
	#place(nodeid: number, parent: number, name: Uint8Array): boolean {
		const cells = this.#cells;
		const at = nodeid * WORDS;
		const known = cells[at + NAME]!;
		if (
			known !== 0 &&
			cells[at + PARENT] === parent &&
			this.#names.equals(known, cells[at + NAME_LENGTH]!, name)
		)
			return true;
		const block = this.#names.store(name);
		if (block === 0) return false;
		cells[parent * WORDS + CHILDREN] = cells[parent * WORDS + CHILDREN]! + 1;
		this.#unplace(nodeid);
		cells[at + PARENT] = parent;
		cells[at + NAME] = block;
		cells[at + NAME_LENGTH] = name.length;
		return true;
	}

	#unplace(nodeid: number): void {
		const cells = this.#cells;
		const at = nodeid * WORDS;
		if (cells[at + NAME] === 0) return;
		this.#names.free(cells[at + NAME]!);
		const parent = cells[at + PARENT]!;
		cells[at + NAME] = 0;
		cells[at + PARENT] = 0;
		cells[parent * WORDS + CHILDREN] = cells[parent * WORDS + CHILDREN]! - 1;
		this.#freeIfUnused(parent);
	}

	#freeIfUnused(nodeid: number): number[] {
		const cells = this.#cells;
		const freed: number[] = [];
		for (let n = nodeid; n >= FIRST_NODE;) {
			const at = n * WORDS;
			const kept =
				cells[at + CHILDREN] !== 0 || cells[at + LOOKUPS_LOW] !== 0 || cells[at + LOOKUPS_HIGH] !== 0;
			if (kept || (cells[at + FLAGS]! & FLAG_USED) === 0) break;
			if (cells[at + TYPE] === S_IFDIR) freed.push(n);
			const parent = cells[at + PARENT]!;
			this.#unhash(n);
			if (cells[at + NAME] !== 0) {
				this.#names.free(cells[at + NAME]!);
				cells[at + NAME] = 0;
				cells[parent * WORDS + CHILDREN] = cells[parent * WORDS + CHILDREN]! - 1;
			}
			cells[at + FLAGS] = 0;
			Atomics.add(cells, at + REUSE, 1);
			cells[at + NEXT] = cells[FREE_HEAD]!;
			cells[FREE_HEAD] = n;
			Atomics.sub(cells, USED, 1);
			n = parent;
		}
		return freed;
	}
}
