/** Control over the Unix socket: the operations, their progress, errors, and an asking program that goes away. */
import {request} from 'node:http';
import {createServer} from 'node:net';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {HekafsError} from '../../../src/errors.ts';
import {parseInitRequest, parseRetireRequest, parseServeRequest} from '../../../src/http/control.ts';
import {queryControl, runControl} from '../../../src/http/control-client.ts';
import {encodeInitEntry, type InitEntry} from '../../../src/http/init-entry.ts';
import {NODE_B, recordingControl, startNode, type Call} from '../../support/http-node.ts';

const ignoreProgress = (): void => undefined;

test('each operation reaches its handler with its arguments', async t => {
	await using node = await startNode();
	const options = {socketPath: node.socketPath};
	t.deepEqual(await runControl('/v1/serve', {found: true, wait: false}, ignoreProgress, options), {
		text: 'serve done',
	});
	await runControl('/v1/retire', {node: NODE_B, force: true}, ignoreProgress, options);
	await runControl('/v1/retire', {}, ignoreProgress, options);
	await runControl('/v1/init', {}, ignoreProgress, options);
	t.is((await runControl('/v1/heal', {}, ignoreProgress, options)).health, 'degraded');
	t.is((await runControl('/v1/verify', {}, ignoreProgress, options)).health, 'refusing');
	await runControl('/v1/remount', {}, ignoreProgress, options);
	t.deepEqual(node.calls, [
		{name: 'serve', request: {found: true, wait: false}},
		{name: 'retire', request: {node: NODE_B, force: true}},
		{name: 'retire', request: {node: undefined, force: false}},
		{name: 'init', request: {tree: undefined}},
		{name: 'heal', request: undefined},
		{name: 'verify', request: undefined},
		{name: 'remount', request: undefined},
	]);
	t.regex(await queryControl('/v1/plan', options), /"summary": "One server is not mounted\."/);
	t.is(await queryControl('/v1/volfile', options), 'volume afr\nend-volume\n');
});

test('a tree for init arrives byte by byte as it was sent', async t => {
	await using node = await startNode();
	const tree: InitEntry[] = [
		{kind: 'dir', path: 'a', mode: 0o750, uid: 1, gid: 2},
		{kind: 'file', path: 'a/\nodd', mode: 0o600, uid: 0, gid: 0, content: Buffer.from([0, 255, 10, 13])},
		{kind: 'symlink', path: 'b', uid: 0, gid: 0, target: '../a'},
	];
	await runControl('/v1/init', {tree: tree.map(encodeInitEntry)}, ignoreProgress, node);
	t.deepEqual(node.calls, [{name: 'init', request: {tree}}]);
});

test('progress arrives in order while the operation runs, control characters removed', async t => {
	const calls: Call[] = [];
	let seen: () => void = ignoreProgress;
	const firstSeen = new Promise<void>(resolve => (seen = resolve));
	await using node = await startNode({
		control: recordingControl(calls, async (_name, context) => {
			context.progress('first\u0007');
			await firstSeen;
			context.progress('second', 1, 3);
		}),
	});
	const progress: unknown[] = [];
	await runControl(
		'/v1/heal',
		{},
		(...step) => {
			progress.push(step);
			seen();
		},
		node,
	);
	t.deepEqual(progress, [
		['first ', undefined, undefined],
		['second', 1, 3],
	]);
});

test("a handler's error arrives with code, message, cause and remedy", async t => {
	await using node = await startNode({
		control: recordingControl([], async () =>
			Promise.reject(
				new HekafsError('HEKAFS_POPULATED', 'there is content', {
					cause: new Error('nodes/'),
					remedy: 'Use cp.',
				}),
			),
		),
	});
	const error = await t.throwsAsync(runControl('/v1/init', {}, ignoreProgress, node), {
		instanceOf: HekafsError,
		code: 'HEKAFS_POPULATED',
	});
	t.is(error.message, 'there is content: nodes/');
	t.is(error.remedy, 'Use cp.');
});

test('a handler learns that the asking program has gone', async t => {
	let ended: (aborted: boolean) => void = ignoreProgress;
	const outcome = new Promise<boolean>(resolve => (ended = resolve));
	await using node = await startNode({
		control: recordingControl([], async (_name, {signal, progress}) => {
			progress('waiting');
			await new Promise(resolve => signal.addEventListener('abort', resolve));
			ended(signal.aborted);
		}),
	});
	const asking = request({socketPath: node.socketPath, path: '/v1/serve', method: 'POST'});
	asking.on('error', ignoreProgress);
	asking.on('response', response => response.once('data', () => asking.destroy()));
	asking.end('{}');
	t.true(await outcome);
});

