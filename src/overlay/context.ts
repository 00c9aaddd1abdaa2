/** What the operations of one thread work with. */
import {type AttrReply, type Entry} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {STATX_SIZE} from '../posix/statx.ts';
import {type Bindings} from './bindings.ts';
import {type CurrentRoot} from './current-root.ts';
import {type Guard} from './guard.ts';
import {type HandleTable} from './handle-table.ts';
import {newIdentity, readIdentity} from './identity.ts';
import {NAME_MAX, ROOT_NODE} from './inode-layout.ts';
import {type InodeTable} from './inode-table.ts';
import {type KeptPages} from './kept-pages.ts';
import {type Nodes, statAt, statDescriptor} from './nodes.ts';
import {VIRTUAL_DIRECTORY_NAME} from './sentinels.ts';

/** How long the kernel may use what it was told about files of the backing, in ms. */
export interface CacheTimes {
	readonly attrTimeoutMs: number;
	readonly entryTimeoutMs: number;
}

export interface ContextParts {
	readonly inodes: InodeTable;
	readonly kept: KeptPages;
	readonly handles: HandleTable;
	readonly nodes: Nodes;
	readonly bindings: Bindings;
	readonly root: CurrentRoot;
	readonly guard: Guard;
	readonly times: CacheTimes;
}

const VIRTUAL_NAME = Buffer.from(VIRTUAL_DIRECTORY_NAME);

/** Whether this is the virtual directory, which hides what the backing has under that name, from root too. */
export const isVirtualName = (parent: number, name: Buffer): boolean =>
	parent === ROOT_NODE && name.equals(VIRTUAL_NAME);

/** @returns 0, or the errno for a name that nobody may make, move or remove */
export const checkName = (parent: number, name: Buffer): number => {
	if (isVirtualName(parent, name)) return -ERRNO.EPERM;
	return name.length > NAME_MAX ? -ERRNO.ENAMETOOLONG : 0;
};

export class Context {
	readonly inodes: InodeTable;
	readonly kept: KeptPages;
	readonly handles: HandleTable;
	readonly nodes: Nodes;
	readonly bindings: Bindings;
	readonly root: CurrentRoot;
	readonly guard: Guard;
	readonly times: CacheTimes;
	/** Scratch for the attributes of the answer in hand. */
	readonly statx = Buffer.alloc(STATX_SIZE);
	readonly #rootStatx = Buffer.alloc(STATX_SIZE);
	readonly #identity = newIdentity();

	constructor(parts: ContextParts) {
		this.inodes = parts.inodes;
		this.kept = parts.kept;
		this.handles = parts.handles;
		this.nodes = parts.nodes;
		this.bindings = parts.bindings;
		this.root = parts.root;
		this.guard = parts.guard;
		this.times = parts.times;
	}

	/** The answer that carries the attributes in `statx`. */
	attrReply(): AttrReply {
		return {
			statx: this.statx,
			modeMask: this.guard.modeMask,
			attrTimeoutMs: this.times.attrTimeoutMs,
		};
	}

	/** The answer that gives the kernel a reference on the file whose attributes are in `statx`. */
	entry(parent: number, name: Buffer): Entry | number {
		if (this.root.isForeign(this.statx)) return -ERRNO.EXDEV;
		const identity = readIdentity(this.statx, this.#identity);
		return this.entryOf(this.inodes.reference(identity, parent, name));
	}

	/** @param nodeid with the reference that the kernel gets; 0: the table is full */
	entryOf(nodeid: number): Entry | number {
		if (nodeid === 0) return -ERRNO.ENFILE;
		return {
			...this.attrReply(),
			nodeid,
			generation: this.inodes.reuseOf(nodeid),
			entryTimeoutMs: this.times.entryTimeoutMs,
		};
	}

	/** Answers a LOOKUP of a name that is not there: the kernel may rely on it as long as on one that is. */
	absent(): Entry {
		return {...this.attrReply(), nodeid: 0, generation: 0, entryTimeoutMs: this.times.entryTimeoutMs};
	}

	/** Looks the name up and answers with it. */
	entryAt(directory: number, parent: number, name: Buffer): Entry | number {
		const result = statAt(directory, name, this.statx);
		return result < 0 ? result : this.entry(parent, name);
	}

	/** Node of the file whose attributes are in `statx`, or 0 when the kernel doesn't know it. */
	knownNode(): number {
		return this.inodes.find(readIdentity(this.statx, this.#identity));
	}

	/** After a change in the directory: GETATTR of the root is answered from memory, which must know of it. */
	changed(directory: number, fd: number, generation: number): void {
		if (directory !== ROOT_NODE) return;
		if (statDescriptor(fd, this.#rootStatx) === 0) this.root.store(generation, this.#rootStatx);
	}
}
