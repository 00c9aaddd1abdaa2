/** Versions of files and of the whole filesystem, from the records of all nodes. Bounded; no I/O. */
import {type NodeUuid} from '../membership/ids.ts';
import {type JournalRecord} from './record.ts';
import {type VersionVector} from './vector.ts';

/** Files whose versions are kept; the ones that were changed longest ago go first. */
const FILES_MAX = 16_384;

export class FileVersions {
	readonly #files = new Map<string, Map<NodeUuid, number>>();
	readonly #all = new Map<NodeUuid, number>();

	/** For each node the number of its last change that is known here. */
	get all(): VersionVector {
		return this.#all;
	}

	/** The versions kept, of the files that were changed longest ago first. */
	get files(): ReadonlyMap<string, VersionVector> {
		return this.#files;
	}

	/** @returns the inode number of the file that has another version now; undefined when none has */
	apply(node: NodeUuid, {counter, errno, after}: JournalRecord): string | undefined {
		this.#all.set(node, Math.max(counter, this.#all.get(node) ?? 0));
		if (errno !== 0 || after === null) return undefined;
		// Journals of other nodes are read late: what made the file may become known after what changed it.
		const version = this.#files.get(after.ino) ?? new Map<NodeUuid, number>();
		version.set(node, Math.max(counter, version.get(node) ?? 0));
		this.#files.delete(after.ino);
		this.#files.set(after.ino, version);
		if (this.#files.size > FILES_MAX) this.#files.delete(this.#files.keys().next().value!);
		return after.ino;
	}
}
