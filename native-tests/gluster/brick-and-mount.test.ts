/** One and two real bricks with a real client: start, use, refuse, fence, and leave nothing behind. */
import {createServer} from 'node:net';
import {mkdir, readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openBacking} from '../../src/backing/backing.ts';
import {HekafsError} from '../../src/errors.ts';
import {findBrick, isBrickRunning, startBrick} from '../../src/gluster/brick.ts';
import {checkBrick, prepareBrick, setBrickAside} from '../../src/gluster/brick-directory.ts';
import {mountGeneration} from '../../src/gluster/client-mount.ts';
import {
	parsePendingCount,
	parseReplicateState,
	PENDING_XATTR,
	REPLICATE_META,
} from '../../src/gluster/meta.ts';
import {mount, umount2} from '../../src/posix/mount.ts';
import {EXPORTED, FILESYSTEM_ID, GlusterLab} from '../support/gluster-lab.ts';
import {nativeTest} from '../support/requirements.ts';
import {serverVolfile} from '../support/volfiles.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = ['root', 'fuse', 'gluster'] as const;
const CALL = {timeoutMs: 15_000};

test.beforeEach(t => t.timeout(90_000));

nativeTest(NEEDS, 'one brick: write and read through a private mount, then nothing is left', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	const brick = await lab.start(1);
	t.deepEqual(await lab.start(1), brick, 'a second start with the same volfile changes nothing');
	const mount = await lab.mount(1);
	t.true(await mount.alive());
	{
		await using backing = openBacking({root: mount.directory, connection: mount.connection});
		await waitFor(
			() => backing.call('writeAtomic', ['a.conf', Buffer.from('x=1\n'), 0o640], CALL).then(() => true),
			{
				deadlineMs: 10_000,
				what: 'the first write',
			},
		);
		t.is((await backing.call('read', ['a.conf', 100], CALL))?.toString(), 'x=1\n');
		const state = parseReplicateState(String(await backing.call('read', [REPLICATE_META, 65_536], CALL)));
		t.deepEqual(state?.up, [true]);
		t.deepEqual(state?.pendingKeys, ['trusted.afr.cfs-1']);
		t.true(state?.hasQuorum);
		t.is(parsePendingCount((await backing.call('getxattr', ['', PENDING_XATTR], CALL))!), 0);
		const space = await backing.call('statfs', [], CALL);
		t.true(space.availableBytes > 0 && space.availableBytes <= space.totalBytes);
		t.true((await backing.call('stat', ['a.conf'], CALL))!.ino > 0n);
	}
	t.is((await stat(join(lab.directory, 'run', 'gen-1.vol'))).mode & 0o777, 0o600);
	await mount.unmount();
	t.false(await mount.alive());
	await t.throwsAsync(stat(mount.directory), {code: 'ENOENT'});
	t.true(await lab.stop(1));
	t.false(await lab.stop(1));
	t.false(await isBrickRunning(lab.runDirectory(1)));
	t.deepEqual(await lab.leftovers(), []);
	t.deepEqual(await readdir(join(lab.directory, 'run')), ['gen']);
});

nativeTest(NEEDS, 'a brick of another filesystem, or a directory that is none, is refused', async t => {
	await using lab = await GlusterLab.make();
	await prepareBrick(lab.brick(1).directory, 'aaaaaaaa-2222-4333-8444-555555555555');
	t.deepEqual(checkBrick(lab.brick(1).directory, FILESYSTEM_ID), {
		kind: 'foreign',
		volumeId: 'aaaaaaaa-2222-4333-8444-555555555555',
	});
	const foreign = await t.throwsAsync(lab.start(1), {instanceOf: HekafsError});
	t.is(foreign.code, 'HEKAFS_BRICK_FAILED');
	t.regex(foreign.message, /another filesystem/);
	await mkdir(join(lab.brick(2).directory, '.glusterfs', 'indices'), {recursive: true});
	t.deepEqual(checkBrick(lab.brick(2).directory, FILESYSTEM_ID), {kind: 'not-a-brick'});
	const none = await t.throwsAsync(lab.start(2), {instanceOf: HekafsError});
	t.regex(none.message, /is not a brick/);
	t.deepEqual(checkBrick(lab.brick(3).directory, FILESYSTEM_ID), {kind: 'missing'});
	const missing = await t.throwsAsync(lab.start(3), {instanceOf: HekafsError});
	t.regex(missing.message, /does not exist/);
	t.deepEqual(await lab.leftovers(), []);
});

