/** Open handles and the generation that their descriptors belong to: a handle of an older one is opened anew on its next use. */
import {ERRNO} from '../posix/errno.ts';
import {close} from '../posix/files.ts';
import {F, flock, LOCK, OFFSET_MAX, ofdSetLock} from '../posix/locks.ts';
import {O} from '../posix/open-flags.ts';
import {type CurrentRoot} from './current-root.ts';
import {type Handle} from './handle-layout.ts';
import {type HandleTable} from './handle-table.ts';
import {decodeLocks} from './lock-ranges.ts';
import {type Nodes} from './nodes.ts';

const {EAGAIN, EBADF, ENFILE} = ERRNO;

/** Only these of the client's flags concern the backing; O_TRUNC, O_EXCL were dealt with when the file was opened. */
const KEPT_FLAGS = O.ACCMODE | O.APPEND | O.SYNC | O.DSYNC;

export class Bindings {
	readonly #handles: HandleTable;
	readonly #nodes: Nodes;
	readonly #root: CurrentRoot;

	constructor(handles: HandleTable, nodes: Nodes, root: CurrentRoot) {
		this.#handles = handles;
		this.#nodes = nodes;
		this.#root = root;
	}

	/**
	 * The flags for opening the backing's file. No O_NONBLOCK; no O_DIRECT of the client's, since our buffers are not
	 * aligned. But a FUSE mount divides a write through its page cache at the borders of pages, and a writer on another
	 * node gets in between: appends go past the cache. What is below must not mind where the data lies then: a private
	 * mount doesn't (filter-O_DIRECT).
	 */
	backingFlags(flags: number): number {
		const direct = (flags & O.APPEND) !== 0 && this.#root.isFuse ? O.DIRECT : 0;
		return (flags & KEPT_FLAGS) | direct;
	}

	/**
	 * Runs `use` with the handle, bound to that generation: the same inode of the new mount, -ESTALE when it is gone.
	 * The descriptor stays open as long as `use` runs, whatever else happens to the handle.
	 */
	withHandle<T>(fh: number, generation: number, use: (handle: Handle) => T): T | number {
		const handle = this.#handles.pin(fh);
		if (handle === undefined) return -EBADF;
		try {
			if (handle.generation === generation || handle.kind === 'text') return use(handle);
			const fd = this.#rebind(handle, generation);
			return fd < 0 ? fd : use({...handle, fd, generation});
		} finally {
			this.#letGo(handle.fh);
		}
	}

	/** Runs `use`, then unpins the handle. */
	release<T>(handle: Handle, use: () => T): T {
		try {
			return use();
		} finally {
			this.#letGo(handle.fh);
		}
	}

	#letGo(fh: number): void {
		const fd = this.#handles.unpin(fh);
		if (fd >= 0) close(fd);
	}

	#rebind(handle: Handle, generation: number): number {
		const flags = handle.kind === 'directory' ? O.RDONLY | O.DIRECTORY : this.backingFlags(handle.flags);
		const fd = this.#nodes.open(handle.nodeid, generation, flags);
		if (fd < 0) return fd;
		// The lock is had anew, or the handle is no good: two holders would be worse than an error. (P1)
		const locked = this.#moveLocks(handle, fd);
		if (locked >= 0 && this.#handles.rebind(handle, fd, generation)) return fd;
		close(fd);
		const now = this.#handles.pin(handle.fh);
		if (now === undefined) return -EBADF;
		this.#letGo(now.fh);
		// Another thread was quicker.
		if (now.generation === generation) return now.fd;
		return locked < 0 ? locked : -ENFILE;
	}

	/** Gets the locks that the handle holds for its new descriptor too. */
	#moveLocks(handle: Handle, fd: number): number {
		if (handle.kind !== 'lock' && handle.flock === 0) return 0;
		const ranges = handle.kind === 'lock' ? decodeLocks(this.#handles.bytesOf(handle.fh)).ranges : [];
		const take = (): number => {
			let result = handle.flock === 0 ? 0 : flock(fd, handle.flock | LOCK.NB);
			for (const {type, start, end} of ranges) if (result >= 0) result = ofdSetLock(fd, type, start, end);
			return result;
		};
		const taken = take();
		if (taken !== -EAGAIN) return taken;
		// Our own locks in the old mount are in the way when both lead to the same servers.
		if (handle.flock !== 0) flock(handle.fd, LOCK.UN);
		if (ranges.length > 0) ofdSetLock(handle.fd, F.UNLCK, 0n, OFFSET_MAX);
		return take();
	}
}
