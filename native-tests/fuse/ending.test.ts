/** How sessions end: unmounted with files open or operations hung, from outside, aborted, failed, by the process's exit. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {eventually, run, start} from '../support/child.ts';
import {exitCodes, isMounted, withMount} from '../support/memory-mount.ts';
import {CELL, createMemoryState} from '../support/memory-state.ts';
import {mountSession} from '../../src/fuse/session.ts';
import {errorCodeOf} from '../../src/errors.ts';

const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;
const threads = (): number => fs.readdirSync('/proc/self/task').length;
const openDevices = (): number =>
	fs.readdirSync('/proc/self/fd').filter(fd => {
		try {
			return fs.readlinkSync(`/proc/self/fd/${fd}`) === '/dev/fuse';
		} catch {
			// The descriptor that lists the directory is gone already.
			return false;
		}
	}).length;

/** Mounts and unmounts; HEKAFS_MOUNT_ROUNDS sets another number. */
const ROUNDS = Number(process.env['HEKAFS_MOUNT_ROUNDS'] ?? 40);

test.serial(`unmounts with a file open; ${ROUNDS} rounds leak no descriptor and no thread`, async t => {
	t.timeout(60_000 + ROUNDS * 2000);
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
	for (let i = 0; i < ROUNDS; i++) await round(i);
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
		t.deepEqual(new Set(await exitCodes(hung)), new Set([1]));
		t.is(session.stats().stuckWorkers, 0);
	});
});

test.serial('a thread that hangs in a system call holds nothing up but itself', async t => {
	const fifo = path.join(os.tmpdir(), `hekafs-fuse-fifo-${process.pid}`);
	t.is((await run('mkfifo', [fifo])).code, 0);
	await withMount(t, {workerData: createMemoryState(fifo)}, async ({mountpoint, session}) => {
		const stuck = start('stat', [`${mountpoint}/stuck`], 20_000);
		await eventually('it is under way', () => session.stats().inFlight === 1);
		const began = performance.now();
		await session.unmount();
		t.true(performance.now() - began < 8000);
		t.is(session.stats().stuckWorkers, 1);
		t.is(openDevices(), 1, 'kept: the thread could answer into another file');
		t.is((await stuck.result).code, 1);
		// The other end of the FIFO lets the thread go.
		fs.closeSync(fs.openSync(fifo, 'w'));
		await eventually('the thread ends', () => session.stats().stuckWorkers === 0);
	});
	// The FIFO's own descriptor is lost with the thread that was ended before it could close it.
	t.is(openDevices(), 0);
	fs.unlinkSync(fifo);
});

for (const [program, ...flags] of [
	['umount', '-l'],
	['fusermount3', '-u'],
] as const)
	test.serial(`${program} ${flags.join(' ')} from outside ends the session`, async t => {
		await withMount(t, {}, async ({mountpoint, session}) => {
			t.is((await run(program, [...flags, mountpoint])).code, 0);
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
