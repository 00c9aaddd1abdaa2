import {spawn} from 'node:child_process';
import {mkdtemp, realpath, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {
	findProcess,
	findProcessesBelow,
	isAlive,
	parsePid,
	parseStartTicks,
	pidFileOfCommandLine,
	stopProcess,
} from '../../../src/gluster/process.ts';

test('a pid file holds one plausible number', t => {
	t.is(parsePid('4711\n'), 4711);
	for (const text of ['', '0', '1', '-5', '12x', '1 2', '99999999999']) t.is(parsePid(text), undefined, text);
});

test('only GlusterFS with a pid file is recognised', t => {
	t.is(pidFileOfCommandLine('/usr/sbin/glusterfsd\0-f\0v\0-p\0/run/b.pid\0'), '/run/b.pid');
	t.is(pidFileOfCommandLine('glusterfs\0-p\0/run/c.pid\0/mnt\0'), '/run/c.pid');
	for (const line of ['', 'vi\0-p\0/run/b.pid\0', 'glusterfs\0--volfile=x\0', 'glusterd\0-p\0/run/b.pid\0'])
		t.is(pidFileOfCommandLine(line), undefined, line);
});

test('start time is found behind any name; what has ended has none', t => {
	const rest = Array.from({length: 49}, (_, i) => String(i + 4)).join(' ');
	t.is(parseStartTicks(`12 (a b) c) S ${rest}`), '22');
	t.is(parseStartTicks(`12 (x) Z ${rest}`), undefined);
	t.is(parseStartTicks(''), undefined);
});

/** A process that looks like a glusterfs of ours: a shell under that name. */
const disguised = async (t: {teardown: (f: () => Promise<void>) => void}) => {
	const directory = await realpath(await mkdtemp(join(tmpdir(), 'hekafs-process-')));
	const pidFile = join(directory, 'x.pid');
	const program = join(directory, 'glusterfs');
	await symlink('/bin/sh', program);
	const child = spawn(program, ['-c', 'trap "" TERM; echo ready; read x', '-p', pidFile], {
		stdio: ['pipe', 'pipe', 'ignore'],
	});
	await new Promise(resolve => child.stdout.once('data', resolve));
	t.teardown(async () => {
		child.kill('SIGKILL');
		await rm(directory, {recursive: true});
	});
	return {directory, pidFile, pid: child.pid!};
};

test('found with and without its pid file, and not by a wrong one', async t => {
	const {directory, pidFile, pid} = await disguised(t);
	t.is((await findProcess(pidFile))?.pid, pid);
	await writeFile(pidFile, `${pid}\n`);
	t.is((await findProcess(pidFile))?.pid, pid);
	await writeFile(join(directory, 'other.pid'), `${pid}\n`);
	t.is(await findProcess(join(directory, 'other.pid')), undefined, 'somebody else has that number now');
	await writeFile(pidFile, `${process.pid}\n`);
	t.is((await findProcess(pidFile))?.pid, pid);
	t.deepEqual(
		(await findProcessesBelow(directory)).map(found => found.pid),
		[pid],
	);
	t.deepEqual(await findProcessesBelow(directory.slice(0, -1)), []);
});

test('SIGKILL follows SIGTERM, and a later process of that number is not touched', async t => {
	const {pidFile} = await disguised(t);
	const found = await findProcess(pidFile);
	t.truthy(found);
	t.false(await isAlive({...found!, startTicks: '1'}));
	await stopProcess({...found!, startTicks: '1', pidFile: '/nonexistent'});
	t.true(await isAlive(found!));
	await stopProcess(found!, {termMs: 50});
	t.false(await isAlive(found!));
});
