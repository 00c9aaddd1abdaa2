/** Flags, environment and configuration file: one precedence, and wrong names and values are answered with the right ones. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {HekafsError} from '../../../src/errors.ts';
import {parseConfigFile} from '../../../src/main/config-file.ts';
import {readSettings, settingsText} from '../../../src/main/config.ts';
import {configuredRun} from '../../../src/main/configured-run.ts';

/** A configuration file with this text, removed after the test. */
const fileWith = async (t: ExecutionContext, text: string | Uint8Array): Promise<string> => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-config-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	const file = join(directory, 'hekafs.conf');
	await writeFile(file, text);
	return file;
};

test('a flag counts before the environment, that before the file, that before the default', async t => {
	const file = await fileWith(t, 'workers = 5\nwrite-wait = 2\n\n# deadline = 99\ndeadline =30\n');
	const {config, settings} = readSettings(['--workers', '7'], {
		HEKAFS_CONFIG: file,
		HEKAFS_WORKERS: '6',
		HEKAFS_WRITE_WAIT: '3',
		HEKAFS_STATE: '',
	});
	t.like(config, {workers: 7, writeWaitMs: 3000, deadlineMs: 30_000, state: '/var/lib/hekafs'});
	const origins = Object.fromEntries(settings.map(({key, text, origin}) => [key, [text, origin]]));
	t.like(origins, {
		workers: ['7', '--workers'],
		'write-wait': ['3', 'HEKAFS_WRITE_WAIT'],
		deadline: ['30', `${file}:5`],
		state: ['/var/lib/hekafs', 'default'],
		listen: ['0.0.0.0:8080', 'default'],
		backend: ['gluster', 'default'],
	});
	t.regex(settingsText(settings), /^workers +7 +--workers$/m);
});

test('--config counts before HEKAFS_CONFIG, and a file that is named must exist', async t => {
	const file = await fileWith(t, 'workers = 5');
	t.is(readSettings(['--config', file], {HEKAFS_CONFIG: '/nowhere'}).config.workers, 5);
	t.throws(() => readSettings([], {HEKAFS_CONFIG: '/nowhere/x'}), {
		code: 'HEKAFS_USAGE',
		message: /configuration file \/nowhere\/x can't be read/,
	});
});

test('every setting with a value can stand in the file, and none is without an origin', async t => {
	const {settings} = readSettings([], {HEKAFS_CONFIG: '/dev/null'});
	const values: Record<string, string> = {
		backend: 'local:/b',
		listen: '[::1]:81',
		address: 'n1',
		'write-wait': '1',
		'copy-limit': '7',
		'page-changes': 'none',
	};
	const value = (key: string): string =>
		values[key] ?? (/port/.test(key) ? '82' : /timeout|deadline|workers/.test(key) ? '4' : `/x/${key}`);
	const file = await fileWith(t, settings.map(({key}) => `${key} = ${value(key)}\n`).join(''));
	// A setting of a form that is not known here needs a line in `values`.
	const read = readSettings([], {HEKAFS_CONFIG: file}).settings;
	t.deepEqual(
		read.map(({key, origin}) => [key, origin]),
		settings.map(({key}, index) => [key, `${file}:${index + 1}`]),
	);
});

const wrong: ReadonlyArray<readonly [text: string, environment: NodeJS.ProcessEnv, message: RegExp]> = [
	['write-wiat = 5', {}, /:1: unknown key 'write-wiat'; did you mean write-wait\?/],
	['\nmountpiont = /x', {}, /:2: unknown key 'mountpiont'; did you mean mountpoint\?/],
	['foreground = yes', {}, /:1: unknown key 'foreground'/],
	['config = /x', {}, /:1: unknown key 'config'/],
	['workers = 1000', {}, /:1: workers '1000' is invalid: A whole number from 2 to 128/],
	['state = var/lib', {}, /:1: state 'var\/lib' is invalid: An absolute path is expected/],
	['workers 5', {}, /:1: not a line of the form KEY = VALUE/],
	['state = "/x"', {}, /:1: the value of state stands in quotes/],
	['workers = 5\nworkers = 6', {}, /:2: workers stands here again, after line 1/],
	['write-wait = 20', {}, /--write-wait 20 is not shorter than --deadline 10/],
	['run = /etc/hekafs/run', {}, /--run '\/etc\/hekafs\/run' lies inside --mountpoint/],
	['', {HEKAFS_WRITE_WIAT: '5'}, /unknown variable HEKAFS_WRITE_WIAT .*did you mean HEKAFS_WRITE_WAIT\?/],
	['', {HEKAFS_LISTEN: '8080'}, /^HEKAFS_LISTEN: listen '8080' is invalid: ADDR:PORT is expected/],
];
for (const [text, environment, message] of wrong)
	test(`refused: ${JSON.stringify(text)} ${Object.keys(environment).join(' ')}`, async t => {
		const file = await fileWith(t, text);
		t.throws(() => readSettings([], {...environment, HEKAFS_CONFIG: file}), {
			instanceOf: HekafsError,
			code: 'HEKAFS_USAGE',
			message,
		});
	});

test('all problems are told at once, and one that a flag overrides is told all the same', async t => {
	const file = await fileWith(t, 'workers = 0\nlissten = :1\n\u001B[31m\n');
	const error = t.throws(() => readSettings(['--workers', '4'], {HEKAFS_CONFIG: file}), {
		instanceOf: HekafsError,
	});
	const lines = error.message.split('\n');
	t.is(lines.length, 3);
	t.regex(error.remedy ?? '', /hekafsd --check-config/);
});

test('variables of others are nobody of ours', t => {
	t.notThrows(() =>
		readSettings([], {HEKAFS_CONFIG: '/dev/null', HEKAFS_TEST_RUN: 'x', HEKAFS_PATH_OF_HOOK: 'y'}),
	);
});

test('a file that is no text or too long is refused', async t => {
	for (const bytes of [Buffer.from([0xff, 0xfe]), Buffer.alloc(70_000, '#')]) {
		const file = await fileWith(t, bytes);
		t.throws(() => readSettings([], {HEKAFS_CONFIG: file}), {
			message: /not UTF-8 text|longer than 65536 bytes/,
		});
	}
});

test('white space, comments and a # in a value', t => {
	t.deepEqual(parseConfigFile('  log=/a b#c \t\r\n#x\n   # y = z\n').entries, [
		{key: 'log', value: '/a b#c', line: 1},
	]);
});

test('hfs_config finds the run directory where hekafsd does', async t => {
	const file = await fileWith(t, 'lissten = 1\nrun = /run/other\n');
	t.is(configuredRun({HEKAFS_CONFIG: file}), '/run/other');
	t.is(configuredRun({HEKAFS_CONFIG: file, HEKAFS_RUN: '/run/third'}), '/run/third');
	t.is(configuredRun({HEKAFS_CONFIG: '/dev/null'}), '/run/hekafs');
	t.throws(() => configuredRun({HEKAFS_CONFIG: '/nowhere/x'}), {code: 'HEKAFS_USAGE'});
	t.throws(() => configuredRun({HEKAFS_CONFIG: '/dev/null', HEKAFS_RUN: `/${'r'.repeat(4000)}`}), {
		message: /run '.*' is invalid/,
	});
});
