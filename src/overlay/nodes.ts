/** From node numbers to descriptors of the backing, each checked to be the file that the number stands for. */
import {ERRNO} from '../posix/errno.ts';
import {close, openat} from '../posix/files.ts';
import {AT, AT_FDCWD, cstring, EMPTY_PATH, type CString} from '../posix/libc.ts';
import {O} from '../posix/open-flags.ts';
import {statx, STATX_BASIC_STATS, STATX_SIZE} from '../posix/statx.ts';
import {type DirectoryCache, type DirectoryKey, type PinnedDirectory} from './directory-cache.ts';
import {type HandleTable} from './handle-table.ts';
import {newIdentity, readIdentity, S_IFDIR} from './identity.ts';
import {type Place, ROOT_NODE} from './inode-layout.ts';
import {type InodeTable} from './inode-table.ts';

const {ESTALE, ENOENT, ENOTDIR, ELOOP, ENXIO} = ERRNO;

/** STATX_BTIME: birth times tell apart files that had the same inode number one after the other. */
const MASK = STATX_BASIC_STATS | 0x800;
/** PATH_MAX / 2: no path is deeper. A stale table may hold a ring of directories, which ends here. */
const DEPTH_MAX = 2048;
/** How often a name is looked at again after the table says that the file has moved. */
const TRIES = 3;

const PATH_ONLY = O.PATH | O.NOFOLLOW | O.CLOEXEC;

/** Attributes of a name in a directory; a symbolic link's own. */
export const statAt = (directory: number, name: CString, into: Buffer): number =>
	statx(directory, name, AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT, into, MASK);

/** Attributes of a descriptor, also of an O_PATH one. */
export const statDescriptor = (fd: number, into: Buffer): number =>
	statx(fd, EMPTY_PATH, AT.EMPTY_PATH, into, MASK);

/** A path that leads to the descriptor's file itself, whatever its name is now. */
export const pathOfDescriptor = (fd: number): CString => cstring(`/proc/self/fd/${fd}`);

/** Opens the file of an O_PATH descriptor anew. */
export const reopen = (fd: number, flags: number): number =>
	openat(AT_FDCWD, pathOfDescriptor(fd), (flags & ~(O.CREAT | O.EXCL)) | O.CLOEXEC | O.NOCTTY);

export class Nodes {
	readonly #inodes: InodeTable;
	readonly #handles: HandleTable;
	readonly #directories: DirectoryCache;
	readonly #identity = newIdentity();
	readonly #statx = Buffer.alloc(STATX_SIZE);

	constructor(inodes: InodeTable, handles: HandleTable, directories: DirectoryCache) {
		this.#inodes = inodes;
		this.#handles = handles;
		this.#directories = directories;
	}

	/** Runs `use` with an O_PATH descriptor of the directory in that generation, or gives a negative errno. */
	inDirectory<T>(nodeid: number, generation: number, use: (fd: number) => T): T | number {
		const pinned = this.#pinDirectory(nodeid, generation);
		if (typeof pinned === 'number') return this.#withOpenFile(nodeid, generation, pinned, use);
		try {
			return use(pinned.fd);
		} finally {
			this.#letGo(pinned);
		}
	}

	/**
	 * Runs `use` with a descriptor of the node's file, good for calls that take O_PATH descriptors (or their path in
	 * /proc). -ESTALE when the file is not where it was: the kernel then looks the path up again.
	 */
	withFile<T>(nodeid: number, generation: number, use: (fd: number) => T): T | number {
		if (this.#inodes.typeOf(nodeid) === S_IFDIR) return this.inDirectory(nodeid, generation, use);
		const found = this.#atPlace(nodeid, generation, (directory, {name}) => {
			const fd = openat(directory, name, PATH_ONLY);
			if (fd < 0) return fd;
			const result = statDescriptor(fd, this.#statx);
			if (result === 0 && this.#is(nodeid, this.#statx)) return {fd};
			close(fd);
			return result < 0 ? result : -ESTALE;
		});
		if (typeof found === 'number') return this.#withOpenFile(nodeid, generation, found, use);
		try {
			return use(found.fd);
		} finally {
			close(found.fd);
		}
	}

	/** Puts the node's attributes into `into`. @returns 0 or a negative errno */
	attributes(nodeid: number, generation: number, into: Buffer): number {
		if (this.#inodes.typeOf(nodeid) === S_IFDIR)
			return this.inDirectory(nodeid, generation, fd => statDescriptor(fd, into));
		const result = this.#atPlace(nodeid, generation, (directory, {name}) => {
			const got = statAt(directory, name, into);
			return got < 0 || this.#is(nodeid, into) ? got : -ESTALE;
		});
		if (result >= 0) return result;
		return this.#withOpenFile(nodeid, generation, result, fd => statDescriptor(fd, into));
	}

	/** Opens the node's file. @returns a descriptor or a negative errno */
	open(nodeid: number, generation: number, flags: number): number {
		return this.withFile(nodeid, generation, fd => reopen(fd, flags));
	}

