/** hfs_config as a child process against a server with recorded answers: output, errors and exit codes. */
import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {EXIT, HekafsError} from '../../../src/errors.ts';
import {leafCommands} from '../../../src/main/manual/model.ts';
import {configModel} from '../../../src/main/manual/pages.ts';
import {
	NODE_B,
	recordingControl,
	REPORT,
	startNode,
	type Call,
	type HttpNode,
} from '../../support/http-node.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/main/hfs-config.js', import.meta.url));

interface Outcome {
	readonly code: number;
	readonly out: string;
	readonly err: string;
}

const run = async (...args: string[]): Promise<Outcome> =>
	await new Promise(resolve => {
		const child = execFile(process.execPath, [PROGRAM, ...args], {timeout: 30_000}, (_error, out, err) =>
			resolve({code: child.exitCode ?? -1, out, err}),
		);
	});

const at = (node: HttpNode): string[] => ['--run', dirname(node.socketPath)];

for (const [health, code] of [
	['healthy', EXIT.ok],
	['degraded', EXIT.degraded],
	['refusing', EXIT.refusing],
] as const)
	test(`status: ${health} ends with ${code}`, async t => {
		await using node = await startNode({report: () => ({...REPORT, health})});
		const {code: got, out, err} = await run(...at(node), 'status');
		t.is(got, code);
		t.is(err, '');
		t.regex(out, new RegExp(`^health +${health}`, 'm'));
		t.false(out.includes('\u001B'), 'no colours in a pipe');
		const json = await run('--socket', node.socketPath, 'status', '--json');
		t.is(json.code, code);
		t.like(JSON.parse(json.out), {format: 1, health});
	});

test('retire --force is confirmed: refused where nobody can be asked, and nothing is sent', async t => {
	await using node = await startNode();
	const {code, out, err} = await run(...at(node), 'retire', 'beta', '--force');
	t.is(code, EXIT.usage);
	t.is(out, '');
	t.regex(err, /Given up with it:\n- what was written through it[^]*--force --yes/);
	t.is((await run(...at(node), 'retire', 'beta', '--yes')).code, EXIT.usage);
	t.deepEqual(node.calls, []);
});

test('no hekafsd: exit code 5, what failed and what to do', async t => {
	const {code, out, err} = await run('--run', '/nonexistent', 'status');
	t.is(code, EXIT.down);
	t.is(out, '');
	t.is(
		err,
		'hfs_config: hekafsd is not running on this node (nothing at /nonexistent/control.sock)\n' +
			'  Start it (`hekafsd`), or name the directory that was given to it: `hfs_config --run DIR …`.\n',
	);
});

test('operations send their options and print the result', async t => {
	await using node = await startNode();
	t.deepEqual(await run(...at(node), 'serve'), {code: 0, out: 'serve done\n', err: ''});
	await run(...at(node), 'serve', '--found', '--no-wait');
	await run(...at(node), 'retire');
	await run(...at(node), 'retire', 'beta', '--force', '--yes');
	await run('remount', ...at(node));
	await run(...at(node), 'init');
	t.is((await run(...at(node), 'heal')).code, EXIT.degraded);
	t.is((await run(...at(node), 'verify')).code, EXIT.refusing);
	t.deepEqual(node.calls, [
		{name: 'serve', request: {found: false, wait: true}},
		{name: 'serve', request: {found: true, wait: false}},
		{name: 'retire', request: {node: undefined, force: false}},
		{name: 'retire', request: {node: NODE_B, force: true}},
		{name: 'remount', request: undefined},
		{name: 'init', request: {tree: undefined}},
		{name: 'heal', request: undefined},
		{name: 'verify', request: undefined},
	]);
});

test('retire of an unknown node asks nothing of the daemon', async t => {
	await using node = await startNode();
	const {code, err} = await run(...at(node), 'retire', 'omega');
	t.is(code, EXIT.refused);
	t.regex(err, /^hfs_config: no node of this cluster is called 'omega'\n {2}Known are: /);
	t.deepEqual(node.calls, []);
});

test('progress goes to standard error, one line a step', async t => {
	const calls: Call[] = [];
	await using node = await startNode({
		control: recordingControl(calls, async (_name, {progress}) => {
			progress('making a brick');
			progress('marking', 1, 2);
			return Promise.resolve();
		}),
	});
	t.deepEqual(await run(...at(node), 'serve'), {
		code: 0,
		out: 'serve done\n',
		err: 'making a brick\nmarking (1 of 2)\n',
	});
});

test("the daemon's refusal becomes message, remedy and exit code", async t => {
	await using node = await startNode({
		control: recordingControl([], async () =>
			Promise.reject(new HekafsError('HEKAFS_POPULATED', 'the filesystem is populated', {remedy: 'Use cp.'})),
		),
	});
	t.deepEqual(await run(...at(node), 'init'), {
		code: EXIT.refused,
		out: '',
		err: 'hfs_config: the filesystem is populated\n  Use cp.\n',
	});
});

