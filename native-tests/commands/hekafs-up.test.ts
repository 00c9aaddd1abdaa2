/** `./hekafs-up` on a host of its own: up, again, down, up with the data as it was, purge; and what it refuses. */
import {join} from 'node:path';
import {filesystemAt} from '../support/host-daemons.ts';
import {type Host} from '../support/lab-host.ts';
import {Lab} from '../support/lab.ts';
import {repositoryPath} from '../support/programs.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {type CommandResult} from '../support/run-command.ts';

const command = join(repositoryPath, 'hekafs-up');
// /usr/local/bin is the machine's.
const BIN = '/mnt/bin';

const hekafsUp = (host: Host, ...args: readonly string[]): Promise<CommandResult> =>
	host.exec([command, '--bin-dir', BIN, ...args], {timeoutMs: 120_000});

/** What runs in the host apart from init. */
const daemons = (host: Host): string[] =>
	host
		.processes()
		.filter(({pid, argv}) => pid !== 1 && argv[0] !== 'sleep' && argv[0] !== '')
		.map(({argv}) => argv.join(' '));

nativeTest([...LAB, 'fuse', 'gluster', 'attr'], 'up, again, down, up with the same data, purge', async t => {
	await using lab = await Lab.up(1);
	const h1 = lab.host(1);
	await h1.run(['rmdir', '/etc/hekafs']);
	const first = await hekafsUp(h1);
	t.is(first.exitCode, 0, first.stdout + first.stderr);
	t.true(first.elapsedMs < 60_000, `took ${first.elapsedMs} ms`);
	t.is(filesystemAt(h1, '/etc/hekafs'), 'fuse.hekafs');
	t.true(await h1.exists('/etc/hekafs/.hekafs/healthy'));
	await h1.writeFile('/etc/hekafs/greeting', 'hello\n');
	t.regex(await h1.run([`${BIN}/hfs_config`, 'status']), /healthy/);

	const second = await hekafsUp(h1);
	t.is(second.exitCode, 0, second.stdout + second.stderr);
	t.true(second.elapsedMs < 10_000, `took ${second.elapsedMs} ms`);
	for (const done of [
		/glusterd: runs already/,
		/hekafsd: runs already/,
		/one already/,
		/initial values: there/,
	])
		t.regex(second.stdout, done);

	const down = await hekafsUp(h1, '--down');
	t.is(down.exitCode, 0, down.stdout + down.stderr);
	t.regex(down.stdout, /kept \/var\/lib\/hekafs/);
	t.deepEqual(daemons(h1), []);
	t.is(filesystemAt(h1, '/etc/hekafs'), null);
	for (const gone of ['/etc/hekafs', '/run/hekafs', `${BIN}/hfs_config`, `${BIN}/hekafsd`])
		t.false(await h1.exists(gone), gone);

	const again = await hekafsUp(h1);
	t.is(again.exitCode, 0, again.stdout + again.stderr);
	t.is(await h1.readFile('/etc/hekafs/greeting'), 'hello\n');

	const purge = await hekafsUp(h1, '--down', '--purge');
	t.is(purge.exitCode, 0, purge.stdout + purge.stderr);
	t.deepEqual(daemons(h1), []);
	t.deepEqual(
		(await h1.shell('ls -A /var/lib/hekafs /var/log/hekafs 2>/dev/null || true')).match(/^[^/\n].*/m),
		null,
	);
});

nativeTest(
	[...LAB, 'fuse', 'gluster', 'attr'],
	'a second instance runs beside the first, and each --down ends its own',
	async t => {
		await using lab = await Lab.up(1);
		const h1 = lab.host(1);
		const other = [
			'--mountpoint',
			'/mnt/etc',
			'--state',
			'/srv/state',
			'--run',
			'/run/other',
			'--log',
			'/srv/log',
		];
		other.push('--listen', '127.0.0.1:8181', '--brick-port', '24200');
		t.is((await hekafsUp(h1)).exitCode, 0);
		const second = await hekafsUp(h1, ...other);
		// The second one finds the first one's filesystem only when it is asked for at the same port: it founds its own.
		t.is(second.exitCode, 0, second.stdout + second.stderr);
		await h1.writeFile('/mnt/etc/of', 'second\n');
		t.false(await h1.exists('/etc/hekafs/of'));
		t.is((await hekafsUp(h1, '--down', ...other)).exitCode, 0);
		t.is(filesystemAt(h1, '/mnt/etc'), null);
		t.true(await h1.exists('/etc/hekafs/.hekafs/healthy'));
	},
);

nativeTest(
	[...LAB, 'gluster'],
	'a glusterd that ran before is left running, and a record that is missing undoes nothing',
	async t => {
		await using lab = await Lab.up(1, {glusterd: true});
		const h1 = lab.host(1);
		const nothing = await hekafsUp(h1, '--down');
		t.is(nothing.exitCode, 0);
		t.regex(nothing.stdout, /nothing to undo/);
		t.is((await hekafsUp(h1)).exitCode, 0);
		t.is((await hekafsUp(h1, '--down')).exitCode, 0);
		t.is(h1.processes('glusterd').filter(({argv}) => argv[0]?.endsWith('glusterd')).length, 1);
	},
);

nativeTest(LAB, 'what the machine lacks and wrong arguments are refused with what to do', async t => {
	await using lab = await Lab.up(1);
	const h1 = lab.host(1);
	const refused = async (argv: readonly string[], exitCode: number, text: RegExp): Promise<void> => {
		const result = await h1.exec(argv, {timeoutMs: 30_000});
		t.is(result.exitCode, exitCode, result.stderr);
		t.regex(result.stderr, text);
		t.regex(result.stderr, /\n {2}\S/, 'a second line says what to do');
	};
	await refused([command, '--wrong'], 2, /unknown option '--wrong'/);
	await refused([command, '--state'], 2, /--state needs a value/);
	await refused([command, '--state', 'relative'], 2, /not an absolute path/);
	await refused([command, '--purge'], 2, /--purge is for --down/);
	await refused(['setpriv', '--reuid', '65534', '--clear-groups', '--', command], 7, /not root/);
	const withoutFuse = 'mount -t tmpfs tmpfs /dev && exec "$1"';
	await refused(
		['unshare', '-m', 'bash', '-c', `${withoutFuse} 2>&2`, 'bash', command],
		7,
		/\/dev\/fuse is missing/,
	);
	await h1.shell(
		'mkdir /run/old && printf "#!/bin/sh\\necho v18.19.0\\n" >/run/old/node && chmod +x /run/old/node',
	);
	const oldNode = `PATH=/run/old:${process.env['PATH'] ?? ''}`;
	await refused(['env', oldNode, command], 7, /Node\.js v18\.19\.0 .* is too old/);
	t.deepEqual(daemons(h1), []);
});
