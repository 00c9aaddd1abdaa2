/** The flags of hekafsd: defaults, every flag, and what each wrong value is answered with. */
import {mkdir, mkdtemp, rm, symlink} from 'node:fs/promises';
import {execFile} from 'node:child_process';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {HekafsError} from '../../../src/errors.ts';
import {parseDaemonConfig as parse, type DaemonConfig} from '../../../src/main/config.ts';
import {VERSION} from '../../../src/main/version.ts';

/** Without what this machine is configured to. */
const parseDaemonConfig = (args: readonly string[]): DaemonConfig =>
	parse(args, {HEKAFS_CONFIG: '/dev/null'});

test('without flags: the paths and ports of DESIGN', t => {
	t.deepEqual(parseDaemonConfig([]), {
		mountpoint: '/etc/hekafs',
		backend: {kind: 'gluster'},
		state: '/var/lib/hekafs',
		run: '/run/hekafs',
		log: '/var/log/hekafs',
		listen: {host: '0.0.0.0', port: 8080},
		peerPort: 8080,
		brickPort: 24_100,
		brickDir: '/var/lib/hekafs/bricks',
		glusterdDir: '/var/lib/glusterd',
		address: undefined,
		deadlines: {readsMs: undefined, writesMs: undefined, lockWaitsMs: 0},
		writeWaitMs: 8000,
		deadlineMs: 10_000,
		attrTimeoutMs: 800,
		entryTimeoutMs: 800,
		daemonize: false,
		workers: 4,
		copyLimitBytes: 256 << 20,
		pageChanges: 'plain',
		controlSocket: '/run/hekafs/control.sock',
	});
});

test('every flag is taken over', t => {
	const flags =
		'--mountpoint /m --backend local:/b --state /s --run /r --log /l --listen [::1]:81 --peer-port 82 --brick-port 83 ' +
		'--brick-dir /d --glusterd-dir /g --address node-1.example --write-wait 0.5 --deadline 2 --attr-timeout 0 ' +
		'--read-deadline 1 --write-deadline 3.5 --lock-deadline 60 --entry-timeout 3 --daemonize --workers 8 --copy-limit 3 ' +
		'--page-changes names';
	t.deepEqual(parseDaemonConfig(flags.split(' ')), {
		mountpoint: '/m',
		backend: {kind: 'local', directory: '/b'},
		state: '/s',
		run: '/r',
		log: '/l',
		listen: {host: '::1', port: 81},
		peerPort: 82,
		brickPort: 83,
		brickDir: '/d',
		glusterdDir: '/g',
		address: 'node-1.example',
		writeWaitMs: 500,
		deadlineMs: 2000,
		deadlines: {readsMs: 1000, writesMs: 3500, lockWaitsMs: 60_000},
		attrTimeoutMs: 0,
		entryTimeoutMs: 3000,
		daemonize: true,
		workers: 8,
		copyLimitBytes: 3 << 20,
		pageChanges: 'names',
		controlSocket: '/r/control.sock',
	});
});

test('paths become absolute and normal; bricks follow the state', t => {
	const config = parseDaemonConfig(['--state', 'some/../dir/', '--listen', ':0']);
	t.is(config.state, join(process.cwd(), 'dir'));
	t.is(config.brickDir, join(process.cwd(), 'dir', 'bricks'));
	t.deepEqual(config.listen, {host: '0.0.0.0', port: 0});
});