nativeTest(NEEDS, 'a new brick is whole, and a directory with something in it is never taken', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	const {directory} = lab.brick(1);
	t.deepEqual(checkBrick(directory, FILESYSTEM_ID), {kind: 'ok'});
	t.is((await stat(join(directory, '.glusterfs'))).mode & 0o777, 0o600);
	const again = await t.throwsAsync(lab.prepare(1), {instanceOf: HekafsError});
	t.is(again.code, 'HEKAFS_REFUSED');
	const now = new Date('2024-05-01T10:00:00.123Z');
	const retired = join(lab.directory, 'retired');
	t.is(await setBrickAside(directory, retired, now), join(retired, '20240501T100000Z-brick1'));
	t.is(await setBrickAside(directory, retired, now), undefined);
	await mkdir(directory);
	await lab.prepare(1);
	t.is(await setBrickAside(directory, retired, now), join(retired, '20240501T100000Z-brick1-2'));
	t.deepEqual((await readdir(lab.directory)).sort(), ['retired']);
});

nativeTest(NEEDS, 'a port in use is named', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	const {port} = lab.brick(1);
	const server = createServer();
	await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
	try {
		const error = await t.throwsAsync(lab.start(1), {instanceOf: HekafsError});
		t.is(error.code, 'HEKAFS_PORT_IN_USE');
		t.regex(error.message, new RegExp(`${port}`));
	} finally {
		await new Promise(resolve => server.close(resolve));
	}
	t.deepEqual(await lab.leftovers(), []);
});

nativeTest(NEEDS, 'a brick restarted under another exported name cuts off the old client', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	await lab.start(1);
	await using mount = await lab.mount(1);
	await using backing = openBacking({root: mount.directory, connection: mount.connection});
	const write = async (text: string): Promise<boolean> =>
		backing.call('writeAtomic', ['f', Buffer.from(text), 0o600], CALL).then(() => true);
	await waitFor(async () => write('old'), {deadlineMs: 10_000, what: 'a write by the old client'});
	const before = await findBrick(lab.runDirectory(1));
	const after = await lab.start(1, 'conf-b');
	t.not(before?.pid, after.pid);
	const error = await t.throwsAsync(write('lost'), {instanceOf: HekafsError});
	t.is(error.code, 'HEKAFS_MOUNT_LOST');
	t.true(await mount.alive(), 'it stays mounted');
	await using next = await lab.mount(1, 'conf-b');
	await using nextBacking = openBacking({root: next.directory, connection: next.connection});
	const text = await waitFor(() => nextBacking.call('read', ['f', 10], CALL), {
		deadlineMs: 10_000,
		what: 'a read by the new client',
	});
	t.is(text.toString(), 'old');
	await t.throwsAsync(write('lost'), {instanceOf: HekafsError});
});

nativeTest(
	NEEDS,
	'a full disk is called by its name, below the brick and below the run directory',
	async t => {
		await using lab = await GlusterLab.make();
		const small = join(lab.directory, 'small');
		await mkdir(small);
		// Room for the root and one directory.
		t.is(mount('tmpfs', small, 'tmpfs', 0, 'size=64k,nr_inodes=2'), 0);
		try {
			const brick = join(small, 'brick');
			await t.throwsAsync(prepareBrick(brick, FILESYSTEM_ID), {code: 'HEKAFS_NO_SPACE'});
			t.deepEqual(await readdir(small), [], 'nothing half-made is left');
			await lab.prepare(1);
			await t.throwsAsync(
				startBrick({
					volfile: serverVolfile(lab.brick(1), EXPORTED, FILESYSTEM_ID),
					directory: lab.brick(1).directory,
					port: lab.brick(1).port,
					runDirectory: join(small, 'run'),
					logFile: lab.log('brick1'),
				}),
				{code: 'HEKAFS_NO_SPACE'},
			);
		} finally {
			t.is(umount2(small), 0);
		}
		t.deepEqual(await lab.leftovers(), []);
	},
);

nativeTest(NEEDS, 'a mount fails properly: wrong volfile, occupied directory', async t => {
	await using lab = await GlusterLab.make();
	const bad = await t.throwsAsync(mountGeneration({...lab.mountOptions(1), volfile: 'volume x\n'}), {
		instanceOf: HekafsError,
	});
	t.is(bad.code, 'HEKAFS_MOUNT_FAILED');
	const occupied = lab.mountOptions(1);
	await mkdir(join(occupied.directory, 'something'), {recursive: true});
	const error = await t.throwsAsync(mountGeneration(occupied), {instanceOf: HekafsError});
	t.is(error.code, 'HEKAFS_MOUNTPOINT_NOT_EMPTY');
	t.deepEqual(await lab.leftovers(), []);
});
