/** The life of a daemon on one machine: start, stop with files open, kill and take-over, second instances, side by side. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {LocalDaemon} from '../support/local-daemon.ts';
import {hekafsdPath} from '../support/programs.ts';
import {nativeTest} from '../support/requirements.ts';
import {runCommand} from '../support/run-command.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = ['root', 'fuse'] as const;

nativeTest(NEEDS, 'a local directory as backend: writable at once, healthy, status says so', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	t.is(daemon.mountedType(), 'fuse.hekafs');
	t.is((await daemon.shell('echo one > "$1"/a && cat "$1"/a')).stdout, 'one\n');
	t.is(readFileSync(path.join(daemon.backing, 'a'), 'utf8'), 'one\n');
	t.is((await daemon.shell('stat "$1"/.hekafs/healthy')).exitCode, 0);
	const status = await daemon.hfs('status');
	t.is(status.exitCode, 0, status.stdout + status.stderr);
	const json = JSON.parse((await daemon.hfs('status', '--json')).stdout) as {backend: string; health: string};
	t.like(json, {backend: 'local', health: 'healthy'});
});

nativeTest(NEEDS, 'init fills the directory and refuses a second time', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	t.is((await daemon.hfs('init')).exitCode, 0);
	t.is((await daemon.shell('ls "$1"')).stdout.includes('tenants'), true);
	const again = await daemon.hfs('init');
	t.is(again.exitCode, 6);
	t.regex(again.stderr, /populated/);
	t.is((await daemon.hfs('serve')).exitCode, 6);
});

nativeTest(NEEDS, 'SIGTERM unmounts cleanly with files open', async t => {
	await using daemon = new LocalDaemon();
	const running = await daemon.start();
	const holder = daemon.shell('exec 3>"$1"/held; echo ready >&3; sleep 5', {timeoutMs: 8000});
	await waitFor(async () => (await daemon.shell('cat "$1"/held')).stdout === 'ready\n', {
		deadlineMs: 5000,
		what: 'the file is open',
	});
	running.child.kill('SIGTERM');
	t.is((await running.ended).exitCode, 0, running.output());
	t.is(daemon.mountedType(), undefined);
	await holder;
});

nativeTest(NEEDS, 'SIGTERM while it starts leaves no mount', async t => {
	await using daemon = new LocalDaemon();
	const running = daemon.spawn();
	await waitFor(() => Promise.resolve(daemon.mountedType() === 'fuse.hekafs'), {
		deadlineMs: 15_000,
		what: 'the overlay is mounted, and not yet announced',
		intervalMs: 1,
	});
	running.child.kill('SIGTERM');
	t.is((await running.ended).exitCode, 0, running.output());
	t.is(daemon.mountedType(), undefined);
});

nativeTest(NEEDS, 'after kill -9 the next start takes the stale mount over', async t => {
	await using daemon = new LocalDaemon();
	const running = await daemon.start();
	await daemon.shell('echo before > "$1"/kept');
	running.child.kill('SIGKILL');
	await running.ended;
	t.is(daemon.mountedType(), 'fuse.hekafs', 'the mount is stale now');
	await daemon.start();
	t.is((await daemon.shell('cat "$1"/kept')).stdout, 'before\n');
	t.is((await daemon.hfs('status')).exitCode, 0);
});

nativeTest(NEEDS, 'a second instance refuses and says which one runs', async t => {
	await using daemon = new LocalDaemon();
	const first = await daemon.start();
	const second = daemon.spawn();
	t.is((await second.ended).exitCode, 8);
	t.true(second.output().includes(String(first.child.pid)), second.output());
	t.is((await daemon.shell('stat "$1"/.hekafs/healthy')).exitCode, 0, 'the first goes on');
});

nativeTest(
	NEEDS,
	'another --run does not make the state or the mount point of a live daemon free',
	async t => {
		await using daemon = new LocalDaemon();
		const first = await daemon.start();
		const sameState = daemon.spawn({'--run': `${daemon.run}-2`});
		t.is((await sameState.ended).exitCode, 8);
		t.true(sameState.output().includes(String(first.child.pid)), sameState.output());
		const sameMount = daemon.spawn({'--run': `${daemon.run}-2`, '--state': `${daemon.state}-2`});
		t.is((await sameMount.ended).exitCode, 8, sameMount.output());
		t.true(sameMount.output().includes(daemon.mountpoint), sameMount.output());
		t.is((await daemon.shell('stat "$1"/.hekafs/healthy')).exitCode, 0, 'the first goes on');
	},
);

nativeTest(NEEDS, 'two daemons run side by side', async t => {
	await using one = new LocalDaemon();
	await using two = new LocalDaemon();
	await Promise.all([one.start(), two.start()]);
	await one.shell('echo 1 > "$1"/x');
	await two.shell('echo 2 > "$1"/x');
	t.is((await one.shell('cat "$1"/x')).stdout, '1\n');
	t.is((await two.shell('cat "$1"/x')).stdout, '2\n');
});

nativeTest(NEEDS, 'a mount point that is not empty is refused, and nothing in it is touched', async t => {
	await using daemon = new LocalDaemon();
	mkdirSync(daemon.mountpoint);
	writeFileSync(path.join(daemon.mountpoint, 'precious'), 'data');
	const running = daemon.spawn();
	t.is((await running.ended).exitCode, 6, running.output());
	t.regex(running.output(), /not empty/);
	t.is(readFileSync(path.join(daemon.mountpoint, 'precious'), 'utf8'), 'data');
});

nativeTest(NEEDS, 'what lies below the mount point can not be written while it is not mounted', async t => {
	await using daemon = new LocalDaemon();
	const running = await daemon.start();
	running.child.kill('SIGTERM');
	await running.ended;
	const write = await daemon.shell('echo lost > "$1"/file');
	t.not(write.exitCode, 0);
	t.regex(write.stderr, /Operation not permitted/);
});

nativeTest(NEEDS, 'names with newlines and bytes that are not UTF-8 are kept as they are', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	const made = await daemon.shell(
		`cd "$1" && f=$(printf 'a\\nb\\377\\376') && echo x > "$f" && cat "$f" && mv "$f" "$f.2" && ls | od -An -c`,
	);
	t.is(made.exitCode, 0, made.stderr);
	t.regex(made.stdout, /^x\n\s+a\s+\\n\s+b\s+377\s+376\s+\.\s+2/);
});

nativeTest(
	NEEDS,
	'--daemonize returns when the overlay is mounted; the daemon goes on and ends by SIGTERM',
	async t => {
		await using daemon = new LocalDaemon();
		const running = daemon.spawn({}, {env: {}});
		await waitFor(() => Promise.resolve(running.output().includes('mounted')), {
			deadlineMs: 15_000,
			what: 'mounted',
		});
		running.child.kill('SIGTERM');
		await running.ended;
		const started = await runCommand([], [process.execPath, hekafsdPath, ...daemon.flags(), '--daemonize'], {
			timeoutMs: 20_000,
		});
		t.is(started.exitCode, 0, started.stderr);
		t.regex(started.stdout, /hekafsd: mounted/);
		t.is((await daemon.shell('stat "$1"/.hekafs/healthy')).exitCode, 0);
		const pid = Number(readFileSync(path.join(daemon.run, 'hekafsd.pid'), 'utf8'));
		process.kill(pid, 'SIGTERM');
		await waitFor(() => Promise.resolve(daemon.mountedType() === undefined), {
			deadlineMs: 15_000,
			what: 'it is unmounted',
		});
		await waitFor(async () => (await daemon.exec(['kill', '-0', String(pid)])).exitCode !== 0, {
			deadlineMs: 10_000,
			what: 'it has ended',
		});
	},
);
