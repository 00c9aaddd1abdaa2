/** Bad input to hekafsd: each error says what failed, on what, and what to do, with its documented exit code. */
import {createServer} from 'node:net';
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {LocalDaemon} from '../support/local-daemon.ts';
import {nativeTest} from '../support/requirements.ts';

const NEEDS = ['root', 'fuse'] as const;

nativeTest(NEEDS, 'not root', async t => {
	await using daemon = new LocalDaemon();
	chmodSync(daemon.directory, 0o777);
	const running = daemon.spawn({}, {prefix: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']});
	t.is((await running.ended).exitCode, 7);
	t.regex(running.output(), /must run as root[^]*sudo/);
});

nativeTest(NEEDS, 'no /dev/fuse', async t => {
	await using daemon = new LocalDaemon();
	// An empty directory mounted over /dev in a mount namespace of its own.
	const running = daemon.spawn(
		{},
		{
			prefix: [
				'unshare',
				'-m',
				'sh',
				'-c',
				'mount -t tmpfs none /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9 && exec "$@"',
				'sh',
			],
		},
	);
	t.is((await running.ended).exitCode, 7, running.output());
	t.regex(running.output(), /\/dev\/fuse[^]*modprobe fuse/);
});

nativeTest(NEEDS, 'port in use: named, and nothing stays mounted', async t => {
	await using daemon = new LocalDaemon();
	const server = createServer();
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as {port: number};
	const running = daemon.spawn({'--listen': `127.0.0.1:${port}`});
	t.is((await running.ended).exitCode, 7, running.output());
	t.regex(running.output(), new RegExp(`127.0.0.1:${port}[^]*--listen`));
	t.is(daemon.mountedType(), undefined);
	server.close();
});

nativeTest(NEEDS, 'an unreadable state file, and one with garbage', async t => {
	await using daemon = new LocalDaemon();
	mkdirSync(daemon.state);
	const file = path.join(daemon.state, 'state.json');
	for (const content of ['', '{"format":1', '{"format":99}', '\0\0\0\0']) {
		writeFileSync(file, content);
		const running = daemon.spawn();
		t.is((await running.ended).exitCode, 10, running.output());
		t.true(running.output().includes(file), running.output());
		t.is(daemon.mountedType(), undefined);
	}
});

nativeTest(NEEDS, 'a state file of a newer version is refused with words and left as it is', async t => {
	await using daemon = new LocalDaemon();
	mkdirSync(daemon.state);
	const file = path.join(daemon.state, 'state.json');
	const text = '{"format": 99, "what": "nobody knows yet"}';
	writeFileSync(file, text);
	const running = daemon.spawn();
	t.is((await running.ended).exitCode, 10);
	t.regex(running.output(), /state\.json: .*written by another version of HekaFS/);
	t.regex(
		running.output(),
		/Nothing was changed\. Install the version of HekaFS that wrote it, or a newer one/,
	);
	t.is(readFileSync(file, 'utf8'), text);
	t.is(daemon.mountedType(), undefined);
});

nativeTest(NEEDS, 'the state path is a file', async t => {
	await using daemon = new LocalDaemon();
	writeFileSync(daemon.state, '');
	const running = daemon.spawn();
	t.is((await running.ended).exitCode, 10, running.output());
	t.regex(running.output(), /--state/);
});

nativeTest(NEEDS, 'a full disk under the state directory', async t => {
	await using daemon = new LocalDaemon();
	const full = path.join(daemon.directory, 'full');
	mkdirSync(full);
	await daemon.exec(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'none', full]);
	try {
		await daemon.shell(`head -c 1000000 /dev/zero > ${full}/fill; mkdir -p ${full}/state`);
		const running = daemon.spawn({'--state': path.join(full, 'state')});
		t.is((await running.ended).exitCode, 7, running.output());
		t.regex(running.output(), /no space/);
	} finally {
		await daemon.exec(['umount', full]);
	}
});

nativeTest(
	NEEDS,
	'a full disk below the overlay: ENOSPC reaches the writer, nothing else breaks',
	async t => {
		await using daemon = new LocalDaemon();
		await daemon.exec(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', daemon.backing]);
		try {
			await daemon.start();
			const written = await daemon.shell('head -c 200000 /dev/zero > "$1"/big');
			t.not(written.exitCode, 0);
			t.regex(written.stderr, /No space left on device/);
			t.is((await daemon.shell('rm "$1"/big && echo fine > "$1"/small && cat "$1"/small')).stdout, 'fine\n');
			t.is((await daemon.hfs('status')).exitCode, 0);
		} finally {
			await daemon.stop();
			await daemon.exec(['umount', '-l', daemon.backing]);
		}
	},
);

nativeTest(NEEDS, 'flags: unknown ones and bad values are refused with what is right', async t => {
	await using daemon = new LocalDaemon();
	for (const [flag, value, says] of [
		['--listen', 'nowhere', /--listen/],
		['--brick-port', '99999', /--brick-port/],
		['--write-wait', 'soon', /--write-wait/],
		['--mount-point', '/x', /--mountpoint/],
	] as const) {
		const running = daemon.spawn({[flag]: value});
		t.is((await running.ended).exitCode, 2, running.output());
		t.regex(running.output(), says);
	}
});

nativeTest(NEEDS, 'hfs_config without a daemon says so', async t => {
	await using daemon = new LocalDaemon();
	const status = await daemon.hfs('status');
	t.is(status.exitCode, 5);
	t.regex(status.stderr, /hekafsd/);
});

nativeTest(NEEDS, 'the backend is not there', async t => {
	await using daemon = new LocalDaemon();
	const running = daemon.spawn({'--backend': `local:${daemon.directory}/absent`});
	t.is((await running.ended).exitCode, 7, running.output());
	t.regex(running.output(), /absent is not a directory/);
	t.is(daemon.mountedType(), undefined);
});
