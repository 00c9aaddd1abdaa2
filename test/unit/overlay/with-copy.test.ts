/** Which operations the copy answers, and that a reading finds it when it becomes current meanwhile. */
import test from 'ava';
import {type Caller, type FilesystemOps} from '../../../src/fuse/filesystem.ts';
import {copyGeneration, COPY_SERVES} from '../../../src/overlay/copy-generation.ts';
import {type CopyOperations} from '../../../src/overlay/copy-operations.ts';
import {createRootCells, CurrentRoot} from '../../../src/overlay/current-root.ts';
import {ROOT_NODE} from '../../../src/overlay/inode-layout.ts';
import {withCopy} from '../../../src/overlay/with-copy.ts';
import {O} from '../../../src/posix/open-flags.ts';
import {STATX_SIZE} from '../../../src/posix/statx.ts';

const NODE = 70;
const MOUNT = 3;
const caller = {uid: 0, gid: 0, pid: 1} as Caller;

/** Operations each of which says where it was called. */
const saying = (said: string[], where: string, result: () => number): FilesystemOps =>
	new Proxy({} as FilesystemOps, {
		get: (_target, name: string) => () => {
			said.push(`${where} ${name}`);
			return result();
		},
		ownKeys: () => ['write', 'unlink', 'release'],
		getOwnPropertyDescriptor: () => ({enumerable: true, configurable: true}),
	});

const build = (mountResult: (root: CurrentRoot) => number) => {
	const said: string[] = [];
	const root = new CurrentRoot(createRootCells());
	root.attach(MOUNT, Buffer.alloc(STATX_SIZE), false);
	const mount = saying(said, 'mount', () => mountResult(root));
	// A proxy that answers every name stands for the operations; no literal of that type could.
	const copy = saying(said, 'copy', () => 7) as unknown as CopyOperations;
	return {said, root, ops: withCopy(mount, copy, root)};
};

const serveCopy = (root: CurrentRoot) => root.attach(copyGeneration(4), Buffer.alloc(STATX_SIZE), false);

test('the mount answers while it is current, the copy while that is', t => {
	const {said, root, ops} = build(() => 5);
	t.is(ops.read(caller, NODE, 1, 0n, 0, Buffer.alloc(1)), 5);
	serveCopy(root);
	t.is(ops.read(caller, NODE, 1, 0n, 0, Buffer.alloc(1)), 7);
	t.is(ops.lookup(caller, NODE, Buffer.from('x')), 7);
	root.attach(MOUNT, Buffer.alloc(STATX_SIZE), false);
	t.is(ops.read(caller, NODE, 1, 0n, 0, Buffer.alloc(1)), 5);
	t.deepEqual(said, ['mount read', 'copy read', 'copy lookup', 'mount read']);
});

test('a reading during which the copy becomes current is answered from it', t => {
	const {said, ops} = build(root => {
		serveCopy(root);
		return COPY_SERVES;
	});
	t.is(ops.getattr(caller, NODE, 0), 7);
	t.deepEqual(said, ['mount getattr', 'copy getattr']);
});

test('the mount keeps what is not a reading: changes, opens for writing, the root, the end of locks', t => {
	const {said, root, ops} = build(() => -30);
	serveCopy(root);
	t.is(ops.unlink(caller, NODE, Buffer.from('x')), -30);
	t.is(ops.open(caller, NODE, O.WRONLY, false), -30);
	t.is(ops.open(caller, NODE, O.RDONLY, false), 7);
	ops.getattr(caller, ROOT_NODE, 0);
	t.is(ops.flush(caller, NODE, 1, 9n), -30);
	t.deepEqual(said, ['mount unlink', 'mount open', 'copy open', 'mount getattr', 'mount flush']);
});

test('what was flushed while the copy serves is no error of the client', t => {
	const {root, ops} = build(() => COPY_SERVES);
	serveCopy(root);
	t.is(ops.flush(caller, NODE, 1, 9n), 0);
});
