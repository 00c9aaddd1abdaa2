import {
	lstat,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	readlink,
	rename,
	rm,
	stat,
	symlink,
	writeFile,
} from 'node:fs/promises';
import {execFileSync} from 'node:child_process';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {errnoOf, openBacking, type Backing} from '../../../src/backing/backing.ts';

const T = {timeoutMs: 10_000};

const setUp = async (t: ExecutionContext): Promise<{root: string; backing: Backing}> => {
	const root = await mkdtemp(join(tmpdir(), 'hekafs-backing-'));
	const backing = openBacking({root});
	t.teardown(async () => {
		await backing[Symbol.asyncDispose]();
		await rm(root, {recursive: true, force: true});
	});
	return {root, backing};
};

test('writes whole files with exactly the mode asked for, and leaves nothing beside them', async t => {
	const {root, backing} = await setUp(t);
	await backing.call('writeAtomic', ['a', Buffer.from('one'), 0o666], T);
	await backing.call('writeAtomic', ['a', Buffer.from('two'), 0o666], T);
	t.is(await readFile(join(root, 'a'), 'utf8'), 'two');
	t.is((await stat(join(root, 'a'))).mode & 0o7777, 0o666, 'the umask does not count');
	t.true(await backing.call('mkdir', ['d', 0o1777], T));
	t.is((await stat(join(root, 'd'))).mode & 0o7777, 0o1777);
	t.false(await backing.call('mkdir', ['d', 0o700], T));
	t.deepEqual(await backing.call('list', [''], T), ['a', 'd']);
	await t.throwsAsync(backing.call('writeAtomic', ['d', Buffer.from('x'), 0o600], T), {
		code: 'HEKAFS_STATE_UNREADABLE',
	});
	await t.throwsAsync(backing.call('writeAtomic', ['no/a', Buffer.from('x'), 0o600], T));
	t.deepEqual(await readdir(root), ['a', 'd']);
});

test('of several exclusive writers one wins', async t => {
	const {root, backing} = await setUp(t);
	await using other = openBacking({root});
	const won = await Promise.all(
		Array.from({length: 20}, async (_, n) =>
			(n % 2 === 0 ? backing : other).call('writeExclusive', ['e', Buffer.from(String(n)), 0o600], T),
		),
	);
	t.is(won.filter(Boolean).length, 1);
	t.is(await readFile(join(root, 'e'), 'utf8'), String(won.indexOf(true)));
	t.deepEqual(await readdir(root), ['e']);
});

test('what is missing is null or false, not an error', async t => {
	const {backing} = await setUp(t);
	t.is(await backing.call('read', ['x', 10], T), null);
	t.is(await backing.call('list', ['x/y'], T), null);
	t.is(await backing.call('stat', ['x'], T), null);
	t.false(await backing.call('remove', ['x'], T));
	t.false(await backing.call('unlock', ['x'], T));
	t.is(await backing.call('getxattr', ['', 'user.x'], T), null);
});

test('reads no more than is allowed, and regular files only', async t => {
	const {root, backing} = await setUp(t);
	await writeFile(join(root, 'a'), '0123456789');
	t.is((await backing.call('read', ['a', 10], T))?.toString(), '0123456789');
	const long = await t.throwsAsync(backing.call('read', ['a', 9], T), {code: 'HEKAFS_STATE_INVALID'});
	t.is(errnoOf(long), 'EFBIG');
	execFileSync('mkfifo', [join(root, 'fifo')]);
	await t.throwsAsync(backing.call('read', ['fifo', 10], T), {code: 'HEKAFS_STATE_INVALID'});
	await symlink('a', join(root, 'link'));
	t.is(errnoOf(await t.throwsAsync(backing.call('read', ['link', 10], T))), 'ELOOP');
	t.is((await backing.call('stat', ['link'], T))?.kind, 'symlink');
	await t.throwsAsync(backing.call('read', ['', 10], T));
	t.is(await backing.call('read', ['/proc/self/x'.slice(1), 10], T), null);
});

test('paths that leave the root are refused', async t => {
	const {backing} = await setUp(t);
	for (const path of ['..', '../x', 'a/../../x', '/etc/passwd', 'a\0b'])
		t.is(errnoOf(await t.throwsAsync(backing.call('read', [path, 10], T), undefined, path)), 'EINVAL', path);
});