test('hekafsd that stops half-way: the operation counts as unfinished', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-http-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	const socketPath = join(directory, 's');
	const line = '{"type":"progress","text":"x"}\n';
	const server = createServer(socket => {
		socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${line.length}\r\n\r\n${line}`));
	}).listen(socketPath);
	t.teardown(() => server.close());
	await new Promise(resolve => server.once('listening', resolve));
	await t.throwsAsync(runControl('/v1/serve', {}, ignoreProgress, {socketPath}), {
		code: 'HEKAFS_NOT_RUNNING',
		message: /before the operation ended/,
	});
});

test('no hekafsd, a file instead of a socket, a silent one', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-http-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	const socketPath = join(directory, 's');
	const error = await t.throwsAsync(queryControl('/v1/status', {socketPath}), {
		instanceOf: HekafsError,
		code: 'HEKAFS_NOT_RUNNING',
	});
	t.true(error.message.includes(socketPath));
	t.regex(String(error.remedy), /hekafsd/);
	await writeFile(join(directory, 'file'), '');
	await t.throwsAsync(queryControl('/v1/status', {socketPath: join(directory, 'file')}), {
		code: 'HEKAFS_NOT_RUNNING',
	});
	const silent = createServer(() => undefined).listen(socketPath);
	t.teardown(() => silent.close());
	await new Promise(resolve => silent.once('listening', resolve));
	await t.throwsAsync(queryControl('/v1/status', {socketPath, silenceMs: 200}), {code: 'HEKAFS_TIMEOUT'});
	await t.throwsAsync(runControl('/v1/heal', {}, ignoreProgress, {socketPath, silenceMs: 200}), {
		code: 'HEKAFS_TIMEOUT',
	});
});

test('a long operation is not taken for a silent one', async t => {
	await using node = await startNode({
		control: recordingControl([], async () => new Promise(resolve => setTimeout(resolve, 5000))),
	});
	// Longer than this silence, with signs of life every two seconds.
	await t.notThrowsAsync(
		runControl('/v1/heal', {}, ignoreProgress, {socketPath: node.socketPath, silenceMs: 3500}),
	);
});

test('wrong arguments are refused by name', t => {
	for (const parse of [parseServeRequest, parseRetireRequest, parseInitRequest])
		for (const body of [null, [], 'x', 5]) t.throws(() => parse(body), {code: 'HEKAFS_USAGE'});
	t.throws(() => parseServeRequest({found: 'yes'}), {message: /found/});
	t.throws(() => parseRetireRequest({node: 'alpha'}), {message: /UUID/});
	t.deepEqual(parseServeRequest({}), {found: false, wait: true});
});

const dir = {kind: 'dir', path: 'd', mode: 0o755, uid: 0, gid: 0};
const file = {kind: 'file', path: 'f', mode: 0o644, uid: 0, gid: 0, content: ''};
const wrongTrees: Record<string, unknown[]> = {
	'a path that climbs': [{...file, path: '../f'}],
	'an absolute path': [{...file, path: '/f'}],
	'an empty name': [{...file, path: 'a//f'}],
	"HekaFS' own directory": [{...dir, path: '.hekafs'}],
	'a name with NUL': [{...file, path: 'a\0b'}],
	'a name of 256 bytes': [{...file, path: 'x'.repeat(256)}],
	'a file before its directory': [{...file, path: 'd/f'}, dir],
	'a file below a symlink': [
		{kind: 'symlink', path: 'l', uid: 0, gid: 0, target: '/etc'},
		{...file, path: 'l/passwd'},
	],
	'a path twice': [dir, dir],
	'a device': [{...file, kind: 'device'}],
	'a wild mode': [{...file, mode: 0o100644}],
	'no owner': [{...file, uid: undefined}],
	'a negative owner': [{...file, gid: -1}],
	'an empty target': [{kind: 'symlink', path: 'l', uid: 0, gid: 0, target: ''}],
};
for (const [what, tree] of Object.entries(wrongTrees))
	test(`init refuses a tree with ${what}`, t => {
		t.throws(() => parseInitRequest({tree}), {code: 'HEKAFS_USAGE'});
	});
