/** Clients that hang, die or lose their servers: calls end in time, and everything can be taken away. */
import {readdirSync, readFileSync} from 'node:fs';
import {open, readdir, writeFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {spawn} from 'node:child_process';
import test, {type ExecutionContext} from 'ava';
import {openBacking, type Backing} from '../../src/backing/backing.ts';
import {HekafsError} from '../../src/errors.ts';
import {cleanStale} from '../../src/gluster/clean-stale.ts';
import {mountGeneration} from '../../src/gluster/client-mount.ts';
import {MNT, umount2} from '../../src/posix/mount.ts';
import {GlusterLab} from '../support/gluster-lab.ts';
import {nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = ['root', 'fuse', 'gluster'] as const;
const CALL = {timeoutMs: 15_000};

test.beforeEach(t => t.timeout(90_000));

const write = async (backing: Backing, path: string): Promise<boolean> =>
	backing.call('writeAtomic', [path, Buffer.from('x'), 0o600], CALL).then(() => true);

const firstWrite = async (backing: Backing): Promise<void> => {
	await waitFor(async () => write(backing, 'f'), {deadlineMs: 10_000, what: 'the first write'});
};

const stateOf = (pid: number): string =>
	/\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';

/** Stops a process and waits until all of its threads have stopped. */
const freeze = async (pid: number): Promise<void> => {
	process.kill(pid, 'SIGSTOP');
	const threads = readdirSync(`/proc/${pid}/task`);
	await waitFor(() => threads.every(thread => stateOf(Number(thread)) === 'T'), {
		deadlineMs: 5000,
		intervalMs: 5,
		what: 'all threads to stop',
	});
};

const codeOf = async (t: ExecutionContext, promise: Promise<unknown>): Promise<string | undefined> =>
	(await t.throwsAsync(promise, {instanceOf: HekafsError})).code;

nativeTest(NEEDS, 'a stopped client: calls end in time, answers resume, abort ends what hangs', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	await lab.start(1);
	const mount = await lab.mount(1);
	await using backing = openBacking({root: mount.directory, connection: mount.connection});
	await firstWrite(backing);
	await freeze(mount.pid);
	const start = performance.now();
	t.is(await codeOf(t, backing.call('list', [''], {timeoutMs: 300})), 'HEKAFS_TIMEOUT');
	t.true(backing.silent);
	t.is(await codeOf(t, backing.call('statfs', [], CALL)), 'HEKAFS_TIMEOUT', 'at once, no pile-up');
	t.true(performance.now() - start < 1500);
	process.kill(mount.pid, 'SIGCONT');
	await waitFor(() => !backing.silent, {deadlineMs: 10_000, what: 'the late answer'});
	t.true(await write(backing, 'g'));

	await freeze(mount.pid);
	const hanging = backing.call('list', [''], {timeoutMs: 60_000});
	const outcome = t.throwsAsync(hanging, {instanceOf: HekafsError});
	t.true(await mount.abort());
	t.is((await outcome).code, 'HEKAFS_MOUNT_LOST');
	await backing[Symbol.asyncDispose]();
	const unmountStart = performance.now();
	await mount.unmount({endMs: 200});
	t.true(performance.now() - unmountStart < 5000);
	t.true(await lab.stop(1));
	t.deepEqual(await lab.leftovers(), []);
});

nativeTest(
	NEEDS,
	'a stopped client in the middle of a call can be unmounted without abort before',
	async t => {
		await using lab = await GlusterLab.make();
		await lab.prepare(1);
		await lab.start(1);
		const mount = await lab.mount(1);
		await using backing = openBacking({root: mount.directory, connection: mount.connection});
		await firstWrite(backing);
		await freeze(mount.pid);
		t.is(await codeOf(t, backing.call('list', [''], {timeoutMs: 200})), 'HEKAFS_TIMEOUT');
		const disposeStart = performance.now();
		await backing[Symbol.asyncDispose]();
		t.true(performance.now() - disposeStart < 500, 'a thread that hangs is left behind');
		t.is(await codeOf(t, backing.call('list', [''], CALL)), 'HEKAFS_NOT_RUNNING');
		await mount.unmount({endMs: 200});
		t.false(await mount.alive());
		t.true(await lab.stop(1));
		t.deepEqual(await lab.leftovers(), []);
	},
);

nativeTest(
	NEEDS,
	'a client that is killed: the backing says so and never reads the directory below',
	async t => {
		await using lab = await GlusterLab.make();
		await lab.prepare(1);
		await lab.start(1);
		const mount = await lab.mount(1);
		await using backing = openBacking({root: mount.directory, connection: mount.connection});
		await using late = openBacking({root: mount.directory, connection: mount.connection});
		await firstWrite(backing);
		process.kill(mount.pid, 'SIGKILL');
		await waitFor(async () => !(await mount.alive()), {deadlineMs: 5000, what: 'its end to be noticed'});
		t.is(await codeOf(t, backing.call('list', [''], CALL)), 'HEKAFS_MOUNT_LOST');
		await mount.unmount();
		t.is(await codeOf(t, backing.call('list', [''], CALL)), 'HEKAFS_MOUNT_LOST');
		t.is(await codeOf(t, late.call('read', ['f', 10], CALL)), 'HEKAFS_MOUNT_LOST');
		await backing[Symbol.asyncDispose]();
		await late[Symbol.asyncDispose]();
		t.true(await lab.stop(1));
		t.deepEqual(await lab.leftovers(), []);
	},
);

nativeTest(
	NEEDS,
	'the directory below the mount takes no files, and another mount there is not ours',
	async t => {
		await using lab = await GlusterLab.make();
		await lab.prepare(1);
		await lab.start(1);
		const mount = await lab.mount(1);
		await t.throwsAsync(mountGeneration({...lab.mountOptions(1), directory: mount.directory}), {
			code: 'HEKAFS_BUSY',
		});
		await using wrong = openBacking({root: mount.directory, connection: mount.connection + 1});
		t.is(await codeOf(t, wrong.call('list', [''], CALL)), 'HEKAFS_MOUNT_LOST');
		t.is(umount2(mount.directory, MNT.DETACH), 0);
		t.false(await mount.alive());
		await t.throwsAsync(writeFile(join(mount.directory, 'stray'), 'x'), {code: 'EPERM'});
		await mount.unmount();
		t.deepEqual(await readdir(join(lab.directory, 'run', 'gen')), []);
		t.true(await lab.stop(1));
		t.deepEqual(await lab.leftovers(), []);
	},
);

nativeTest(NEEDS, 'lazily unmounted, a mount serves its open files and ends with them', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	await lab.start(1);
	const mount = await lab.mount(1);
	{
		await using backing = openBacking({root: mount.directory, connection: mount.connection});
		await firstWrite(backing);
	}
	// A child holds the file: this process must not hang in the mount.
	const child = spawn('tail', ['-f', 'f'], {cwd: mount.directory, stdio: ['ignore', 'pipe', 'ignore']});
	await new Promise(resolve => child.stdout.once('data', resolve));
	await mount.unmount({lazy: true});
	t.false(await mount.alive());
	t.regex(stateOf(mount.pid), /[SR]/);
	child.kill('SIGKILL');
	await waitFor(async () => (await lab.leftovers()).length === 1, {deadlineMs: 5000, what: 'its end'});
	await mount.unmount();
	t.true(await lab.stop(1));
	t.deepEqual(await lab.leftovers(), []);
});

