/** What heal/ needs of the backing filesystem: a directory whose every operation ends within a deadline. */

/** Paths are relative to the root of the mount. A call that passes its deadline rejects with HEKAFS_TIMEOUT. */
export interface Store {
	/** Names in a directory; null when it does not exist. */
	list(path: string): Promise<readonly string[] | null>;
	/** Content, cut off at `maxBytes`; null when it does not exist. */
	read(path: string, maxBytes: number): Promise<Buffer | null>;
	/** Temporary file in the same directory, fsync, rename. */
	writeAtomic(path: string, data: string | Uint8Array, mode: number): Promise<void>;
	/** O_EXCL. @returns false when it exists already */
	writeExclusive(path: string, data: string, mode: number): Promise<boolean>;
	/** @returns false when it exists already */
	mkdir(path: string, mode: number): Promise<boolean>;
	symlink(target: string, path: string): Promise<void>;
	chown(path: string, uid: number, gid: number): Promise<void>;
	remove(path: string): Promise<void>;
	rename(from: string, to: string): Promise<void>;
	/** A whole-file lock between nodes, held until `unlock` or until this mount ends. @returns false when it is held elsewhere */
	tryLock(path: string): Promise<boolean>;
	/** @returns false when it was not held here */
	unlock(path: string): Promise<boolean>;
}

/** The machinery's own files, below the root of the backing filesystem; the overlay hides them (docs/INTERFACE.md). */
export const MACHINERY = {
	directory: '.hekafs',
	markers: '.hekafs/markers',
	record: '.hekafs/set',
	secret: '.hekafs/secret',
	lock: '.hekafs/lock',
	change: '.hekafs/change',
	staging: '.hekafs/staging',
	init: '.hekafs/init',
} as const;
