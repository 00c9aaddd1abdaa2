/**
 * The thread of one generation: opens its root, looks the root's attributes up when asked, and at the end closes what
 * the generation leaves open. All of it may block on a dying mount, which is why no other thread does it.
 */
import {parentPort, workerData} from 'node:worker_threads';
import {fstatfs, FUSE_SUPER_MAGIC, STATFS, STATFS_SIZE} from '../posix/attributes.ts';
import {close, openat} from '../posix/files.ts';
import {AT_FDCWD, cstring} from '../posix/libc.ts';
import {O} from '../posix/open-flags.ts';
import {STATX_SIZE} from '../posix/statx.ts';
import {Bindings} from './bindings.ts';
import {ROOT_NODE} from './inode-layout.ts';
import {Nodes, statDescriptor} from './nodes.ts';
import {ENDED, type RootMessage, type RootThreadData, RUN, SUPERSEDED} from './root-protocol.ts';
import {openTables} from './shared-state.ts';

/** A thread that found a descriptor just before it was retired has long made its call: deadlines are shorter. */
const RETIRED_GRACE_MS = 15_000;
const SWEEP_EVERY_MS = 1000;

const {state, generation, path, stop: stopBuffer} = workerData as RootThreadData;
const stop = new Int32Array(stopBuffer);
const {root, directories, handles, inodes} = openTables(state);
const attributes = Buffer.alloc(STATX_SIZE);
const filesystem = Buffer.alloc(STATFS_SIZE);

const tell = (message: RootMessage): void => parentPort?.postMessage(message);

/** Locks must not wait for their holders' next call: another node could get them meanwhile. */
const moveLocks = (): void => {
	const bindings = new Bindings(handles, new Nodes(inodes, handles, directories), root);
	let lost = 0;
	for (const fh of handles.lockHolders(generation))
		if (bindings.withHandle(fh, generation, () => 0) < 0) lost++;
	tell({kind: 'locks moved', lost});
};

const keepFresh = (fd: number): void => {
	let moved = false;
	for (let seen = root.requests; Atomics.load(stop, 0) === RUN; seen = root.awaitRequest(seen)) {
		if (root.generation !== generation) continue;
		if (!moved) moveLocks();
		moved = true;
		if (root.stale && statDescriptor(fd, attributes) === 0) root.store(generation, attributes);
		root.answered();
	}
};

const closeAll = (descriptors: readonly number[]): void => {
	for (const fd of descriptors) close(fd);
};

const sweepDirectories = (): void => closeAll(directories.sweep(key => key.generation === generation));

const cleanUp = (): void => {
	while (Atomics.load(stop, 0) !== ENDED) {
		sweepDirectories();
		closeAll(handles.takeRetired(generation, RETIRED_GRACE_MS));
		if (!handles.hasGeneration(generation)) break;
		Atomics.wait(stop, 0, SUPERSEDED, SWEEP_EVERY_MS);
	}
	if (Atomics.load(stop, 0) === ENDED) closeAll(handles.takeAll(generation));
	sweepDirectories();
};

const run = (): void => {
	const fd = openat(AT_FDCWD, cstring(path), O.PATH | O.DIRECTORY | O.CLOEXEC);
	const known = fd < 0 ? fd : fstatfs(fd, filesystem);
	const result = known < 0 ? known : statDescriptor(fd, attributes);
	if (result < 0) {
		if (fd >= 0) close(fd);
		tell({kind: 'failed', errno: result});
		return;
	}
	const {pinned} = directories.add({nodeid: ROOT_NODE, reuse: 0, generation}, fd);
	const isFuse = filesystem.readBigUInt64LE(STATFS.type) === FUSE_SUPER_MAGIC;
	tell({kind: 'opened', attributes: Uint8Array.from(attributes), isFuse});
	keepFresh(fd);
	directories.unpin(pinned);
	cleanUp();
	if (pinned.slot < 0) close(fd);
};

run();
