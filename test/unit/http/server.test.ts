/** The server over TCP and its socket: what it answers, to whom, and that hostile senders can't hurt it. */
import {createServer} from 'node:http';
import {connect} from 'node:net';
import {mkdir, mkdtemp, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {HekafsError} from '../../../src/errors.ts';
import {postSigned} from '../../../src/http/peer-client.ts';
import {parseAnswer, PEER_PATHS} from '../../../src/http/peer-requests.ts';
import {nextEpoch} from '../../../src/membership/ids.ts';
import {makeServerSet} from '../../../src/membership/server-set.ts';
import {queryControl} from '../../../src/http/control-client.ts';
import {signRequest} from '../../../src/http/sign.ts';
import {
	FILESYSTEM,
	NODE_A,
	NODE_B,
	rawExchange,
	REPORT,
	SECRET,
	SET,
	startNode,
	type HttpNode,
} from '../../support/http-node.ts';

const url = (node: HttpNode, path: string): string => `http://127.0.0.1:${node.port}${path}`;
const stillAlive = async (node: HttpNode): Promise<boolean> => (await fetch(url(node, '/v1/status'))).ok;

test('GET /v1/status answers the report, readable and ended by a newline', async t => {
	await using node = await startNode();
	const response = await fetch(url(node, '/v1/status?x=1'));
	const text = await response.text();
	t.is(response.status, 200);
	t.is(response.headers.get('content-type'), 'application/json; charset=utf-8');
	t.is(response.headers.get('cache-control'), 'no-store');
	t.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(REPORT)));
	t.true(text.includes('\n  "health": "healthy"') && text.endsWith('}\n'));
	t.is(await queryControl('/v1/status', {socketPath: node.socketPath}), text);
});

test('GET / and /metrics answer plain text; HEAD has no body', async t => {
	await using node = await startNode();
	t.regex(await (await fetch(url(node, '/'))).text(), /GET \/v1\/status/);
	t.is(await (await fetch(url(node, '/metrics'))).text(), 'hekafs_gate_open 1\n');
	const head = await fetch(url(node, '/metrics'), {method: 'HEAD'});
	t.is(head.headers.get('content-length'), '19');
	t.is(await head.text(), '');
});

test('unknown paths and methods are refused with code, message and remedy', async t => {
	await using node = await startNode();
	const missing = await fetch(url(node, '/nothing'));
	t.is(missing.status, 404);
	t.deepEqual(await missing.json(), {
		code: 'HEKAFS_USAGE',
		message: 'there is nothing at /nothing',
		remedy: 'GET / lists what there is.',
	});
	const wrong = await fetch(url(node, '/v1/status'), {method: 'POST', body: '{}'});
	t.is(wrong.status, 405);
	t.is(wrong.headers.get('allow'), 'GET, HEAD');
});

test('control paths do not exist on TCP', async t => {
	await using node = await startNode();
	for (const path of ['serve', 'retire', 'init', 'heal', 'verify', 'remount'])
		t.is((await fetch(url(node, `/v1/${path}`), {method: 'POST', body: '{}'})).status, 404, path);
	for (const path of ['plan', 'volfile']) t.is((await fetch(url(node, `/v1/${path}`))).status, 404, path);
	t.deepEqual(node.calls, []);
});

test('a failing report gives 500 and the server goes on', async t => {
	let fail = true;
	await using node = await startNode({
		report() {
			if (fail) throw new Error('broken');
			return REPORT;
		},
	});
	const response = await fetch(url(node, '/v1/status'));
	t.is(response.status, 500);
	t.like(await response.json(), {code: 'HEKAFS_INTERNAL', message: 'broken'});
	fail = false;
	t.true(await stillAlive(node));
});

test('signed requests reach their handlers with a parsed set', async t => {
	await using node = await startNode();
	const options = {secret: SECRET, to: NODE_A, timeoutMs: 5000};
	for (const path of [PEER_PATHS.switching, PEER_PATHS.adopt]) {
		const body = {set: SET, reason: 'a test\n\u001b[31m'};
		const reply = await postSigned('127.0.0.1', node.port, path, body, options);
		t.deepEqual(reply, {done: path.slice('/v1/peer/'.length)});
	}
	t.is(node.calls.length, 2);
	for (const call of node.calls) t.deepEqual(call.request, {set: SET, reason: 'a test  [31m'});
});