test('removes, renames, tells attributes and space', async t => {
	const {root, backing} = await setUp(t);
	await mkdir(join(root, 'd', 'e'), {recursive: true});
	await writeFile(join(root, 'd', 'f'), 'x');
	const full = await t.throwsAsync(backing.call('remove', ['d'], T));
	t.is(errnoOf(full), 'ENOTEMPTY');
	await backing.call('rename', ['d/f', 'g'], T);
	t.like(await backing.call('stat', ['g'], T), {kind: 'file', size: 1, nlink: 1, uid: process.getuid?.()});
	t.like(await backing.call('stat', ['d'], T), {kind: 'directory'});
	t.is((await backing.call('stat', ['g'], T))?.ino, (await stat(join(root, 'g'), {bigint: true})).ino);
	t.true(await backing.call('remove', ['d', {recursive: true}], T));
	t.true(await backing.call('remove', ['g'], T));
	t.deepEqual(await readdir(root), []);
	const space = await backing.call('statfs', [], T);
	t.true(space.totalBytes >= space.availableBytes && space.totalBytes > 0);
});

test('makes symbolic links, and changes the owner of the name itself', async t => {
	const {root, backing} = await setUp(t);
	await backing.call('symlink', ['../anywhere', 'link'], T);
	t.is(await readlink(join(root, 'link')), '../anywhere');
	const {uid, gid} = await lstat(join(root, 'link'));
	await backing.call('chown', ['link', uid, gid], T);
	t.is((await lstat(join(root, 'link'))).uid, uid);
	await t.throwsAsync(backing.call('symlink', ['x', 'link'], T));
});

test('a lock is held against another backing until it is given back', async t => {
	const {root, backing} = await setUp(t);
	const other = openBacking({root});
	t.true(await backing.call('tryLock', ['l'], T));
	t.false(await other.call('tryLock', ['l'], T));
	t.true(await backing.call('unlock', ['l'], T));
	t.true(await other.call('tryLock', ['l'], T));
	t.false(await backing.call('tryLock', ['l'], T));
	await other[Symbol.asyncDispose]();
	t.true(await backing.call('tryLock', ['l'], T));
});

// A thread needs some milliseconds to start: a call with a deadline of 1 ms is always late before it is done.

test('after a late call it is silent, refuses calls at once, and recovers with the answer', async t => {
	const {backing} = await setUp(t);
	await t.throwsAsync(backing.call('list', [''], {timeoutMs: 1}), {code: 'HEKAFS_TIMEOUT'});
	t.true(backing.silent);
	await t.throwsAsync(backing.call('list', [''], T), {code: 'HEKAFS_TIMEOUT'});
	for (const end = performance.now() + 5000; backing.silent && performance.now() < end;) await delay(5);
	t.deepEqual(await backing.call('list', [''], T), []);
});

test('a call that was not begun in time is never done', async t => {
	const {root, backing} = await setUp(t);
	const first = backing.call('list', [''], T);
	await t.throwsAsync(backing.call('mkdir', ['late', 0o700], {timeoutMs: 1}), {code: 'HEKAFS_TIMEOUT'});
	t.false(backing.silent, 'the one before it is still in time');
	t.deepEqual(await first, []);
	t.true(await backing.call('mkdir', ['next', 0o700], T));
	t.deepEqual(await readdir(root), ['next']);
});

test('those that wait behind a late call fail with it', async t => {
	const {root, backing} = await setUp(t);
	const late = backing.call('list', [''], {timeoutMs: 1});
	const behind = backing.call('mkdir', ['behind', 0o700], T);
	const [a, b] = await Promise.allSettled([late, behind]);
	t.is(a.status, 'rejected');
	t.is(b.status, 'rejected');
	for (const end = performance.now() + 5000; backing.silent && performance.now() < end;) await delay(5);
	t.deepEqual(await readdir(root), []);
});

test('closed, it answers calls with an error and may be closed again', async t => {
	const {backing} = await setUp(t);
	const running = backing.call('list', [''], T);
	const outcome = t.throwsAsync(running, {code: 'HEKAFS_NOT_RUNNING'});
	await backing[Symbol.asyncDispose]();
	await outcome;
	await t.throwsAsync(backing.call('list', [''], T), {code: 'HEKAFS_NOT_RUNNING'});
	await backing[Symbol.asyncDispose]();
});

test('it stays with the directory that it has opened, and a missing root is not an empty one', async t => {
	const {root, backing} = await setUp(t);
	await backing.call('mkdir', ['first', 0o700], T);
	await rename(root, `${root}-moved`);
	t.teardown(async () => rm(`${root}-moved`, {recursive: true}));
	await using late = openBacking({root});
	await t.throwsAsync(late.call('list', [''], T), {code: 'HEKAFS_MOUNT_LOST'});
	await t.throwsAsync(late.call('read', ['a', 10], T), {code: 'HEKAFS_MOUNT_LOST'});
	await mkdir(root);
	t.deepEqual(await backing.call('list', [''], T), ['first']);
	t.deepEqual(await late.call('list', [''], T), []);
});

test('a directory on another device than the mount that was meant is refused', async t => {
	const {root} = await setUp(t);
	await using backing = openBacking({root, connection: 1_048_000});
	await t.throwsAsync(backing.call('list', [''], T), {code: 'HEKAFS_MOUNT_LOST'});
});
