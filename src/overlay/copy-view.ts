/** One thread's view of the copy that is being served: its index in memory, its contents by descriptor. */
import {close, openat, pread} from '../posix/files.ts';
import {AT_FDCWD, cstring} from '../posix/libc.ts';
import {O} from '../posix/open-flags.ts';
import {STATX_SIZE} from '../posix/statx.ts';
import {type CopyIndex} from '../snapshot/copy-index.ts';
import {packPath, readIndex} from '../snapshot/store.ts';
import {type Content} from '../snapshot/tree.ts';

/** @returns attributes of the copy's root; undefined when there is no such copy */
export const rootOfCopy = (directory: string | undefined, serial: number): Buffer | undefined => {
	const index = directory === undefined ? undefined : readIndex(directory, serial);
	if (index === undefined) return undefined;
	const attributes = Buffer.alloc(STATX_SIZE);
	index.attributes(index.root(), attributes);
	return attributes;
};

export class CopyView {
	readonly #directory: string | undefined;
	#serial = 0;
	#index: CopyIndex | undefined;
	#fd = -1;

	/** @param directory where copies are kept; undefined: there are none */
	constructor(directory: string | undefined) {
		this.#directory = directory;
	}

	/** @returns the index of that copy; undefined when it is not there (any more) */
	open(serial: number): CopyIndex | undefined {
		if (serial === this.#serial) return this.#index;
		if (this.#directory === undefined) return undefined;
		const index = readIndex(this.#directory, serial);
		if (index === undefined) return undefined;
		const fd = openat(AT_FDCWD, cstring(packPath(this.#directory, index.facts.pack)), O.RDONLY | O.CLOEXEC);
		if (fd < 0) return undefined;
		if (this.#fd >= 0) close(this.#fd);
		this.#serial = serial;
		this.#index = index;
		this.#fd = fd;
		return index;
	}

	/** @returns bytes read, 0 at the end, or a negative errno */
	read(content: Content, offset: bigint, into: Buffer): number {
		const left = content.length - Number(offset);
		if (left <= 0) return 0;
		return pread(this.#fd, into, content.offset + Number(offset), Math.min(into.length, left));
	}
}
