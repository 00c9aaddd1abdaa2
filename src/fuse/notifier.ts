/** Tells the kernel to drop what it has cached. */
import {BlockingThread} from './blocking.ts';
import {encodeInvalEntry, encodeInvalInode} from './wire/notify.ts';
import {write} from '../posix/files.ts';

/** More than this many waiting for a hung directory are dropped: their names' time-outs end the cached state as well. */
const MAX_PENDING = 4096;

/**
 * Invalidations may wait for locks that the kernel holds during a request, so they never come from a worker thread
 * and, except for bare attributes, not from the main thread either.
 */
export class Notifier {
	readonly #fd: number;
	readonly #thread = new BlockingThread();
	#closed = false;

	constructor(fd: number) {
		this.#fd = fd;
	}

	/** Drops a node's cached attributes; never blocks. @returns false when the kernel doesn't know the node */
	invalAttributes(nodeid: number): boolean {
		return !this.#closed && write(this.#fd, encodeInvalInode(nodeid, -1n, 0n)) > 0;
	}

	/**
	 * Drops a node's cached attributes and pages.
	 * @param offset -1: attributes only
	 * @param length 0: to the end
	 */
	invalInode(nodeid: number, offset: bigint, length: bigint): Promise<boolean> {
		if (offset < 0n) return Promise.resolve(this.invalAttributes(nodeid));
		return this.#send(encodeInvalInode(nodeid, offset, length));
	}

	/** Drops a name (and the cached absence of one). @returns false when the kernel doesn't know it, or none was sent */
	invalEntry(parent: number, name: Uint8Array): Promise<boolean> {
		return this.#send(encodeInvalEntry(parent, name));
	}

	/** Notifications that wait in the kernel or behind one that does. */
	get pending(): number {
		return this.#thread.pending;
	}

	/** No more is sent; waiting ones give false. */
	close(): void {
		this.#closed = true;
		this.#thread.close();
	}

	async #send(data: Uint8Array): Promise<boolean> {
		if (this.#closed || this.#thread.pending >= MAX_PENDING) return false;
		return (await this.#thread.call({kind: 'write', fd: this.#fd, data})) > 0;
	}
}
