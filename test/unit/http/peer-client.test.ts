/** What postSigned makes of peers that are away, slow, hostile or something else. */
import {createServer, type RequestListener} from 'node:http';
import {createServer as createTcpServer, type AddressInfo, type Socket} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {postSigned, type PostOptions} from '../../../src/http/peer-client.ts';
import {PEER_PATHS} from '../../../src/http/peer-requests.ts';
import {NODE_A, SECRET, SET, startNode} from '../../support/http-node.ts';
import {HekafsError} from '../../../src/errors.ts';

const OPTIONS: PostOptions = {secret: SECRET, to: NODE_A, timeoutMs: 2000};
const post = async (port: number, changes: Partial<PostOptions> = {}): Promise<unknown> =>
	await postSigned('127.0.0.1', port, PEER_PATHS.adopt, {set: SET, reason: 'x'}, {...OPTIONS, ...changes});

const listen = async (t: ExecutionContext, listener: RequestListener): Promise<number> => {
	const server = createServer(listener).listen(0, '127.0.0.1');
	await new Promise(resolve => server.once('listening', resolve));
	t.teardown(() => {
		server.close();
		server.closeAllConnections();
	});
	return (server.address() as AddressInfo).port;
};

const listenRaw = async (t: ExecutionContext, listener: (socket: Socket) => void): Promise<number> => {
	const sockets: Socket[] = [];
	const server = createTcpServer(socket => {
		sockets.push(socket);
		socket.on('error', () => undefined);
		listener(socket);
	}).listen(0, '127.0.0.1');
	await new Promise(resolve => server.once('listening', resolve));
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return (server.address() as AddressInfo).port;
};

test('nobody there: unreachable, with address, port and remedy', async t => {
	const server = createServer().listen(0, '127.0.0.1');
	await new Promise(resolve => server.once('listening', resolve));
	const {port} = server.address() as AddressInfo;
	await new Promise(resolve => server.close(resolve));
	const error = await t.throwsAsync(post(port), {instanceOf: HekafsError, code: 'HEKAFS_PEER_UNREACHABLE'});
	t.true(error.message.includes(`127.0.0.1:${port}`));
	t.regex(String(error.remedy), new RegExp(`${port}/tcp`));
});

test('a silent peer: unreachable after the time-out', async t => {
	const port = await listenRaw(t, () => undefined);
	const startMs = Date.now();
	await t.throwsAsync(post(port, {timeoutMs: 200}), {
		code: 'HEKAFS_PEER_UNREACHABLE',
		message: /did not answer within 200 ms/,
	});
	t.true(Date.now() - startMs < 1500);
});

test('a peer that answers byte by byte: the time-out counts for the whole', async t => {
	const port = await listen(t, (_request, response) => {
		response.writeHead(200);
		const drip = setInterval(() => response.write('x'), 20);
		response.on('close', () => clearInterval(drip));
	});
	await t.throwsAsync(post(port, {timeoutMs: 300}), {code: 'HEKAFS_PEER_UNREACHABLE'});
});

test("the caller's signal ends it with the caller's reason", async t => {
	const port = await listenRaw(t, () => undefined);
	const stop = new AbortController();
	setTimeout(() => stop.abort(new Error('the epoch has changed')), 50);
	await t.throwsAsync(post(port, {signal: stop.signal}), {message: 'the epoch has changed'});
});

test('a huge answer is cut off', async t => {
	const port = await listen(t, (_request, response) => {
		response.writeHead(200);
		const more = (): void => {
			while (!response.destroyed && response.write('x'.repeat(65_536)));
			if (!response.destroyed) response.once('drain', more);
		};
		more();
	});
	await t.throwsAsync(post(port), {code: 'HEKAFS_PEER_INVALID'});
});

test('another program on that port is told apart', async t => {
	const page = await listen(t, (_request, response) => response.end('<html>'));
	await t.throwsAsync(post(page), {code: 'HEKAFS_PEER_INVALID', message: /not JSON/});
	const json = await listen(t, (_request, response) => response.end('{}'));
	await t.throwsAsync(post(json), {code: 'HEKAFS_PEER_INVALID', message: /did not sign its answer/});
	const list = await listen(t, (_request, response) => response.end('[]'));
	await t.throwsAsync(post(list), {code: 'HEKAFS_PEER_INVALID'});
	const error = await listen(t, (_request, response) => {
		response.writeHead(500);
		response.end('{"code":"HEKAFS_SOMETHING","message":"x"}');
	});
	await t.throwsAsync(post(error), {code: 'HEKAFS_PEER_INVALID', message: /HTTP status 500/});
	const garbage = await listenRaw(t, socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
	await t.throwsAsync(post(garbage), {code: 'HEKAFS_PEER_UNREACHABLE'});
});

test("a peer's own error arrives with code, message and remedy, made printable", async t => {
	await using node = await startNode({
		peers: {
			switching: async () => Promise.resolve({}),
			change: async () => Promise.resolve({kind: 'busy'}),
			adopt: async () =>
				Promise.reject(new HekafsError('HEKAFS_BUSY', 'a change is \u001b[31munder way', {remedy: 'Wait.'})),
		},
	});
	const error = await t.throwsAsync(post(node.port), {instanceOf: HekafsError, code: 'HEKAFS_BUSY'});
	t.is(error.message, `node ${NODE_A} at 127.0.0.1:${node.port}: a change is  [31munder way`);
	t.is(error.remedy, 'Wait.');
});
