import {once} from 'node:events';
import {createServer, type RequestListener, type Server} from 'node:http';
import {type AddressInfo, createServer as createTcpServer} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {askAddress, askPeer} from '../../../src/discovery/peer-http.ts';
import {type PeerAnswer} from '../../../src/membership/peer-answer.ts';
import {reportOf, setOf, uuidOf} from '../../support/sets.ts';

const report = reportOf(1, setOf(1, [1, 2]));
const json = JSON.stringify(report);
const {signal} = new AbortController();

const listen = async (t: ExecutionContext, handler: RequestListener): Promise<number> => {
	const server: Server = createServer(handler).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return (server.address() as AddressInfo).port;
};
const ask = async (
	port: number,
	options: {timeoutMs?: number; maxBytes?: number} = {},
): Promise<PeerAnswer> =>
	askAddress({uuid: uuidOf(1), address: '127.0.0.1', port}, {signal, timeoutMs: 30_000, ...options});
const problem = (answer: PeerAnswer): string =>
	answer.kind === 'report' ? 'report' : `${answer.kind}: ${answer.problem}`;

test('a report', async t => {
	const port = await listen(t, (request, response) => {
		t.is(request.url, '/v1/status');
		response.end(json);
	});
	const answer = await ask(port);
	t.like(answer, {kind: 'report', report, address: '127.0.0.1'});
});

test('nobody listens: silent', async t => {
	const server = createTcpServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	t.regex(problem(await ask(port)), /^silent: http:\/\/127.0.0.1:\d+\/v1\/status: .*ECONNREFUSED/);
});

test('a name that does not resolve: silent', async t => {
	const answer = await askAddress(
		{uuid: uuidOf(1), address: 'no.such.invalid', port: 80},
		{signal, timeoutMs: 5000},
	);
	t.is(answer.kind, 'silent');
});

test('accepts and says nothing: silent after its time', async t => {
	const port = await listen(t, () => undefined);
	const start = performance.now();
	t.regex(problem(await ask(port, {timeoutMs: 300})), /^silent: .*no whole answer within 300 ms/);
	t.true(performance.now() - start < 10_000);
});

test('begins and never ends: invalid after its time', async t => {
	const port = await listen(t, (_request, response) => {
		response.write('{');
	});
	t.regex(problem(await ask(port, {timeoutMs: 1500})), /^invalid: .*no whole answer within 1500 ms/);
});

test('a drop at a time: invalid after its time', async t => {
	const port = await listen(t, (_request, response) => {
		const timer = setInterval(() => response.write(' '), 10);
		response.on('close', () => clearInterval(timer));
	});
	t.regex(problem(await ask(port, {timeoutMs: 1500})), /^invalid: .*no whole answer/);
});

test('an endless answer is cut off at the limit, and the connection with it', async t => {
	let sent = 0;
	let closed: () => void;
	const done = new Promise<void>(resolve => (closed = resolve));
	const port = await listen(t, (_request, response) => {
		const more = (): void => {
			while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
		};
		response.on('drain', more);
		response.on('close', () => closed());
		more();
	});
	t.regex(
		problem(await ask(port, {timeoutMs: 30_000})),
		/^invalid: .*the answer is longer than 262144 bytes$/,
	);
	await done;
	t.true(sent < 64 * 1024 * 1024);
});

test('garbage, another status, a redirect, an empty answer: invalid', async t => {
	let body: string | Buffer = 'hello';
	let status = 200;
	const port = await listen(t, (_request, response) => {
		response.writeHead(status, {location: '/v1/status'}).end(body);
	});
	t.regex(problem(await ask(port)), /^invalid: .*not JSON/);
	body = Buffer.from([0xff, 0xfe, 0x00]);
	t.regex(problem(await ask(port)), /^invalid: .*not UTF-8/);
	body = '';
	t.regex(problem(await ask(port)), /^invalid: .*empty/);
	body = json;
	for (status of [204, 302, 404, 500]) t.regex(problem(await ask(port)), new RegExp(`status ${status}$`));
});

test('not HTTP at all', async t => {
	const server = createTcpServer(socket => {
		socket.on('error', () => undefined);
		socket.end('SSH-2.0-OpenSSH_9.2\r\n');
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const answer = await ask((server.address() as AddressInfo).port);
	t.not(answer.kind, 'report');
});

test('another node’s report: invalid', async t => {
	const port = await listen(t, (_request, response) => response.end(JSON.stringify(reportOf(2, null))));
	t.regex(problem(await ask(port)), /^invalid: .*it is node 00000002-.*, not 00000001-/);
});

test('several addresses: the first report wins, a wrong answer beats silence', async t => {
	const port = await listen(t, (_request, response) => response.end(json));
	const peer = {uuid: uuidOf(1), port};
	t.like(await askPeer({...peer, addresses: ['127.9.9.9', '127.0.0.1']}, {signal}), {
		kind: 'report',
		address: '127.0.0.1',
	});
	const other = await askPeer(
		{uuid: uuidOf(2), port, addresses: ['127.9.9.9', '127.0.0.1', '127.9.9.8']},
		{signal},
	);
	t.like(other, {kind: 'invalid', address: '127.0.0.1'});
	t.like(await askPeer({...peer, addresses: []}, {signal}), {kind: 'silent', problem: 'it has no address'});
});

test('an address that hangs leaves time for the next', async t => {
	let hang = true;
	const port = await listen(t, (_request, response) => {
		if (!hang) response.end(json);
		hang = false;
	});
	const answer = await askPeer(
		{uuid: uuidOf(1), port, addresses: ['127.0.0.1', '127.0.0.1']},
		{signal, timeoutMs: 4000},
	);
	t.is(answer.kind, 'report');
});

test('aborted: silent, at once', async t => {
	const port = await listen(t, () => undefined);
	const controller = new AbortController();
	const asking = askPeer(
		{uuid: uuidOf(1), port, addresses: ['127.0.0.1', '127.0.0.1']},
		{signal: controller.signal, timeoutMs: 60_000},
	);
	controller.abort(new Error('stopping'));
	t.regex(problem(await asking), /^silent: .*stopping/);
});
