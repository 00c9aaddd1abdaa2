/** The example scripts, one after the other: what they write, what they refuse, and with which words. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {EXAMPLES, ScriptTree} from '../../support/script-tree.ts';

const SCRIPTS = readdirSync(EXAMPLES).filter(name => name.startsWith('hfs'));
const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(([program]) =>
	['/bin', '/usr/bin'].some(directory => existsSync(join(directory, program!))),
);
const xyzzy = ['XYZZY', 'xyzzypass', '10000', '10499', '10500', '10999'];

test('every script is executable, parses, and shows its usage with exit code 2', async t => {
	const tree = new ScriptTree(t);
	t.is(SCRIPTS.length, 9);
	for (const name of SCRIPTS) {
		execFileSync('sh', ['-n', join(EXAMPLES, name)]);
		if (name === 'hfs-lib.sh') continue;
		t.not(statSync(join(EXAMPLES, name)).mode & 0o111, 0, name);
		const {code, err, out} = await tree.run(name, name.startsWith('hfs_list') ? ['extra'] : []);
		t.is(code, 2, name);
		t.regex(err, new RegExp(`^Usage: ${name}`));
		t.is(out, '');
	}
});

for (const shell of SHELLS)
	test(`the life of a tenant and a volume, read by ${shell.join(' ')}`, async t => {
		const tree = new ScriptTree(t);
		const run = async (script: string, ...args: string[]): Promise<string> => {
			const {code, out, err} = await tree.run(script, args, {shell});
			t.is(code, 0, `${script}: ${err}`);
			t.is(err, '');
			return out;
		};
		t.is(await run('hfs_list_tenants'), '');
		await run('hfs_add_tenant', ...xyzzy);
		await run('hfs_add_tenant', 'PLUGH', 'plughpass', '11000', '11499', '11500', '11999');
		const bricks = ['192.168.122.21:/bricks/a', '192.168.122.22:/bricks/a'];
		await run('hfs_add_volume', '-r', '2', 'vol_a', ...bricks);
		await run('hfs_enable_tenant', 'XYZZY', 'vol_a');
		t.is(
			await run('hfs_list_tenants'),
			'PLUGH\t11000\t11499\t11500\t11999\nXYZZY\t10000\t10499\t10500\t10999\tvol_a\n',
		);
		t.is(await run('hfs_list_volumes'), `vol_a\tstopped\t2\t${bricks.join('\t')}\n`);
		t.is((await tree.run('hfs_delete_volume', ['vol_a'], {shell})).code, 1);
		await run('hfs_disable_tenant', 'XYZZY', 'vol_a');
		await run('hfs_delete_volume', 'vol_a');
		await run('hfs_delete_tenant', 'XYZZY');
		t.is(await run('hfs_list_tenants'), 'PLUGH\t11000\t11499\t11500\t11999\n');
		t.deepEqual(tree.names('volumes'), []);
		t.deepEqual(tree.names('.hfs-locks'), ['held']);
		t.deepEqual(tree.names('.hfs-locks', 'held'), []);
	});

test('what is written has the documented form and modes', async t => {
	const tree = new ScriptTree(t);
	await tree.run('hfs_add_tenant', xyzzy);
	const mode = (...path: string[]): number => statSync(tree.path(...path)).mode & 0o7777;
	t.deepEqual(tree.names('tenants', 'XYZZY'), ['credential', 'gid_range', 'uid_range', 'volumes']);
	t.is(readFileSync(tree.path('tenants', 'XYZZY', 'credential'), 'utf8'), 'xyzzypass\n');
	t.is(readFileSync(tree.path('tenants', 'XYZZY', 'uid_range'), 'utf8'), '10000 10499\n');
	t.is(mode('tenants', 'XYZZY', 'credential'), 0o600);
	t.is(mode('tenants', 'XYZZY', 'uid_range'), 0o644);
	t.is(mode('tenants', 'XYZZY'), 0o755);
	t.is(mode('.hfs-locks'), 0o700);
	await tree.run('hfs_add_volume', ['v', 'h:/b1', 'h:/b2']);
	t.is(readFileSync(tree.path('volumes', 'v', 'replicas'), 'utf8'), '1\n');
	t.is(readFileSync(tree.path('volumes', 'v', 'bricks', '0002'), 'utf8'), 'h:/b2\n');
});

test('a password can come from standard input and stays as it is', async t => {
	const tree = new ScriptTree(t);
	const password = ' -n $HOME \\n "\'*\u00e9 ';
	const {code, err} = await tree.run('hfs_add_tenant', ['A', '-', '1', '2', '3', '4'], {input: password});
	t.is(code, 0, err);
	t.is(readFileSync(tree.path('tenants', 'A', 'credential'), 'utf8'), `${password}\n`);
	t.is((await tree.run('hfs_add_tenant', ['B', '-', '5', '6', '7', '8'])).code, 2);
});

const oddNames = [
	'a b',
	'*',
	'?',
	'$(touch x)',
	'`id`',
	'a"b',
	"a'b",
	'a\\b',
	'ü',
	'a;b',
	'~',
	'%s',
	'#',
	'x'.repeat(200),
];
for (const name of oddNames)
	test(`a name with odd characters: ${name.slice(0, 20)}`, async t => {
		const tree = new ScriptTree(t);
		// Another tenant that a pattern in the name could match.
		await tree.run('hfs_add_tenant', ['other', 'p', '1', '2', '1', '2']);
		for (const [script, args] of [
			['hfs_add_tenant', [name, 'p', '10', '19', '10', '19']],
			['hfs_add_volume', [name, `h:/${name}`]],
			['hfs_enable_tenant', [name, name]],
		] as const) {
			const {code, err} = await tree.run(script, args);
			t.is(code, 0, err);
		}
		t.deepEqual(tree.names('tenants'), [name, 'other'].sort());
		t.deepEqual(tree.names('tenants', name, 'volumes'), [name]);
		t.deepEqual(tree.names('tenants', 'other', 'volumes'), []);
		const line = Buffer.from((await tree.run('hfs_list_tenants', [])).out, 'latin1').toString();
		t.true(line.includes(`${name}\t10\t19\t10\t19\t${name}\n`), line);
		for (const [script, args] of [
			['hfs_disable_tenant', [name]],
			['hfs_delete_volume', [name]],
			['hfs_delete_tenant', [name]],
		] as const)
			t.is((await tree.run(script, args)).code, 0, script);
		t.deepEqual(tree.names('tenants'), ['other']);
		t.deepEqual(tree.names(), ['.hfs-locks', 'tenants', 'volumes']);
	});

const wrongNames = [
	'',
	'.',
	'..',
	'.hidden',
	'-dash',
	'a/b',
	'/',
	'a\nb',
	'a\tb',
	'a\u007f',
	'x'.repeat(201),
];
test('names that can not be file names or that hide are refused with exit code 2', async t => {
	const tree = new ScriptTree(t);
	for (const name of wrongNames) {
		for (const [script, args] of [
			['hfs_add_tenant', [name, 'p', '10', '19', '10', '19']],
			['hfs_delete_tenant', [name]],
			['hfs_add_volume', ['--', name, 'h:/b']],
			['hfs_delete_volume', [name]],
			['hfs_enable_tenant', ['t', name]],
			['hfs_disable_tenant', [name]],
		] as const) {
			const {code, err} = await tree.run(script, args);
			t.is(code, 2, `${script} ${JSON.stringify(name)}: ${err}`);
			t.regex(err, /name (is|begins|contains)/);
		}
	}
	t.deepEqual(tree.names('tenants'), []);
});

test('wrong ranges are refused with exit code 2', async t => {
	const tree = new ScriptTree(t);
	for (const range of [
		['0', '10'],
		['10', '9'],
		['-1', '5'],
		['010', '020'],
		['1', '4294967295'],
		['1', '99999999999999999999'],
		['a', 'b'],
		['', ''],
		['1 ', '2'],
		['1', '2;id'],
	]) {
		t.is((await tree.run('hfs_add_tenant', ['A', 'p', ...range, '1', '2'])).code, 2, range.join());
		t.is((await tree.run('hfs_add_tenant', ['A', 'p', '1', '2', ...range])).code, 2, range.join());
	}
	t.deepEqual(tree.names('tenants'), []);
});

test('ranges never overlap: not at an end, not inside, not around', async t => {
	const tree = new ScriptTree(t);
	await tree.run('hfs_add_tenant', ['A', 'p', '100', '199', '100', '199']);
	for (const [low, high] of [
		['100', '199'],
		['50', '100'],
		['199', '250'],
		['120', '130'],
		['50', '250'],
	] as const) {
		const uid = await tree.run('hfs_add_tenant', ['B', 'p', low, high, '1', '2']);
		t.is(uid.code, 1);
		t.regex(uid.err, /uid_range .* overlaps with 100 to 199 of tenant 'A'/);
		t.is((await tree.run('hfs_add_tenant', ['B', 'p', '1', '2', low, high])).code, 1);
	}
	t.is((await tree.run('hfs_add_tenant', ['B', 'p', '200', '250', '50', '99'])).code, 0);
	t.is((await tree.run('hfs_add_tenant', ['C', 'p', '1', '4294967294', '1', '2'])).code, 1);
});

test('a range that can not be read refuses every new one, and says which file', async t => {
	const tree = new ScriptTree(t);
	mkdirSync(tree.path('tenants', 'A'));
	for (const content of ['', 'x y\n', '1\n', '1 2 3\n']) {
		writeFileSync(tree.path('tenants', 'A', 'uid_range'), content);
		const {code, err} = await tree.run('hfs_add_tenant', ['B', 'p', '1', '2', '1', '2']);
		t.is(code, 1);
		t.regex(err, /A\/uid_range holds no range/);
	}
	t.is((await tree.run('hfs_list_tenants', [])).out, '');
});

test('what exists, what does not, what is in use: refused with exit code 1 and a way out', async t => {
	const tree = new ScriptTree(t);
	await tree.run('hfs_add_tenant', xyzzy);
	await tree.run('hfs_add_volume', ['v', 'h:/b']);
	await tree.run('hfs_enable_tenant', ['XYZZY', 'v']);
	for (const [script, args, words] of [
		['hfs_add_tenant', ['XYZZY', 'p', '1', '2', '1', '2'], /exists already/],
		['hfs_delete_tenant', ['nobody'], /there is no tenant 'nobody'/],
		['hfs_add_volume', ['v', 'h:/c'], /exists already/],
		['hfs_add_volume', ['w', 'h:/b'], /brick h:\/b belongs to a volume already/],
		['hfs_add_volume', ['w', 'h:/x', 'h:/x'], /brick h:\/x belongs to a volume already/],
		['hfs_delete_volume', ['v'], /used by tenant 'XYZZY'/],
		['hfs_delete_volume', ['w'], /there is no volume 'w'/],
		['hfs_enable_tenant', ['XYZZY', 'w'], /there is no volume 'w'; nothing was changed/],
		['hfs_enable_tenant', ['nobody', 'v'], /there is no tenant/],
		['hfs_disable_tenant', ['XYZZY', 'w'], /has no volume 'w'/],
	] as const) {
		const {code, err} = await tree.run(script, args);
		t.is(code, 1, script);
		t.regex(err, words);
		t.regex(err, /\n {2}\S/, 'and says what to do');
	}
	t.is((await tree.run('hfs_add_volume', ['-r', '2', 'w', 'h:/1'])).code, 2);
	t.is((await tree.run('hfs_add_volume', ['-r', '0', 'w', 'h:/1'])).code, 2);
	t.is((await tree.run('hfs_add_volume', ['w', 'nocolon'])).code, 2);
	t.deepEqual(tree.names('volumes'), ['v']);
	t.deepEqual(tree.names('.hfs-locks', 'held'), []);
});

test('a closed gate is explained by the reason file', async t => {
	const tree = new ScriptTree(t);
	mkdirSync(tree.path('.hekafs'));
	writeFileSync(
		tree.path('.hekafs', 'reason'),
		'no-quorum\tOne of three servers is up.\tStart the others.\n',
	);
	// What refuses here is a file in the place of the directory; root ignores modes.
	writeFileSync(tree.path('.hfs-locks'), '');
	const {code, err} = await tree.run('hfs_add_tenant', xyzzy);
	t.is(code, 1);
	t.regex(
		err,
		/writes are refused now\n {2}no-quorum: One of three servers is up\.\n {4}Start the others\.\n$/,
	);
	writeFileSync(tree.path('.hekafs', 'writable'), '');
	t.regex((await tree.run('hfs_add_tenant', xyzzy)).err, /Check the permissions and the space/);
});

test('a tree that is not initialised or not mounted is told apart', async t => {
	const tree = new ScriptTree(t);
	rmSync(tree.path('tenants'), {recursive: true});
	t.regex(
		(await tree.run('hfs_add_tenant', xyzzy)).err,
		/there is no .*tenants\n {2}Fill in .*hfs_config init/,
	);
	t.is((await tree.run('hfs_list_tenants', [])).code, 1);
	if (existsSync('/etc/hekafs')) return;
	const {err} = await tree.run('hfs_list_tenants', [], {env: {HEKAFS_ROOT: ''}});
	t.regex(err, /nothing is mounted at \/etc\/hekafs/);
});
