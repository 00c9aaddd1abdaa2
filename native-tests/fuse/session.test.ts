/** The FUSE layer on real mounts, with a filesystem in memory whose operations can be made to hang. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {eventually, run, start, type RunningChild} from '../support/child.ts';
import {CELL, createMemoryState} from '../support/memory-state.ts';
import {mountSession, type Session, type SessionOptions} from '../../src/fuse/session.ts';
import {errorCodeOf} from '../../src/errors.ts';

const WORKER = new URL('../support/memory-filesystem.js', import.meta.url);

interface Fixture {
	readonly mountpoint: string;
	readonly session: Session;
	readonly cells: Int32Array;
	readonly problems: string[];
	readonly release: () => void;
}

const withMount = async (
	t: ExecutionContext,
	options: Partial<SessionOptions>,
	body: (f: Fixture) => Promise<void>,
): Promise<void> => {
	const mountpoint = fs.mkdtempSync(path.join(os.tmpdir(), 'hekafs-fuse-'));
	const state = createMemoryState();
	const cells = new Int32Array(state.cells);
	const problems: string[] = [];
	const release = (): void => {
		Atomics.store(cells, CELL.hanging, 0);
		Atomics.notify(cells, CELL.hanging);
	};
	const session = await mountSession({
		mountpoint,
		fsname: 'memory',
		subtype: 'test',
		workerModule: WORKER,
		workerData: state,
		onProblem: problem => problems.push(problem),
		...options,
	});
	try {
		await body({mountpoint, session, cells, problems, release});
	} finally {
		release();
		await session.unmount();
		t.false(isMounted(mountpoint));
		fs.rmdirSync(mountpoint);
	}
};

const isMounted = (mountpoint: string): boolean =>
	fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountpoint} `);
const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;
const threads = (): number => fs.readdirSync('/proc/self/task').length;
const statsOf = (children: readonly RunningChild[]): Promise<readonly (number | null)[]> =>
	Promise.all(children.map(async c => (await c.result).code));

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

test.serial('64 hung operations: local ones go on, the pool grows, all are answered', async t => {
	await withMount(t, {workers: 4, deadlineMs: 4000}, async ({mountpoint, session, cells, release}) => {
		const hung: RunningChild[] = [];
		for (let i = 0; i < 64; i++) hung.push(start('stat', [`${mountpoint}/hang${i}`], 20_000));
		for (let i = 0; i < 5; i++) {
			const local = await run('cat', [`${mountpoint}/local`], 2000);
			t.is(local.stdout, 'local\n');
		}
		await eventually('all hang', () => cells[CELL.hung] === 64, 8000);
		t.true(session.stats().workers > 64);
		t.is((await run('cat', [`${mountpoint}/plain`], 3000)).stdout, 'plain\n');
		t.deepEqual(new Set(await statsOf(hung)), new Set([1]));
		t.is(session.stats().overdueAnswered, 64);
		release();
		await eventually(
			'surplus workers retire',
			async () => {
				await run('cat', [`${mountpoint}/plain`]);
				return session.stats().workers <= 8;
			},
			20_000,
		);
	});
});

test.serial('a pool that may not grow still answers everything', async t => {
	await withMount(t, {workers: 2, maxWorkers: 3, deadlineMs: 800}, async ({mountpoint, session}) => {
		const hung = Array.from({length: 12}, (_, i) => start('stat', [`${mountpoint}/hang${i}`], 10_000));
		t.is((await run('cat', [`${mountpoint}/local`], 1000)).stdout, 'local\n');
		t.deepEqual(new Set(await statsOf(hung)), new Set([1]));
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

test.serial('unmounts with a file open; 20 rounds leak no descriptor and no thread', async t => {
	const round = async (i: number): Promise<void> =>
		withMount(t, {workers: 2}, async ({mountpoint, session}) => {
			const reader = start('sh', ['-c', `exec 3<${mountpoint}/plain; echo open; exec sleep 30`], 20_000);
			await eventually('the file is open', () => session.stats().requests > 3);
			if (i % 2 === 0) await session.unmount();
			else await session.unmount({lazy: true});
			t.is(await session.closed, 'unmounted');
			t.is(session.stats().workers, 0);
			reader.child.kill('SIGKILL');
			await reader.result;
		});
	await round(0);
	const before = {descriptors: descriptors(), threads: threads()};
	for (let i = 0; i < 20; i++) await round(i);
	await eventually('descriptors are back', () => descriptors() <= before.descriptors);
	await eventually('threads are back', () => threads() <= before.threads);
});

test.serial('unmounts with operations hung', async t => {
	await withMount(t, {deadlineMs: 60_000}, async ({mountpoint, session, cells}) => {
		const hung = Array.from({length: 6}, (_, i) => start('stat', [`${mountpoint}/hang${i}`], 30_000));
		await eventually('they hang', () => cells[CELL.hung]! >= 3);
		const began = performance.now();
		await session.unmount();
		t.true(performance.now() - began < 8000);
		t.deepEqual(new Set(await statsOf(hung)), new Set([1]));
		t.is(session.stats().stuckWorkers, 0);
	});
});

test.serial('umount -l from outside ends the session', async t => {
	await withMount(t, {}, async ({mountpoint, session}) => {
		t.is((await run('umount', ['-l', mountpoint])).code, 0);
		t.is(await session.closed, 'unmounted');
		await eventually('the workers end', () => session.stats().workers === 0);
	});
});

test.serial('an abort through fusectl ends the session as aborted, and the dead mount goes', async t => {
	await withMount(t, {}, async ({mountpoint, session}) => {
		fs.writeFileSync(`/sys/fs/fuse/connections/${session.connection}/abort`, '1');
		t.is(await session.closed, 'aborted');
		await eventually('the dead mount is removed', () => !isMounted(mountpoint));
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

test.serial('a worker module that fails: mounting fails and leaves nothing behind', async t => {
	const mountpoint = fs.mkdtempSync(path.join(os.tmpdir(), 'hekafs-fuse-'));
	const before = descriptors();
	const error = await t.throwsAsync(
		mountSession({
			mountpoint,
			fsname: 'memory',
			subtype: 'test',
			workerModule: new URL('./absent.js', import.meta.url),
			workerData: undefined,
		}),
	);
	t.is(errorCodeOf(error), 'HEKAFS_MOUNT_FAILED');
	t.false(isMounted(mountpoint));
	await eventually('descriptors are back', () => descriptors() <= before);
	fs.rmdirSync(mountpoint);
});

test.serial('a process that exits without unmounting does not hang and leaves no mount', async t => {
	const mountpoint = fs.mkdtempSync(path.join(os.tmpdir(), 'hekafs-fuse-'));
	const program = fileURLToPath(new URL('../support/exits-mounted.js', import.meta.url));
	const result = await run(process.execPath, [program, mountpoint], 10_000);
	t.is(result.code, 3, result.stderr);
	t.false(isMounted(mountpoint));
	fs.rmdirSync(mountpoint);
});
