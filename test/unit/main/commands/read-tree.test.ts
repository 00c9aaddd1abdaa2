/** Reading a directory for `init --from`. */
import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {parseInitRequest} from '../../../../src/http/control.ts';
import {encodeInitEntry} from '../../../../src/http/init-entry.ts';
import {readTree} from '../../../../src/main/commands/read-tree.ts';

const directory = (t: ExecutionContext): string => {
	const path = mkdtempSync(join(tmpdir(), 'hekafs-tree-'));
	t.teardown(() => rmSync(path, {recursive: true, force: true}));
	return path;
};

test('files, directories and symlinks come with modes, owners and bytes, directories first', async t => {
	const base = directory(t);
	mkdirSync(join(base, 'tenants'));
	chmodSync(join(base, 'tenants'), 0o2751);
	writeFileSync(join(base, 'tenants', 'key\n1'), Buffer.from([0, 255, 10]));
	chmodSync(join(base, 'tenants', 'key\n1'), 0o600);
	symlinkSync('../nowhere', join(base, 'link'));
	const [uid, gid] = [process.getuid!(), process.getgid!()];
	const tree = await readTree(base);
	t.deepEqual(tree, [
		{kind: 'symlink', path: 'link', uid, gid, target: '../nowhere'},
		{kind: 'dir', path: 'tenants', mode: 0o2751, uid, gid},
		{kind: 'file', path: 'tenants/key\n1', mode: 0o600, uid, gid, content: Buffer.from([0, 255, 10])},
	]);
	const sent = JSON.parse(JSON.stringify({tree: tree.map(encodeInitEntry)})) as unknown;
	t.deepEqual(parseInitRequest(sent), {tree});
});

test('what can not be sent is refused by name', async t => {
	const fifo = directory(t);
	execFileSync('mkfifo', [join(fifo, 'pipe')]);
	await t.throwsAsync(readTree(fifo), {code: 'HEKAFS_REFUSED', message: /pipe is neither/});

	const reserved = directory(t);
	mkdirSync(join(reserved, '.hekafs'));
	await t.throwsAsync(readTree(reserved), {code: 'HEKAFS_REFUSED', message: /\.hekafs/});

	const odd = directory(t);
	writeFileSync(Buffer.concat([Buffer.from(`${odd}/`), Buffer.from([0x61, 0xff])]), '');
	await t.throwsAsync(readTree(odd), {code: 'HEKAFS_REFUSED', message: /not UTF-8: a\?$/});

	const huge = directory(t);
	writeFileSync(join(huge, 'disk'), '');
	truncateSync(join(huge, 'disk'), 2 ** 40);
	await t.throwsAsync(readTree(huge), {code: 'HEKAFS_REFUSED', message: /more than 16777216 bytes/});

	const deep = directory(t);
	mkdirSync(join(deep, ...Array.from({length: 33}, () => 'd')), {recursive: true});
	await t.throwsAsync(readTree(deep), {code: 'HEKAFS_REFUSED'});
});

test('an empty or missing directory is refused with what to do', async t => {
	await t.throwsAsync(readTree(directory(t)), {code: 'HEKAFS_REFUSED', message: /is empty/});
	await t.throwsAsync(readTree('/nonexistent/hekafs'), {
		code: 'HEKAFS_USAGE',
		message: /can't read the tree/,
	});
});
