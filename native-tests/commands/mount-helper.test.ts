/** `mount -t hekafs`: the helper of mount(8), with the daemon of this clone in the place of the installed one. */
import {chmodSync, writeFileSync} from 'node:fs';
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