test('init --from sends a tree', async t => {
	await using node = await startNode();
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-from-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	await writeFile(join(directory, 'format'), '1\n', {mode: 0o640});
	t.is((await run(...at(node), 'init', '--from', directory)).code, 0);
	t.like(node.calls[0], {
		name: 'init',
		request: {tree: [{kind: 'file', path: 'format', mode: 0o640, content: Buffer.from('1\n')}]},
	});
});

test('plan and volfile print what the daemon says', async t => {
	await using node = await startNode();
	t.deepEqual(await run(...at(node), 'plan'), {
		code: 0,
		out: 'One server is not mounted.\n\n1. mount\n   mount epoch 2\n   because: the record names epoch 2\n',
		err: '',
	});
	t.like(JSON.parse((await run(...at(node), 'plan', '--json')).out), {summary: 'One server is not mounted.'});
	t.is((await run(...at(node), 'volfile')).out, 'volume afr\nend-volume\n');
});

test('wrong arguments: exit code 2, a suggestion, the way to help', async t => {
	for (const [args, err] of [
		[
			['stauts'],
			/^hfs_config: unknown command 'stauts'\n {2}Did you mean status\? See: hfs_config --help\n$/,
		],
		[['status', '--jsn'], /^hfs_config: unknown option '--jsn'\n {2}Did you mean --json\?/],
		[['retire', 'a', 'b'], /^hfs_config: too many arguments/],
		[['init', '--from', ''], /^hfs_config: option '--from <dir>'.*\n {2}A directory is expected/],
		[[], /^Usage: hfs_config/],
	] as const) {
		const outcome = await run(...args);
		t.is(outcome.code, EXIT.usage, args.join(' '));
		t.regex(outcome.err, err);
		t.is(outcome.out, '');
	}
});

test('each command has help with an example, and takes --json', async t => {
	t.regex((await run('--help')).out, /Exit codes:/);
	const commands = leafCommands(configModel()).map(([words]) => words);
	for (const name of ['serve', 'retire', 'init', 'volfile', 'status', 'plan', 'heal', 'verify', 'remount'])
		t.true(commands.some(words => words.join(' ') === name));
	for (const words of commands) {
		const name = words.join(' ');
		const {code, out} = await run(...words, '--help');
		t.is(code, 0, name);
		t.regex(out, new RegExp(`^Examples?: .*\\n  .*hfs_config (--\\S+ \\S+ )?${name}`, 'm'), name);
		t.regex(out, /^ {2}--json /m, name);
	}
});

test('--json: one document, of an error too', async t => {
	await using node = await startNode();
	t.deepEqual(JSON.parse((await run(...at(node), 'serve', '--json')).out), {text: 'serve done'});
	const verify = await run(...at(node), 'verify', '--json');
	t.is(verify.code, EXIT.refusing);
	t.deepEqual(JSON.parse(verify.out), {text: 'verify done', health: 'refusing'});
	t.deepEqual(JSON.parse((await run(...at(node), 'volfile', '--json')).out), {
		volfile: 'volume afr\nend-volume\n',
	});
	const down = await run('--run', '/nonexistent', 'heal', '--json');
	t.is(down.code, EXIT.down);
	t.like(JSON.parse(down.out), {error: {code: 'HEKAFS_NOT_RUNNING'}});
	t.regex(down.err, /^hfs_config: hekafsd is not running/);
});

test('status --watch shows what has changed, and survives a hekafsd that goes away', async t => {
	let health: 'healthy' | 'refusing' = 'healthy';
	const node = await startNode({
		report: () => ({...REPORT, time: new Date().toISOString(), health}),
	});
	const child = spawn(process.execPath, [PROGRAM, ...at(node), 'status', '--watch', '0.1', '--json']);
	const ended = once(child, 'close');
	const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
	const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
	t.like(await next(), {health: 'healthy'});
	health = 'refusing';
	t.like(await next(), {health: 'refusing'});
	await node[Symbol.asyncDispose]();
	t.like(await next(), {error: {code: 'HEKAFS_NOT_RUNNING'}});
	child.kill('SIGINT');
	t.deepEqual(await ended, [EXIT.down, null]);
	t.true((await lines.next()).done, 'nothing was said twice');
});

test('a report of another version is not shown as if it were understood', async t => {
	await using node = await startNode({report: () => ({...REPORT, format: 2 as 1})});
	const {code, err} = await run(...at(node), 'status');
	t.is(code, EXIT.failure);
	t.regex(err, /status report is not valid: .*unknown format/);
});
