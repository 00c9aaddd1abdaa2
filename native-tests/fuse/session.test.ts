/** The FUSE layer on real mounts, with a filesystem in memory whose operations can be made to hang. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {eventually, run, start, type RunningChild} from '../support/child.ts';
import {exitCodes, withMount} from '../support/memory-mount.ts';
import {CELL} from '../support/memory-state.ts';

test.serial('serves files, and shows its name in the mount table', async t => {
	await withMount(t, {}, async ({mountpoint, session, problems}) => {
		const line = fs
			.readFileSync('/proc/mounts', 'utf8')
			.split('\n')
			.find(l => l.includes(mountpoint));
		t.regex(
			line ?? '',
			/^memory \S+ fuse\.test rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other/,
		);
		const list = await run('ls', [mountpoint]);
		t.is(list.stdout, 'appearing\ncounter\ndata\nhang\nlocal\nplain\n');
		t.is((await run('cat', [`${mountpoint}/plain`, `${mountpoint}/local`])).stdout, 'plain\nlocal\n');
		// Asks by STATX first, which is not offered.
		t.is((await run('stat', [`${mountpoint}/plain`])).code, 0);
		t.is((await run('cat', [`${mountpoint}/absent`])).code, 1);
		t.regex((await run('mkdir', [`${mountpoint}/new`])).stderr, /Read-only file system/);
		const statfs = await run('stat', ['-f', '-c', '%b %f %a %c %d %l', mountpoint]);
		t.is(statfs.stdout, `${2 ** 40} 5 4 3 2 255\n`);
		t.true(session.stats().requests > 10);
		t.deepEqual(problems, []);
	});
});

test.serial('large writes and reads come through unchanged', async t => {
	await withMount(t, {}, async ({mountpoint, session, cells}) => {
		const file = path.join(os.tmpdir(), `hekafs-fuse-data-${process.pid}`);
		fs.writeFileSync(file, Buffer.alloc((3 << 20) + 12345, 'abcdefghijklmnopqrstuvwxyz.'));
		const copy = await run('cp', [file, `${mountpoint}/data`]);
		t.is(copy.code, 0, copy.stderr);
		t.is(cells[CELL.dataSize], (3 << 20) + 12345);
		const before = session.stats().requests;
		t.is((await run('cmp', [file, `${mountpoint}/data`])).code, 0);
		t.true(session.stats().requests - before < 60, 'reads are large');
		fs.unlinkSync(file);
	});
});

test.serial('an operation that throws is answered EIO and reported, and the worker lives on', async t => {
	await withMount(t, {workers: 2}, async ({mountpoint, session, problems}) => {
		for (let i = 0; i < 5; i++)
			t.regex((await run('cat', [`${mountpoint}/throws`])).stderr, /Input\/output error/);
		t.is((await run('cat', [`${mountpoint}/plain`])).stdout, 'plain\n');
		t.is(session.stats().workers, 2);
		await eventually('the problem is reported', () => problems.length === 5);
		t.regex(problems[0] ?? '', /LOOKUP threw: .*planted/s);
	});
});

test.serial('one hung operation: others go on, and its late answer is undone', async t => {
	await withMount(t, {workers: 2, deadlineMs: 1000}, async ({mountpoint, session, cells, release}) => {
		const hung = start('stat', [`${mountpoint}/hang1`]);
		await eventually('it hangs', () => cells[CELL.hung] === 1);
		t.is((await run('cat', [`${mountpoint}/local`], 1000)).stdout, 'local\n');
		// The second worker is the last free one: this request waits until the pool has grown.
		const plain = await run('cat', [`${mountpoint}/plain`], 3000);
		t.is(plain.stdout, 'plain\n');
		const result = await hung.result;
		t.false(result.timedOut);
		t.regex(result.stderr, /timed out/);
		t.true(result.ms > 900 && result.ms < 3000, `${result.ms} ms`);
		t.is(session.stats().overdueAnswered, 1);
		t.is(cells[CELL.undone], 0);
		release();
		await eventually('the late answer is undone', () => cells[CELL.undone] === 1);
	});
});

test.serial('64 hung operations: local ones go on, the pool grows, and shrinks again', async t => {
	await withMount(t, {workers: 4, deadlineMs: 60_000}, async ({mountpoint, session, cells, release}) => {
		const hung: RunningChild[] = [];
		for (let i = 0; i < 64; i++) hung.push(start('stat', [`${mountpoint}/hang${i}`], 60_000));
		for (let i = 0; i < 5; i++) {
			const local = await run('cat', [`${mountpoint}/local`], 5000);
			t.is(local.stdout, 'local\n');
		}
		await eventually('all hang', () => cells[CELL.hung] === 64, 40_000);
		t.true(session.stats().workers > 64);
		t.is((await run('cat', [`${mountpoint}/plain`])).stdout, 'plain\n');
		release();
		t.deepEqual(new Set(await exitCodes(hung)), new Set([0]));
		await eventually(
			'surplus workers retire',
			async () => {
				await run('cat', [`${mountpoint}/plain`]);
				return session.stats().workers <= 8;
			},
			40_000,
		);
	});
});

test.serial('a pool that may not grow still answers everything', async t => {
	await withMount(t, {workers: 2, maxWorkers: 3, deadlineMs: 800}, async ({mountpoint, session}) => {
		const hung = Array.from({length: 12}, (_, i) => start('stat', [`${mountpoint}/hang${i}`], 10_000));
		t.is((await run('cat', [`${mountpoint}/local`], 1000)).stdout, 'local\n');
		t.deepEqual(new Set(await exitCodes(hung)), new Set([1]));
		t.is((await run('cat', [`${mountpoint}/local`], 1000)).stdout, 'local\n');
		t.is(session.stats().overdueAnswered, 12);
		t.is(session.stats().workers, 3);
	});
});

test.serial('a killed client ends although its operation hangs', async t => {
	await withMount(t, {workers: 2, maxWorkers: 2, deadlineMs: 30_000}, async ({mountpoint, cells}) => {
		const running = start('stat', [`${mountpoint}/hang1`], 20_000);
		await eventually('it hangs', () => cells[CELL.hung] === 1);
		const queued = start('stat', [`${mountpoint}/hang2`], 20_000);
		await new Promise(resolve => setTimeout(resolve, 200));
		const began = performance.now();
		running.child.kill('SIGKILL');
		queued.child.kill('SIGKILL');
		await Promise.all([running.result, queued.result]);
		const ms = performance.now() - began;
		t.true(ms < 3000, `${ms} ms`);
	});
});

test.serial('invalidation reaches the kernel', async t => {
	await withMount(t, {}, async ({mountpoint, session, cells}) => {
		const size = async (name: string): Promise<string> =>
			(await run('stat', ['-c', '%s', `${mountpoint}/${name}`])).stdout;
		cells[CELL.counter] = 1;
		t.is(await size('counter'), '1\n');
		cells[CELL.counter] = 2;
		t.is(await size('counter'), '1\n', 'cached');
		t.true(session.notifier.invalAttributes(4));
		t.is(await size('counter'), '2\n');
		cells[CELL.counter] = 3;
		t.true(await session.notifier.invalInode(4, 0n, 0n));
		t.is((await run('cat', [`${mountpoint}/counter`])).stdout, 'xxx');
		t.is(await size('appearing'), '');
		cells[CELL.appearing] = 1;
		t.is(await size('appearing'), '', 'a cached absence');
		t.true(await session.notifier.invalEntry(1, Buffer.from('appearing')));
		t.is(await size('appearing'), '10\n');
		t.false(await session.notifier.invalEntry(1, Buffer.from('never-seen')));
		t.false(session.notifier.invalAttributes(4711));
	});
});

test.serial('lookups and forgets, opens and releases balance', async t => {
	await withMount(t, {}, async ({mountpoint, session, cells}) => {
		for (let i = 0; i < 20; i++) await run('cat', [`${mountpoint}/plain`, `${mountpoint}/local`]);
		await eventually('releases arrive', () => cells[CELL.releases] === cells[CELL.opens]);
		t.is(cells[CELL.opens], 40);
		fs.writeFileSync('/proc/sys/vm/drop_caches', '2');
		await eventually('forgets arrive', () => cells[CELL.forgets] === cells[CELL.lookups]);
		t.true(cells[CELL.lookups]! >= 2);
		t.is(session.stats().inFlight, 0);
	});
});