test('a question about a change reaches its handler parsed, and its answer comes back', async t => {
	await using node = await startNode();
	const options = {secret: SECRET, to: NODE_A, timeoutMs: 5000};
	const to = makeServerSet(FILESYSTEM, nextEpoch(SET.epoch), SET.servers.slice(0, 1), 7);
	const change = {
		format: 1,
		kind: 'retire',
		from: SET,
		to,
		subject: NODE_B,
		by: NODE_B,
		startedAt: '2026-01-02T03:04:05.000Z',
		forced: false,
	};
	const post = async (question: unknown) =>
		postSigned('127.0.0.1', node.port, PEER_PATHS.change, {change, question, reason: 'a test'}, options);
	for (const question of [
		{kind: 'prepare'},
		{kind: 'promise', ballot: 33},
		{kind: 'accept', ballot: 33, word: 'go'},
		{kind: 'abandon'},
		{kind: 'start'},
		{kind: 'heal'},
	]) {
		const reply = await post(question);
		t.deepEqual(parseAnswer(reply), {kind: 'yes', accepted: null});
		t.like(node.calls.at(-1)?.request, {question, reason: 'a test'});
	}
	for (const question of [
		undefined,
		{kind: 'found'},
		{kind: 'promise'},
		{kind: 'accept', ballot: -1, word: 'go'},
		{kind: 'accept', ballot: 1, word: 'perhaps'},
	])
		await t.throwsAsync(post(question), {code: 'HEKAFS_PEER_INVALID'});
	t.throws(() => parseAnswer({kind: 'perhaps'}), {code: 'HEKAFS_PEER_INVALID'});
});

test('unsigned requests and wrong secrets get 401 and reach nobody', async t => {
	await using node = await startNode();
	const unsigned = await fetch(url(node, PEER_PATHS.adopt), {
		method: 'POST',
		body: JSON.stringify({set: SET, reason: 'x'}),
	});
	t.is(unsigned.status, 401);
	t.deepEqual(await unsigned.json(), {
		code: 'HEKAFS_UNAUTHENTICATED',
		message: 'the request is not signed',
		remedy: 'Only nodes that share the secret of the config filesystem may ask this.',
	});
	const options = {to: NODE_A, timeoutMs: 5000};
	const body = {set: SET, reason: 'x'};
	await t.throwsAsync(
		postSigned('127.0.0.1', node.port, PEER_PATHS.adopt, body, {...options, secret: 'ff'.repeat(32)}),
		{code: 'HEKAFS_UNAUTHENTICATED'},
	);
	await t.throwsAsync(
		postSigned('127.0.0.1', node.port, PEER_PATHS.adopt, body, {...options, secret: SECRET, to: NODE_B}),
		{code: 'HEKAFS_UNAUTHENTICATED'},
	);
	t.deepEqual(node.calls, []);
});

test('a replayed request is refused', async t => {
	await using node = await startNode();
	const body = JSON.stringify({set: SET, reason: 'x'});
	const path = PEER_PATHS.switching;
	const headers = signRequest(SECRET, {method: 'POST', path, to: NODE_A, body: Buffer.from(body)});
	const send = async (): Promise<number> =>
		(await fetch(url(node, path), {method: 'POST', body, headers})).status;
	t.is(await send(), 200);
	t.is(await send(), 401);
	t.is(node.calls.length, 1);
});

test('a node without the secret refuses; a secret that can not be read in time too', async t => {
	const options = {secret: SECRET, to: NODE_A, timeoutMs: 5000};
	const body = {set: SET, reason: 'x'};
	await using ignorant = await startNode({secret: async () => Promise.resolve(undefined)});
	await t.throwsAsync(postSigned('127.0.0.1', ignorant.port, PEER_PATHS.adopt, body, options), {
		code: 'HEKAFS_UNAUTHENTICATED',
		message: /does not know the shared secret yet/,
	});
	await using hung = await startNode({secret: async () => new Promise(() => undefined)});
	await t.throwsAsync(postSigned('127.0.0.1', hung.port, PEER_PATHS.adopt, body, options), {
		code: 'HEKAFS_BUSY',
	});
});

const wrongBodies: Record<string, unknown> = {
	'no object': [],
	'no reason': {set: SET},
	'no set': {reason: 'x'},
	'epoch 0': {reason: 'x', set: {...SET, epoch: 0}},
	'a foreign id': {reason: 'x', set: {...SET, filesystemId: '../../etc'}},
	'no servers': {reason: 'x', set: {...SET, servers: []}},
	'17 servers': {reason: 'x', set: {...SET, servers: Array.from({length: 17}, () => SET.servers[0])}},
	'a server twice': {reason: 'x', set: {...SET, servers: [SET.servers[0], SET.servers[0]]}},
	'a hostile address': {
		reason: 'x',
		set: {...SET, servers: [{...SET.servers[0], address: 'a\noption x y'}]},
	},
	'a port out of range': {reason: 'x', set: {...SET, servers: [{...SET.servers[0], port: 70_000}]}},
};
test('signed requests with wrong bodies are refused', async t => {
	await using node = await startNode();
	const options = {secret: SECRET, to: NODE_A, timeoutMs: 5000};
	for (const [what, body] of Object.entries(wrongBodies))
		await t.throwsAsync(
			postSigned('127.0.0.1', node.port, PEER_PATHS.adopt, body, options),
			{code: 'HEKAFS_PEER_INVALID'},
			what,
		);
	t.deepEqual(node.calls, []);
});

