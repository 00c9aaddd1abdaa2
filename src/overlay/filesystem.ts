/** The overlay as the FUSE layer sees it: virtual files from memory, everything else passed through to the backing. */
import {type FilesystemOps, type Name} from '../fuse/filesystem.ts';
import {OPCODE} from '../fuse/wire/abi.ts';
import {close} from '../posix/files.ts';
import {Bindings} from './bindings.ts';
import {copyOperations} from './copy-operations.ts';
import {CopyView} from './copy-view.ts';
import {type CacheTimes, Context, isVirtualName} from './context.ts';
import {alwaysMutates, Guard} from './guard.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {Nodes} from './nodes.ts';
import {attributeOperations} from './passthrough-attributes.ts';
import {dataOperations} from './passthrough-data.ts';
import {directoryOperations} from './passthrough-directories.ts';
import {fileOperations} from './passthrough-files.ts';
import {lockOperations} from './passthrough-locks.ts';
import {nameOperations} from './passthrough-names.ts';
import {xattrOperations} from './passthrough-xattr.ts';
import {Recorder} from './recorder.ts';
import {type ControlWord, isVirtualNode} from './sentinels.ts';
import {type Tables} from './shared-state.ts';
import {VirtualFiles} from './virtual-files.ts';
import {withJournal} from './with-journal.ts';
import {withVersions} from './with-versions.ts';
import {notingChanges} from './noting-changes.ts';
import {withCopy} from './with-copy.ts';
import {withVirtual} from './with-virtual.ts';

export interface FilesystemOptions {
	readonly tables: Tables;
	readonly times: CacheTimes;
	/** How long a mutation waits while the gate is `switching`. */
	readonly writeWaitMs: number;
	/** Whether changes are recorded. */
	readonly journal: boolean;
	/** Where the copies are kept; undefined: there are none. */
	readonly copyDirectory: string | undefined;
	readonly onControl: (word: ControlWord) => void;
}

/** Requests that end something: they must do it even when everything else is answered from memory. */
const ENDS = new Set<number>([OPCODE.RELEASE, OPCODE.RELEASEDIR, OPCODE.FLUSH]);
const FORGETS = new Set<number>([OPCODE.FORGET, OPCODE.BATCH_FORGET]);

/** The operations of one thread. */
export const createFilesystem = (options: FilesystemOptions): FilesystemOps => {
	const {inodes, kept, handles, directories, root, gate, board} = options.tables;
	const guard = new Guard(gate, root, options.writeWaitMs);
	const nodes = new Nodes(inodes, handles, directories);
	const bindings = new Bindings(handles, nodes, root);
	const ctx = new Context({inodes, kept, handles, nodes, bindings, root, guard, times: options.times});
	const virtual = new VirtualFiles({board, handles, guard, onControl: options.onControl});

	const isLocal = (opcode: number, nodeid: number, name: Name | undefined): boolean => {
		if (FORGETS.has(opcode) || isVirtualNode(nodeid)) return true;
		if (nodeid === ROOT_NODE) {
			if (opcode === OPCODE.GETATTR) return true;
			if (name !== undefined && isVirtualName(nodeid, name)) return true;
		}
		if (ENDS.has(opcode)) return false;
		guard.memoryOnly = root.generation === 0 || (alwaysMutates(opcode) && guard.refusing);
		return guard.memoryOnly;
	};

	const forget = (nodeid: number, count: number): void => {
		for (const freed of inodes.forget(nodeid, count)) for (const fd of directories.drop(freed)) close(fd);
	};

	const releaseHandle = (fh: number): void => {
		const fd = handles.close(fh);
		if (fd >= 0) close(fd);
	};

	const backing: FilesystemOps = {
		...attributeOperations(ctx),
		...nameOperations(ctx),
		...fileOperations(ctx),
		...dataOperations(ctx),
		...directoryOperations(ctx),
		...xattrOperations(ctx),
		...lockOperations(ctx),
		isLocal(opcode, nodeid, _fh, name) {
			guard.memoryOnly = false;
			return isLocal(opcode, nodeid, name);
		},
		forget,
		undo(given) {
			if (given.nodeid !== undefined && !isVirtualNode(given.nodeid)) forget(given.nodeid, 1);
			if (given.fh !== undefined) releaseHandle(given.fh);
		},
	};
	const {ring, writes, versions, changed} = options.tables;
	const inoOf = (nodeid: number): bigint => (nodeid === ROOT_NODE ? root.ino : options.tables.inoOf(nodeid));
	const recorded = options.journal ? withJournal(backing, new Recorder(ring, inodes, writes)) : backing;
	const copy = copyOperations(ctx, new CopyView(options.copyDirectory), inoOf);
	const copied = notingChanges(withCopy(recorded, copy, root), changed, inoOf);
	return withVirtual(withVersions(copied, options.tables.inoOf, versions), virtual);
};