const wrong: ReadonlyArray<readonly [flags: string[], message: RegExp, remedy: RegExp]> = [
	[
		['--mountpont', '/x'],
		/^unknown option '--mountpont'$/,
		/Did you mean --mountpoint\? See: hekafsd --help/,
	],
	[['--workers'], /^option '--workers <n>' argument missing$/, /hekafsd --help/],
	[['extra'], /too many arguments/, /hekafsd --help/],
	[['--listen', '8080'], /'--listen <addr:port>' argument '8080' is invalid$/, /ADDR:PORT is expected/],
	[['--listen', '1.2.3.4:99999'], /99999/, /from 0 to 65535/],
	[['--listen', '1.2.3.4:'], /--listen/, /from 0 to 65535/],
	[['--listen', '[1.2.3.4]:80'], /--listen/, /IPv6/],
	[['--listen', 'a b:80'], /--listen/, /IP address or a host name/],
	[['--peer-port', '0'], /--peer-port/, /from 1 to 65535/],
	[['--brick-port', '1e3'], /--brick-port/, /from 1 to 65535/],
	[['--backend', 'nfs'], /--backend.*'nfs'/, /gluster and local:DIR/],
	[['--backend', 'local:'], /--backend/, /gluster and local:DIR/],
	[['--state', ''], /--state/, /empty/],
	[['--state', '/a\nb'], /--state/, /Control characters/],
	[['--state', `/${'a/'.repeat(3000)}`], /--state/, /3800 bytes/],
	[['--address', 'a b'], /--address/, /host name/],
	[['--address', '0.0.0.0'], /--address/, /can not reach/],
	[['--write-wait', '-1'], /--write-wait/, /0 to 60/],
	[['--deadline', '0'], /--deadline/, /0\.1 to 600/],
	[['--deadline', 'soon'], /--deadline.*'soon'/, /0\.1 to 600/],
	[
		['--deadline', '3'],
		/--write-wait 8 is not shorter than --deadline 3/,
		/shorter wait or a longer deadline/,
	],
	[['--write-deadline', '8'], /--write-wait 8 is not shorter than --write-deadline 8/, /shorter wait/],
	[['--lock-deadline', '-1'], /--lock-deadline/, /0 to 86400/],
	[['--workers', '1.5'], /--workers/, /2 to 128/],
	[['--workers', '0x10'], /--workers/, /2 to 128/],
	[['--foreground', '--daemonize'], /exclude each other/, /one of them/],
	[['--mountpoint', '/'], /root directory/, /of its own/],
	[['--mountpoint', '/var/lib/hekafs/mnt'], /lies inside --state/, /outside of \/var\/lib\/hekafs/],
	[['--run', '/etc/hekafs/run'], /--run '\/etc\/hekafs\/run' lies inside --mountpoint/, /would hide it/],
	[['--log', '/etc/hekafs'], /--log '\/etc\/hekafs' lies inside --mountpoint/, /./],
	[['--brick-dir', '/etc/hekafs/../hekafs/b'], /--brick-dir/, /./],
	[['--backend', 'local:/etc/hekafs'], /--backend '\/etc\/hekafs' lies inside --mountpoint/, /./],
	[['--backend', 'local:/'], /--mountpoint '\/etc\/hekafs' lies inside --backend '\/'/, /./],
	[['--run', `/${'r'.repeat(120)}`], /--run.*too long/, /shorter/],
];
for (const [flags, message, remedy] of wrong)
	test(`refused: ${flags.join(' ').slice(0, 60)}`, t => {
		const error = t.throws(() => parseDaemonConfig(flags), {
			instanceOf: HekafsError,
			code: 'HEKAFS_USAGE',
			message,
		});
		t.regex(error.remedy ?? '', remedy);
	});

test('a neighbour whose name begins alike is not inside', t => {
	t.is(
		parseDaemonConfig(['--mountpoint', '/etc/hekafs', '--state', '/etc/hekafs-state']).state,
		'/etc/hekafs-state',
	);
});

test('symlinks in the parents do not hide that one directory lies in another', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-config-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	await mkdir(join(directory, 'state'));
	await symlink(join(directory, 'state'), join(directory, 'alias'));
	t.throws(
		() =>
			parseDaemonConfig([
				'--state',
				join(directory, 'state'),
				'--mountpoint',
				join(directory, 'alias', 'mnt'),
			]),
		{code: 'HEKAFS_USAGE', message: /lies inside --state/},
	);
});

test('--help and --version print and end well', async t => {
	const module = new URL('../../../src/main/config.js', import.meta.url).href;
	const run = async (flag: string): Promise<string> => {
		const code = `import {parseDaemonConfig} from ${JSON.stringify(module)}; parseDaemonConfig(['${flag}']); process.exit(9);`;
		return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])).stdout;
	};
	t.regex(await run('--help'), /Usage: hekafsd(.|\n)*--mountpoint(.|\n)*Examples:/);
	t.is(await run('--version'), `${VERSION}\n`);
	t.not(VERSION, '0.0.0');
});
