/** What the journal needs of the backing filesystem; src/main/ makes it from a Backing. */
import {type FileState} from './record.ts';

/** A file whose content was kept, and the SHA-256 of it: 64 hexadecimal digits. */
export interface KeptState extends FileState {
	readonly hash: string;
}

/** Paths are relative to the root of the mount. Each call ends within a deadline or rejects. */
export interface JournalFiles {
	/** Names in a directory; null when it does not exist. */
	list(path: string): Promise<readonly string[] | null>;
	/** @returns false when it exists already */
	mkdir(path: string, mode: number): Promise<boolean>;
	/** Puts bytes at the end of a file, which is made when missing. @returns its size then */
	append(path: string, data: Uint8Array, mode: number): Promise<number>;
	/** At most `maxBytes` from `offset` on; empty at the end; null when there is no such file. */
	readAt(path: string, offset: number, maxBytes: number): Promise<Buffer | null>;
	/** Replaces a file as a whole. */
	replace(path: string, data: Uint8Array, mode: number): Promise<void>;
	remove(path: string): Promise<void>;
	/** Content, cut off at nothing: rejects when it is longer; null when there is no such file. */
	read(path: string, maxBytes: number): Promise<Buffer | null>;
	/** Keeps the content of a regular file under its SHA-256 in a directory; null when there is none, or it is larger. */
	keep(path: Uint8Array, directory: string, maxBytes: number): Promise<KeptState | null>;
	/** What is found under each path, symbolic links not followed; null where nothing is. */
	states(paths: readonly Uint8Array[]): Promise<ReadonlyArray<FileState | null>>;
}
