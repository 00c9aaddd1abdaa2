/** What the journal needs of the backing filesystem; src/main/ makes it from a Backing. */
import {type FileState} from './record.ts';

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
	remove(path: string): Promise<void>;
	/** What is found under each path, symbolic links not followed; null where nothing is. */
	states(paths: readonly Uint8Array[]): Promise<ReadonlyArray<FileState | null>>;
}