test('bodies above the limit are refused, declared or not', async t => {
	await using node = await startNode();
	const headers = signRequest(SECRET, {
		method: 'POST',
		path: PEER_PATHS.adopt,
		to: NODE_A,
		body: Buffer.alloc(0),
	});
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	const start = `POST ${PEER_PATHS.adopt} HTTP/1.1\r\nhost: x\r\n${lines.join('')}`;
	const declared = await rawExchange(node.port, `${start}content-length: 99999999999\r\n\r\n`);
	t.regex(declared, /^HTTP\/1\.1 413 /);
	const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
	const chunked = await rawExchange(
		node.port,
		`${start}transfer-encoding: chunked\r\n\r\n${chunk.repeat(40)}`,
	);
	t.true(chunked === '' || chunked.startsWith('HTTP/1.1 413 '), chunked.slice(0, 80));
	t.true(await stillAlive(node));
});

const hostile: Record<string, string | Buffer> = {
	'random bytes': Buffer.from(Array.from({length: 2000}, (_, i) => (i * 167 + 13) & 0xff)),
	'a TLS hello': Buffer.from('16030100c8010000c40303', 'hex'),
	'an endless path': `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
	'endless headers': `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}\r\n`,
	'a negative length': 'POST /v1/peer/adopt HTTP/1.1\r\ncontent-length: -5\r\n\r\n',
	'two lengths': 'POST /v1/peer/adopt HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
	CONNECT: 'CONNECT 10.0.0.1:80 HTTP/1.1\r\nhost: x\r\n\r\n',
	'an upgrade':
		'GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n',
	'HTTP 0.9': 'GET /\r\n',
	'a proxy request': 'GET http://other/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
	'a bad escape': 'GET /%ff%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
};
for (const [what, bytes] of Object.entries(hostile))
	test(`survives ${what}`, async t => {
		await using node = await startNode();
		await rawExchange(node.port, bytes, 1000);
		t.true(await stillAlive(node));
		t.deepEqual(node.calls, []);
	});

test('a sender that never ends its headers is cut off, others are served meanwhile', async t => {
	await using node = await startNode();
	const slow = connect(node.port, '127.0.0.1');
	const closed = new Promise(resolve => slow.once('close', resolve));
	slow.on('error', () => undefined);
	slow.resume();
	slow.write('GET /v1/status HTTP/1.1\r\nx: ');
	const drip = setInterval(() => slow.write('y'), 200);
	t.true(await stillAlive(node));
	const startMs = Date.now();
	await closed;
	clearInterval(drip);
	t.true(Date.now() - startMs < 9000);
});

test('a port in use is named together with --listen, and the socket is not left behind', async t => {
	await using node = await startNode();
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-http-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	await t.throwsAsync(
		startNode({tcp: {host: '127.0.0.1', port: node.port}, socketPath: join(directory, 's')}),
		{code: 'HEKAFS_PORT_IN_USE', message: new RegExp(`127\\.0\\.0\\.1:${node.port}`)},
	);
	t.deepEqual(await readdir(directory), []);
});

test('an address of another machine is refused with a remedy', async t => {
	const error = await t.throwsAsync(startNode({tcp: {host: '192.0.2.1', port: 0}}), {
		instanceOf: HekafsError,
		code: 'HEKAFS_USAGE',
	});
	t.regex(String(error.remedy), /--listen/);
});

test('the socket has mode 0600 in a directory with mode 0700 and is removed at the end', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-http-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	const socketPath = join(directory, 'run', 'control.sock');
	{
		await using node = await startNode({socketPath});
		t.is((await stat(socketPath)).mode & 0o7777, 0o600);
		t.is((await stat(join(directory, 'run'))).mode & 0o7777, 0o700);
		t.deepEqual(await readdir(join(directory, 'run')), ['control.sock']);
		t.truthy(node);
	}
	t.deepEqual(await readdir(join(directory, 'run')), []);
});

test('a stale socket is replaced, a living one and a file are not', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-http-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	const socketPath = join(directory, 'control.sock');
	const stale = createServer().listen(socketPath);
	await new Promise(resolve => stale.once('listening', resolve));
	await t.throwsAsync(startNode({socketPath}), {code: 'HEKAFS_ALREADY_RUNNING'});
	// Keeps the file, as a process that is killed does: the socket is moved away before the close that would unlink it.
	const {rename} = await import('node:fs/promises');
	await rename(socketPath, `${socketPath}.kept`);
	await new Promise(resolve => stale.close(resolve));
	await rename(`${socketPath}.kept`, socketPath);
	await using node = await startNode({socketPath});
	t.regex(await queryControl('/v1/status', {socketPath: node.socketPath}), /"format": 1/);

	const file = join(directory, 'file');
	await writeFile(file, '');
	await t.throwsAsync(startNode({socketPath: file}), {code: 'HEKAFS_STATE_INVALID'});
	await mkdir(join(directory, 'x'.repeat(100)));
	await t.throwsAsync(startNode({socketPath: join(directory, 'x'.repeat(100), 'control.sock')}), {
		code: 'HEKAFS_USAGE',
	});
});

test('closing does not wait for idle or slow connections', async t => {
	const node = await startNode();
	const idle = connect(node.port, '127.0.0.1');
	idle.on('error', () => undefined);
	await new Promise(resolve => idle.once('connect', resolve));
	idle.write('GET / HTTP/1.1\r\nx:');
	const startMs = Date.now();
	await node[Symbol.asyncDispose]();
	t.true(Date.now() - startMs < 3000);
	idle.destroy();
});
