/** A node's HTTP server on a free port and a temporary socket, with handlers that record what they are asked. */
import {mkdtemp, rm} from 'node:fs/promises';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type Control, type ControlContext} from '../../src/http/control.ts';
import {type PeerRequests} from '../../src/http/peer-requests.ts';
import {startHttpServer, type HttpServer, type HttpServerOptions} from '../../src/http/server.ts';
import {FIRST_EPOCH, parseFilesystemId, parseNodeUuid, type Generation} from '../../src/membership/ids.ts';
import {type StatusReport} from '../../src/membership/report.ts';
import {makeServerSet} from '../../src/membership/server-set.ts';

export const SECRET = '0123456789abcdef'.repeat(4);
export const NODE_A = parseNodeUuid('11111111-1111-4111-8111-111111111111')!;
export const NODE_B = parseNodeUuid('22222222-2222-4222-8222-222222222222')!;
export const NODE_C = parseNodeUuid('22222222-3333-4333-8333-333333333333')!;
export const FILESYSTEM = parseFilesystemId('ffffffff-ffff-4fff-8fff-ffffffffffff')!;
export const SET = makeServerSet(FILESYSTEM, FIRST_EPOCH, [
	{uuid: NODE_A, address: 'alpha', port: 24_100},
	{uuid: NODE_B, address: '10.0.0.2', port: 24_100},
]);

export const REPORT: StatusReport = {
	format: 1,
	version: '0.1.0',
	node: {uuid: NODE_A, hostname: 'alpha'},
	time: '2026-01-02T03:04:05.000Z',
	backend: 'gluster',
	filesystemId: FILESYSTEM,
	set: SET,
	serving: true,
	brick: {running: true, port: 24_100, epoch: FIRST_EPOCH},
	gate: {state: 'open', generation: 1 as Generation, since: '2026-01-02T03:00:00.000Z'},
	verdict: 'agreed',
	health: 'healthy',
	reasons: [],
	servers: [
		{uuid: NODE_A, address: 'alpha', up: true},
		{uuid: NODE_B, address: '10.0.0.2', up: true},
	],
	members: [
		{uuid: NODE_B, addresses: ['10.0.0.2', 'beta'], connected: true},
		{uuid: NODE_C, addresses: ['gamma'], connected: true},
	],
	heals: {pending: 0, splitBrain: 0},
	copy: null,
	mountpoint: '/etc/hekafs',
};

export interface Call {
	readonly name: string;
	readonly request?: unknown;
}

/** Control that says what it is asked; `answer` may wait, report progress or throw. */
export const recordingControl = (
	calls: Call[],
	answer: (name: string, context: ControlContext) => Promise<void> = async () => Promise.resolve(),
): Control => {
	const act = async (name: string, request: unknown, context: ControlContext): Promise<{text: string}> => {
		calls.push({name, request});
		await answer(name, context);
		return {text: `${name} done`};
	};
	return {
		serve: async (request, context) => await act('serve', request, context),
		retire: async (request, context) => await act('retire', request, context),
		init: async (request, context) => await act('init', request, context),
		heal: async context => ({...(await act('heal', undefined, context)), health: 'degraded'}),
		verify: async context => ({...(await act('verify', undefined, context)), health: 'refusing'}),
		remount: async context => await act('remount', undefined, context),
		history: async (request, context) => await act('history', request, context),
		version: async (request, context) => await act('version', request, context),
		log: async (request, context) => await act('log', request, context),
		plan: async () =>
			Promise.resolve({
				summary: 'One server is not mounted.',
				steps: [{name: 'mount', text: 'mount epoch 2', why: 'the record names epoch 2'}],
			}),
		volfile: async () => Promise.resolve('volume afr\nend-volume\n'),
	};
};

export const recordingPeers = (calls: Call[]): PeerRequests => {
	const act = async (name: string, request: unknown): Promise<{done: string}> => {
		calls.push({name, request});
		return await Promise.resolve({done: name});
	};
	return {
		switching: async request => await act('switching', request),
		change: async request => {
			await act('change', request);
			return {kind: 'yes', accepted: null};
		},
		adopt: async request => await act('adopt', request),
	};
};

export interface HttpNode extends AsyncDisposable {
	readonly server: HttpServer;
	readonly port: number;
	readonly socketPath: string;
	readonly directory: string;
	readonly calls: Call[];
}

export const startNode = async (changes: Partial<HttpServerOptions> = {}): Promise<HttpNode> => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-http-'));
	const calls: Call[] = [];
	const starting = startHttpServer({
		tcp: {host: '127.0.0.1', port: 0},
		socketPath: join(directory, 'run', 'control.sock'),
		self: () => NODE_A,
		secret: async () => Promise.resolve(SECRET),
		report: () => REPORT,
		metrics: async () => Promise.resolve('hekafs_gate_open 1\n'),
		page: () => ({
			report: REPORT,
			markers: undefined,
			healsPeak: 0,
			changes: undefined,
			peerPort: 8080,
		}),
		peers: recordingPeers(calls),
		control: recordingControl(calls),
		...changes,
	});
	const server = await starting.catch(async (error: unknown) => {
		await rm(directory, {recursive: true, force: true});
		throw error;
	});
	return {
		server,
		port: server.port ?? 0,
		socketPath: server.socketPath,
		directory,
		calls,
		async [Symbol.asyncDispose]() {
			await server[Symbol.asyncDispose]();
			await rm(directory, {recursive: true, force: true});
		},
	};
};

/** Sends raw bytes, then collects what comes back until the other side closes or `timeoutMs` passes. */
export const rawExchange = async (port: number, bytes: string | Buffer, timeoutMs = 3000): Promise<string> =>
	await new Promise(resolve => {
		const chunks: Buffer[] = [];
		const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
		const end = (): void => {
			clearTimeout(timer);
			socket.destroy();
			resolve(Buffer.concat(chunks).toString('latin1'));
		};
		const timer = setTimeout(end, timeoutMs);
		socket.on('data', chunk => chunks.push(chunk));
		socket.on('error', end);
		socket.on('close', end);
	});
