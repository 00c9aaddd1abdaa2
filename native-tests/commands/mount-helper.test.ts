/** `mount -t hekafs`: the helper of mount(8), with the daemon of this clone in the place of the installed one. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {LocalDaemon} from '../support/local-daemon.ts';
import {hekafsdPath, hfsConfigPath, repositoryPath} from '../support/programs.ts';
import {nativeTest} from '../support/requirements.ts';
import {type CommandResult} from '../support/run-command.ts';

const helper = path.join(repositoryPath, 'packaging/mount.hekafs');

/** Runs the helper for a daemon whose paths are the test's own, as mount(8) would. */
const mount = async (daemon: LocalDaemon, ...args: readonly string[]): Promise<CommandResult> => {
	const program = path.join(daemon.directory, 'hekafsd');
	writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${hekafsdPath}" "$@"\n`);
	chmodSync(program, 0o755);
	return daemon.exec([helper, 'hekafs', daemon.mountpoint, ...args], {
		timeoutMs: 30_000,
		env: {HEKAFSD: program},
	});
};

/** The helper of umount(8), with the hfs_config of this clone. */
const umount = async (daemon: LocalDaemon): Promise<CommandResult> => {
	const program = path.join(daemon.directory, 'hfs_config');
	writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${hfsConfigPath}" "$@"\n`);
	chmodSync(program, 0o755);
	return daemon.exec([path.join(repositoryPath, 'packaging/umount.fuse.hekafs'), daemon.mountpoint, '-n'], {
		timeoutMs: 45_000,
		env: {HFS_CONFIG: program},
	});
};

/** The flags of the test's daemon as mount options. */
const options = (daemon: LocalDaemon): string => {
	const flags = daemon.flags();
	return flags
		.flatMap((flag, index) =>
			flag.startsWith('--') && flag !== '--mountpoint' ? [`${flag.slice(2)}=${flags[index + 1]!}`] : [],
		)
		.join(',');
};

nativeTest(
	['root', 'fuse'],
	'mounts with options as in fstab, is undone by umount, and mounts again',
	async t => {
		await using daemon = new LocalDaemon();
		for (let round = 0; round < 2; round++) {
			const mounted = await mount(daemon, '-n', '-o', `rw,_netdev,x-systemd.automount,${options(daemon)}`);
			t.is(mounted.exitCode, 0, mounted.stderr);
			t.is(daemon.mountedType(), 'fuse.hekafs');
			t.is((await daemon.shell('echo x >>"$1"/f && wc -l <"$1"/f')).stdout, `${round + 1}\n`);
			const again = await mount(daemon, '-o', options(daemon));
			t.is(again.exitCode, 32);
			t.regex(again.stderr, /runs already/);
			const unmounted = await umount(daemon);
			t.is(unmounted.exitCode, 0, unmounted.stderr);
			t.is(daemon.mountedType(), undefined);
			t.is((await daemon.hfs('status')).exitCode, 5, 'hekafsd has ended');
		}
	},
);

nativeTest(['root', 'fuse'], 'what it can not do it refuses with the codes of mount(8)', async t => {
	await using daemon = new LocalDaemon();
	const refused = async (list: string, message: RegExp): Promise<void> => {
		const result = await mount(daemon, '-o', list);
		t.is(result.exitCode, 1, result.stderr);
		t.regex(result.stderr, message);
	};
	await refused('ro', /can't be mounted read-only/);
	await refused('noise', /unknown option 'noise'/);
	await refused(`${options(daemon)},write-wiat=3`, /--write-wiat(.|\n)*Did you mean --write-wait\?/);
	t.is((await mount(daemon, '-f', '-o', options(daemon))).exitCode, 0);
	t.is(daemon.mountedType(), undefined, '-f mounts nothing');
});

nativeTest(['root', 'fuse'], 'the unmount helper leaves another daemon alone', async t => {
	await using one = new LocalDaemon();
	await using other = new LocalDaemon();
	await one.start();
	await other.start();
	t.is((await umount(one)).exitCode, 0);
	t.is(one.mountedType(), undefined);
	t.is((await other.hfs('status')).exitCode, 0);
	const again = await umount(one);
	t.is(again.exitCode, 32);
	t.regex(again.stderr, /no hekafsd serves/);
});

nativeTest(
	['root', 'fuse', 'autofs'],
	'an automount: the first use mounts, through the process group of who automounts',
	async t => {
		await using daemon = new LocalDaemon();
		writeFileSync(path.join(daemon.backing, 'file'), 'inside\n');
		mkdirSync(daemon.mountpoint);
		// `mount` writes the stand-in for the installed program.
		await mount(daemon, '-f');
		const script = path.join(repositoryPath, 'native-tests/support/automount.py');
		const program = path.join(daemon.directory, 'hekafsd');
		const automount = spawn(
			'python3',
			[script, daemon.mountpoint, helper, 'hekafs', daemon.mountpoint, '-o', options(daemon)],
			{
				stdio: ['ignore', 'pipe', 'inherit'],
				env: {...process.env, HEKAFSD: program},
			},
		);
		const ended = new Promise(resolve => automount.once('close', resolve));
		try {
			await once(automount.stdout, 'data');
			t.is(daemon.mountedType(), 'autofs', 'nothing is mounted before the first use');
			const used = await daemon.shell('cat "$1"/file', {timeoutMs: 30_000});
			t.is(used.stdout, 'inside\n', used.stderr);
			t.is((await umount(daemon)).exitCode, 0);
		} finally {
			automount.kill('SIGKILL');
			await ended;
			await daemon.exec(['umount', '-l', daemon.mountpoint]);
		}
		t.is(daemon.mountedType(), undefined);
	},
);
