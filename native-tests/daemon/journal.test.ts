/** The journal of a real daemon: who did what, over restarts and kills; versions of files that no copy takes along. */
import {mkdirSync} from 'node:fs';
import {LocalDaemon} from '../support/local-daemon.ts';
import {nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = ['root', 'fuse'] as const;

interface Line {
	readonly kind: string;
	readonly operation?: string;
	readonly path?: string;
	readonly to?: string;
	readonly command?: string;
	readonly uid?: number;
	readonly counter?: number;
	readonly bytes?: number;
	readonly result?: string;
}

const linesOf = (stdout: string): Line[] =>
	stdout
		.split('\n')
		.filter(Boolean)
		.map(line => JSON.parse(line) as Line);

const log = async (daemon: LocalDaemon, ...args: string[]): Promise<Line[]> =>
	linesOf((await daemon.hfs('log', '--json', ...args)).stdout);

nativeTest(
	NEEDS,
	'each change leaves a record: operation, path, caller, result; writes of a handle are one',
	async t => {
		await using daemon = new LocalDaemon();
		await daemon.start();
		const made = await daemon.shell(
			'cd "$1" && for i in 1 2 3; do echo $i; done > a && mkdir d && mv a d/b && chmod 600 d/b && ln d/b l && ' +
				'ln -s b d/s && chmod 777 . && setpriv --reuid 1234 --regid 1234 --clear-groups touch u && ' +
				'setfattr -n user.x -v 1 l && truncate -s 1 l && rm d/s && cat l && ls -lR . && mkdir d/full && rmdir d 2>/dev/null; true',
		);
		t.is(made.exitCode, 0, made.stderr);
		const lines = await log(daemon);
		t.deepEqual(
			lines.map(({operation, path, to, uid}) => [operation, path, to ?? '', uid]),
			[
				['create', 'a', '', 0],
				['write', 'a', '', 0],
				['mkdir', 'd', '', 0],
				['rename', 'a', 'd/b', 0],
				['chmod', 'd/b', '', 0],
				['link', 'd/b', 'l', 0],
				['symlink', 'd/s', '', 0],
				['chmod', '', '', 0],
				['create', 'u', '', 1234],
				['utimes', 'u', '', 1234],
				['setxattr', 'l', '', 0],
				['truncate', 'l', '', 0],
				['unlink', 'd/s', '', 0],
				['mkdir', 'd/full', '', 0],
				['rmdir', 'd', '', 0],
			],
		);
		t.like(lines[1], {bytes: 6, command: 'sh'});
		t.like(lines.at(-1), {result: 'ENOTEMPTY', command: 'rmdir'});
		t.is((await log(daemon, '--user', '1234')).length, 2);
		t.deepEqual(
			(await log(daemon, '--path', `${daemon.mountpoint}/d`, '-n', '2')).map(line => line.operation),
			['mkdir', 'rmdir'],
		);
	},
);

nativeTest(NEEDS, 'after a restart counters go on; after kill -9 the gap is shown, not hidden', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	await daemon.shell('echo 1 > "$1"/a');
	await daemon.stop();
	const killed = await daemon.start();
	await daemon.shell('echo 2 > "$1"/a');
	await waitFor(async () => (await log(daemon)).length === 4, {deadlineMs: 5000, what: '4 records'});
	const before = await log(daemon);
	t.deepEqual(
		before.map(line => line.counter! - before[0]!.counter!),
		[0, 1, 2, 3],
	);
	killed.child.kill('SIGKILL');
	await killed.ended;
	await daemon.start();
	await daemon.shell('echo 3 > "$1"/a');
	const after = await log(daemon);
	t.deepEqual(
		after.slice(4).map(line => line.kind),
		['cut-off', 'record', 'record'],
	);
	t.true(after[5]!.counter! > before[3]!.counter!);
});

nativeTest(NEEDS, '--follow tells what comes', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	await daemon.shell('echo 1 > "$1"/a');
	const followed = daemon.hfs('log', '--json', '--follow').then(result => result.stdout);
	const socket = await daemon.shell('sleep 1; echo 2 > "$1"/b; sleep 0.5');
	t.is(socket.exitCode, 0);
	await daemon.stop();
	t.deepEqual(
		linesOf(await followed).map(line => line.path),
		['a', 'a', 'b', 'b'],
	);
});

nativeTest(NEEDS, 'a version goes with its file through a rename, and no copy takes it along', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	const version = async (name: string): Promise<string> =>
		(await daemon.shell(`getfattr --only-values -n user.hekafs.version "$1"/${name}`)).stdout;
	await daemon.shell('echo 1 > "$1"/a && setfattr -n user.own -v kept "$1"/a');
	await waitFor(async () => (await version('a')).includes(':'), {deadlineMs: 5000, what: 'a version'});
	const first = await version('a');
	await daemon.shell('mv "$1"/a "$1"/b');
	await waitFor(async () => (await version('b')) > first, {deadlineMs: 5000, what: 'a later version'});
	t.regex((await daemon.shell('cat "$1"/.hekafs/version')).stdout, /^[0-9a-f-]{36}:\d+\n$/);
	const copies = `${daemon.directory}/copies`;
	mkdirSync(copies);
	const copied = await daemon.shell(
		`cp -a "$1"/b ${copies}/cp && tar -C "$1" --xattrs -cf - b | tar -C ${copies} --xattrs -xf - && getfattr -d ${copies}/cp ${copies}/b`,
	);
	t.is(copied.exitCode, 0, copied.stderr);
	t.is(copied.stdout.match(/user\.own/g)?.length, 2);
	t.false(copied.stdout.includes('hekafs.version'));
	t.not((await daemon.shell('setfattr -n user.hekafs.version -v 1 "$1"/b')).exitCode, 0);
});

nativeTest(NEEDS, 'the journal is out of reach through the overlay, for root too', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	await daemon.shell('echo 1 > "$1"/a');
	t.not((await daemon.shell('ls "$1"/.hekafs/journal')).exitCode, 0);
	t.not((await daemon.shell('rm -r "$1"/.hekafs/journal')).exitCode, 0);
	const found = await daemon.exec(['find', `${daemon.backing}/.hekafs`, '-perm', '/077']);
	t.is(found.stdout, '');
});
