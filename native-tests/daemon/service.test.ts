/** hekafsd under a service manager: what it tells it (the protocol of sd_notify), and the units that the package installs. */
import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {LocalDaemon} from '../support/local-daemon.ts';
import {repositoryPath} from '../support/programs.ts';
import {nativeTest} from '../support/requirements.ts';
import {runCommand} from '../support/run-command.ts';
import {waitFor} from '../support/wait-for.ts';

interface Datagram {
	readonly lines: readonly string[];
	readonly pid: number;
	/** Whether the overlay was mounted when it came. */
	readonly mounted: boolean;
}

/** A service manager's end of the socket, in a process of its own. */
class NotifySocket implements AsyncDisposable {
	readonly name: string;
	readonly #child;
	readonly #ended: Promise<unknown>;
	#text = '';

	constructor(name: string, mountpoint: string) {
		this.name = name;
		const script = path.join(repositoryPath, 'native-tests/support/notify-socket.py');
		this.#child = spawn('python3', [script, name, mountpoint], {stdio: ['ignore', 'pipe', 'inherit']});
		this.#ended = new Promise(resolve => this.#child.once('close', resolve));
		this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#text += text));
	}

	async bound(): Promise<void> {
		await this.until('the socket is bound', () => this.#text.startsWith('bound\n'));
	}

	get datagrams(): readonly Datagram[] {
		return this.#text
			.split('\n')
			.slice(1, -1)
			.map(line => JSON.parse(line) as Datagram);
	}

	count(line: string): number {
		return this.datagrams.filter(({lines}) => lines.includes(line)).length;
	}

	async until(what: string, check: () => boolean): Promise<void> {
		await waitFor(() => Promise.resolve(check()), {deadlineMs: 15_000, what});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#child.kill();
		await this.#ended;
	}
}

const NEEDS = ['root', 'fuse'] as const;

nativeTest(NEEDS, 'ready once the overlay is mounted, then signs of life, then stopping', async t => {
	await using daemon = new LocalDaemon();
	await using manager = new NotifySocket(path.join(daemon.directory, 'notify'), daemon.mountpoint);
	await manager.bound();
	const {child, ended} = daemon.spawn({}, {env: {NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: '400000'}});
	await manager.until('three signs of life', () => manager.count('WATCHDOG=1') >= 3);
	const [first] = manager.datagrams;
	t.true(first?.lines.includes('READY=1'));
	t.is(first?.mounted, true);
	t.true(first?.lines.includes(`STATUS=mounted at ${daemon.mountpoint}`));
	t.is(manager.count('READY=1'), 1);
	t.true(
		manager.datagrams.every(({pid}) => pid === child.pid),
		'NotifyAccess=main takes nobody else',
	);
	// A daemon whose main thread is stuck gives no sign of life: that is what the watchdog is for.
	child.kill('SIGSTOP');
	const before = manager.count('WATCHDOG=1');
	await new Promise(resolve => setTimeout(resolve, 1000));
	t.true(manager.count('WATCHDOG=1') <= before + 1);
	child.kill('SIGCONT');
	child.kill('SIGTERM');
	t.is((await ended).exitCode, 0);
	t.is(manager.count('STOPPING=1'), 1);
});

nativeTest(
	NEEDS,
	'an abstract socket; a watchdog that is meant for another process; a manager that is gone',
	async t => {
		await using daemon = new LocalDaemon();
		{
			await using manager = new NotifySocket(`@hekafs-test-${process.pid}`, daemon.mountpoint);
			await manager.bound();
			const env = {NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: '100000', WATCHDOG_PID: String(process.pid)};
			const {child, ended} = daemon.spawn({}, {env});
			await manager.until('it is ready', () => manager.count('READY=1') === 1);
			child.kill('SIGTERM');
			await ended;
			t.is(manager.count('WATCHDOG=1'), 0);
		}
		const alone = daemon.spawn({}, {env: {NOTIFY_SOCKET: path.join(daemon.directory, 'nobody')}});
		await waitFor(async () => Promise.resolve(alone.output().includes('hekafsd: mounted')), {
			deadlineMs: 15_000,
			what: 'it is mounted all the same',
		});
		t.regex(alone.output(), /the service manager can't be told \(.*nobody: errno 2\)/);
	},
);

/** Path in packaging/, and the name under which the package installs it. */
const UNITS = {
	'debian/hekafs.hekafsd.service': 'hekafsd.service',
	'debian/hekafs.etc-hekafs.mount': 'etc-hekafs.mount',
	'etc-hekafs.automount': 'etc-hekafs.automount',
} as const;
const unit = (file: keyof typeof UNITS): string =>
	readFileSync(path.join(repositoryPath, 'packaging', file), 'utf8');

nativeTest(['systemd-analyze'], 'the units are right for systemd', async t => {
	const directory = mkdtempSync(path.join(tmpdir(), 'hekafs-units-'));
	t.teardown(() => rmSync(directory, {recursive: true}));
	// It looks whether the program is there, and reads no documents.
	for (const [file, name] of Object.entries(UNITS))
		writeFileSync(
			path.join(directory, name),
			unit(file as keyof typeof UNITS).replaceAll('=/usr/sbin/hekafsd', '=/bin/true'),
		);
	const verified = await runCommand(
		[],
		['systemd-analyze', 'verify', ...Object.values(UNITS).map(name => path.join(directory, name))],
		{
			timeoutMs: 60_000,
		},
	);
	t.is(verified.exitCode, 0, verified.stderr);
	t.is(verified.stderr, '');
});

nativeTest(
	NEEDS,
	'with the capabilities of the unit, no new privileges and its kinds of sockets, all works',
	async t => {
		const capabilities = [...unit('debian/hekafs.hekafsd.service').matchAll(/^CapabilityBoundingSet=(.*)$/gm)]
			.flatMap(([, list]) => list!.split(' '))
			.map(name => `+${name.slice('CAP_'.length).toLowerCase()}`);
		t.true(capabilities.includes('+sys_admin'));
		await using daemon = new LocalDaemon();
		const prefix = ['setpriv', '--no-new-privs', `--bounding-set=-all,${capabilities.join(',')}`];
		const {child, ended, output} = daemon.spawn({}, {prefix});
		await waitFor(
			async () => Promise.resolve(output().includes('hekafsd: mounted') || child.exitCode !== null),
			{
				deadlineMs: 15_000,
				what: 'it is mounted',
			},
		);
		const work = await daemon.shell(
			`cd "$1" && echo x >f && chown 1234:1234 f && chmod 4755 f && test -u f && mknod p p && mknod c c 1 3 && touch -d @5 f &&
		setfattr -n user.a -v b f && setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'echo y >>f' && flock f true && cat f`,
		);
		t.is(work.stdout, 'x\ny\n', work.stderr + output());
		child.kill('SIGTERM');
		t.is((await ended).exitCode, 0, output());
	},
);