nativeTest(NEEDS, 'what a killed daemon left is taken away, and what is to be kept stays', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	const brick = await lab.start(1);
	const hung = await lab.mount(1);
	const dead = await lab.mount(1);
	const live = await lab.mount(1);
	const holder = await open('/dev/null');
	await freeze(hung.pid);
	process.kill(dead.pid, 'SIGKILL');
	const cleaned = await cleanStale(lab.directory, {keep: [brick.pidFile], termMs: 300});
	await holder.close();
	t.deepEqual([...cleaned.mounts].sort(), [hung, dead, live].map(mount => mount.directory).sort());
	t.false(cleaned.pids.includes(brick.pid));
	t.is((await lab.leftovers()).length, 1, 'the brick');
	t.deepEqual(await readdir(join(lab.directory, 'run', 'gen')), []);
	await t.throwsAsync(stat(hung.directory), {code: 'ENOENT'});
	t.deepEqual(await cleanStale(lab.directory), {mounts: [], pids: [brick.pid]});
	t.deepEqual(await cleanStale(lab.directory), {mounts: [], pids: []});
	t.deepEqual(await lab.leftovers(), []);
});

nativeTest(NEEDS, 'all servers down: it mounts, calls fail at once, and it recovers by itself', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	const mount = await lab.mount(1);
	await using backing = openBacking({root: mount.directory, connection: mount.connection});
	t.is(await codeOf(t, backing.call('list', [''], CALL)), 'HEKAFS_MOUNT_LOST');
	await lab.start(1);
	await firstWrite(backing);
	await backing[Symbol.asyncDispose]();
	await mount.unmount();
	t.true(await lab.stop(1));
	t.deepEqual(await lab.leftovers(), []);
});

nativeTest(NEEDS, 'a lock is exclusive between mounts and goes with its backing', async t => {
	await using lab = await GlusterLab.make();
	await lab.prepare(1);
	await lab.start(1);
	const [one, two] = [await lab.mount(1), await lab.mount(1)];
	await using first = openBacking({root: one.directory, connection: one.connection});
	await using second = openBacking({root: two.directory, connection: two.connection});
	await firstWrite(first);
	t.true(await first.call('tryLock', ['lock'], CALL));
	t.true(await first.call('tryLock', ['lock'], CALL));
	t.false(await second.call('tryLock', ['lock'], CALL));
	t.true(await first.call('unlock', ['lock'], CALL));
	t.false(await first.call('unlock', ['lock'], CALL));
	t.true(await second.call('tryLock', ['lock'], CALL));
	t.false(await first.call('tryLock', ['lock'], CALL));
	await second[Symbol.asyncDispose]();
	await waitFor(async () => first.call('tryLock', ['lock'], CALL), {deadlineMs: 5000, what: 'the lock'});
	await first[Symbol.asyncDispose]();
	await one.unmount();
	await two.unmount();
	t.true(await lab.stop(1));
	t.deepEqual(await lab.leftovers(), []);
});
