/** Earlier versions of files through a real daemon: listed, compared, put back with owner and mode; secret as the file. */
import {LocalDaemon} from '../support/local-daemon.ts';
import {nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = ['root', 'fuse'] as const;

interface Version {
	readonly version: string;
	readonly size: number;
}

const versionsOf = async (daemon: LocalDaemon, name: string): Promise<Version[]> =>
	(await daemon.hfs('history', '--json', name)).stdout
		.split('\n')
		.filter(Boolean)
		.map(line => JSON.parse(line) as Version);

/** Changes come one after the other: each is kept before the next one. */
const write = async (daemon: LocalDaemon, content: string, count: number): Promise<void> => {
	await daemon.shell(`printf '${content}\\n' > "$1"/a`);
	await waitFor(async () => (await versionsOf(daemon, 'a')).length === count, {
		deadlineMs: 10_000,
		what: `${count} versions`,
	});
};

nativeTest(
	NEEDS,
	'a file that was overwritten and removed comes back with its owner, mode and content',
	async t => {
		await using daemon = new LocalDaemon();
		await daemon.start();
		await daemon.shell('touch "$1"/a; chown 1234:5 "$1"/a; chmod 640 "$1"/a');
		await waitFor(async () => (await versionsOf(daemon, 'a')).length > 0, {
			deadlineMs: 10_000,
			what: 'a version',
		});
		const begin = (await versionsOf(daemon, 'a')).length;
		await write(daemon, 'one', begin + 1);
		await write(daemon, 'two', begin + 2);
		const versions = await versionsOf(daemon, 'a');
		const first = versions.at(-2)!.version.slice(0, 8);
		t.is((await daemon.hfs('show', `a@${first}`)).stdout, 'one\n');
		const diff = await daemon.hfs('diff', `${daemon.mountpoint}/a@${first}`);
		t.true(diff.stdout.endsWith('-one\n+two\n'), diff.stdout + diff.stderr);
		await daemon.shell('rm "$1"/a');
		const restored = await daemon.hfs('restore', `a@${first}`);
		t.is(restored.exitCode, 0, restored.stderr);
		t.is(
			(await daemon.shell('cat "$1"/a; stat -c %u:%g:%a "$1"/a; ls -A "$1"')).stdout,
			'one\n1234:5:640\na\n',
		);
		t.is((await daemon.hfs('restore', 'a@0000')).exitCode, 6);
		t.is((await daemon.hfs('history', 'never')).exitCode, 6);
		const open = await daemon.exec(['find', `${daemon.backing}/.hekafs`, '-perm', '/077']);
		t.is(open.stdout, '');
	},
);

nativeTest(NEEDS, 'a symbolic link on the way leads no content into the history', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	await daemon.exec(['sh', '-c', `mkdir ${daemon.directory}/out && echo secret > ${daemon.directory}/out/f`]);
	await daemon.shell(
		`mkdir "$1"/d && echo mine > "$1"/d/f && mv "$1"/d "$1"/e && ln -s ${daemon.directory}/out "$1"/d && echo last > "$1"/g`,
	);
	await waitFor(async () => (await versionsOf(daemon, 'g')).length === 1, {
		deadlineMs: 10_000,
		what: 'g is kept',
	});
	const found = await daemon.exec(['grep', '-rl', 'secret', `${daemon.backing}/.hekafs`]);
	t.is(found.stdout, '');
});