	/**
	 * Opens the node's regular file by its name, then makes sure that it is this file; puts its attributes into `into`.
	 * One call less of each kind than `open` takes. Not for O_TRUNC: another file that has the name by now must stay whole.
	 * @returns a descriptor or a negative errno
	 */
	openFile(nodeid: number, generation: number, flags: number, into: Buffer): number {
		const opened = this.#atPlace(nodeid, generation, (directory, {name}) => {
			// What is no file any more must not be waited for (FIFO), nor followed.
			const fd = openat(directory, name, flags | O.NOFOLLOW | O.NONBLOCK | O.NOCTTY | O.CLOEXEC);
			if (fd < 0) return fd === -ELOOP || fd === -ENXIO ? -ESTALE : fd;
			const result = statDescriptor(fd, into);
			if (result === 0 && this.#is(nodeid, into)) return fd;
			close(fd);
			return result < 0 ? result : -ESTALE;
		});
		if (opened >= 0) return opened;
		return this.#withOpenFile(nodeid, generation, opened, held => {
			const fd = reopen(held, flags);
			const result = fd < 0 ? fd : statDescriptor(fd, into);
			if (result >= 0) return fd;
			if (fd >= 0) close(fd);
			return result;
		});
	}

	#is(nodeid: number, attributes: Buffer): boolean {
		return this.#inodes.is(nodeid, readIdentity(attributes, this.#identity));
	}

	/** Looks where the table says that the file is; looks again when the table changed its mind meanwhile. */
	#atPlace<T extends object | number>(
		nodeid: number,
		generation: number,
		look: (directory: number, place: Place) => T | number,
	): T | number {
		let place = this.#inodes.placeOf(nodeid);
		for (let tries = 1; place !== undefined; tries++) {
			const here = place;
			const found = this.inDirectory(here.parent, generation, fd => look(fd, here));
			if (typeof found !== 'number' || (found !== -ESTALE && found !== -ENOENT)) return found;
			const next = this.#inodes.placeOf(nodeid);
			const moved = next !== undefined && (next.parent !== here.parent || !next.name.equals(here.name));
			if (!moved || tries === TRIES) return -ESTALE;
			place = next;
		}
		return -ESTALE;
	}

	/** A file without a name lives on in whoever has it open. */
	#withOpenFile<T>(
		nodeid: number,
		generation: number,
		otherwise: number,
		use: (fd: number) => T,
	): T | number {
		if (otherwise !== -ESTALE) return otherwise;
		const kind = this.#inodes.typeOf(nodeid) === S_IFDIR ? 'directory' : 'file';
		const handle = this.#handles.pinOpenOf(nodeid, kind);
		if (handle === undefined) return -ESTALE;
		try {
			return handle.generation === generation ? use(handle.fd) : -ESTALE;
		} finally {
			const fd = this.#handles.unpin(handle.fh);
			if (fd >= 0) close(fd);
		}
	}

	#key(nodeid: number, generation: number): DirectoryKey {
		return {nodeid, reuse: nodeid === ROOT_NODE ? 0 : this.#inodes.reuseOf(nodeid), generation};
	}

	#letGo(pinned: PinnedDirectory): void {
		if (pinned.slot < 0) close(pinned.fd);
		else this.#directories.unpin(pinned);
	}

	/** Walks up to a directory that is open, then down again, checking each on the way. */
	#pinDirectory(nodeid: number, generation: number): PinnedDirectory | number {
		const missing: {readonly nodeid: number; readonly name: Buffer}[] = [];
		let at = nodeid;
		let pinned = this.#directories.pin(this.#key(at, generation));
		while (pinned === undefined) {
			const place = this.#inodes.placeOf(at);
			// The root's descriptor is there as long as its generation is.
			if (place === undefined || missing.length === DEPTH_MAX)
				return at === ROOT_NODE ? -ERRNO.ENOTCONN : -ESTALE;
			missing.push({nodeid: at, name: place.name});
			at = place.parent;
			pinned = this.#directories.pin(this.#key(at, generation));
		}
		for (let step = missing.pop(); step !== undefined; step = missing.pop()) {
			const parent: PinnedDirectory = pinned;
			const next = this.#openDirectory(parent.fd, step.nodeid, step.name, generation);
			this.#letGo(parent);
			if (typeof next === 'number') return next;
			pinned = next;
		}
		return pinned;
	}

	#openDirectory(parent: number, nodeid: number, name: Buffer, generation: number): PinnedDirectory | number {
		const key = this.#key(nodeid, generation);
		const fd = openat(parent, name, PATH_ONLY | O.DIRECTORY);
		// Something else has the name now: not the caller's fault, the path is looked up again.
		if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return -ESTALE;
		if (fd < 0) return fd;
		const result = statDescriptor(fd, this.#statx);
		if (result < 0 || !this.#is(nodeid, this.#statx)) {
			close(fd);
			return result < 0 ? result : -ESTALE;
		}
		const {pinned, toClose} = this.#directories.add(key, fd);
		if (toClose >= 0) close(toClose);
		return pinned;
	}
}
