/** The HTTP server of a node: status for everybody, signed requests of other nodes, control by hfs_config over a Unix socket. */
import {once} from 'node:events';
import {createServer, type Server, type ServerOptions} from 'node:http';
import {type AddressInfo} from 'node:net';
import createDebug from 'debug';
import {HekafsError} from '../errors.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {Watchers} from './page/events.ts';
import {requestHandler} from './request-handler.ts';
import {routeTable, type RouteHandlers} from './routes.ts';
import {SignatureVerifier} from './sign.ts';
import {listenOnUnixSocket} from './unix-socket.ts';

const debug = createDebug('hekafs:http');

/** Limits against slow, many or huge senders. */
const LIMITS = {
	maxHeaderSize: 8 * 1024,
	headersTimeout: 5000,
	requestTimeout: 10_000,
	connectionsCheckingInterval: 500,
	keepAliveTimeout: 5000,
	/** `false`: several Host headers or none are no reason to refuse; we don't use them. */
	requireHostHeader: false,
} as const satisfies ServerOptions;
const MAX_CONNECTIONS = 256;
const MAX_HEADERS = 64;
const MAX_REQUESTS_PER_SOCKET = 100;
/** A connection on which nothing moves is cut; longer than a peer's request may take. */
const IDLE_TIMEOUT_MS = 65_000;
const CLOSE_GRACE_MS = 500;

export interface HttpServerOptions extends RouteHandlers {
	/** Null: no TCP at all. Port 0: any free one. */
	readonly tcp: {readonly host: string; readonly port: number} | null;
	readonly socketPath: string;
	/** This node; signed requests must be addressed to it. */
	readonly self: () => NodeUuid;
	/** The shared secret, 64 hexadecimal digits; undefined while it isn't known. */
	readonly secret: () => Promise<string | undefined>;
	/** Time since 1970 in milliseconds. */
	readonly now?: () => number;
}

export interface HttpServer extends AsyncDisposable {
	/** The TCP port in use; undefined without TCP. */
	readonly port: number | undefined;
	readonly socketPath: string;
}

const listenFailed = (error: unknown, host: string, port: number): HekafsError => {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
	switch (code) {
		case 'EADDRINUSE':
			return new HekafsError('HEKAFS_PORT_IN_USE', `another program already listens on ${where}`, {
				remedy: 'Stop it, or choose another address or port with --listen ADDR:PORT.',
			});
		case 'EACCES':
			return new HekafsError('HEKAFS_NOT_ROOT', `no permission to listen on ${where}`, {
				remedy: 'Start hekafsd as root, or choose a port above 1023 with --listen ADDR:PORT.',
			});
		default:
			return new HekafsError('HEKAFS_USAGE', `can't listen on ${where}`, {
				cause: error,
				remedy: 'Give an address of this machine with --listen ADDR:PORT; 0.0.0.0 stands for all.',
			});
	}
};

const listenOnTcp = async (server: Server, host: string, port: number): Promise<number> => {
	try {
		server.listen({host, port});
		await once(server, 'listening');
	} catch (error) {
		throw listenFailed(error, host, port);
	}
	return (server.address() as AddressInfo).port;
};

const closeServer = async (server: Server): Promise<void> => {
	if (!server.listening) return;
	const closed = new Promise(resolve => server.close(resolve));
	server.closeIdleConnections();
	const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
	await closed;
	clearTimeout(force);
};

const makeServer = (handler: ReturnType<typeof requestHandler>): Server => {
	const server = createServer(LIMITS, handler);
	server.maxHeadersCount = MAX_HEADERS;
	server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
	server.on('clientError', (error, socket) => {
		debug('client: %s', error.message);
		if (socket.writable)
			socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
		else socket.destroy();
		// A sender that neither reads nor closes must not keep the descriptor.
		setTimeout(() => socket.destroy(), 1000).unref();
	});
	// Errors of single accepts (EMFILE, ECONNABORTED) must not end the daemon.
	server.on('error', error => debug('server: %s', error.message));
	return server;
};

/**
 * Starts to listen on TCP and on the Unix socket; both or neither.
 * @throws HekafsError HEKAFS_PORT_IN_USE, HEKAFS_ALREADY_RUNNING, HEKAFS_NOT_ROOT, HEKAFS_USAGE
 */
export const startHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
	const closing = new AbortController();
	const shared = {
		routes: routeTable(options),
		verifier: new SignatureVerifier(options.now === undefined ? {} : {now: options.now}),
		self: options.self,
		secret: options.secret,
		watchers: new Watchers(),
		closing: closing.signal,
	};
	const tcp = makeServer(requestHandler('tcp', shared));
	tcp.maxConnections = MAX_CONNECTIONS;
	tcp.timeout = IDLE_TIMEOUT_MS;
	const socket = makeServer(requestHandler('socket', shared));
	const port = options.tcp === null ? undefined : await listenOnTcp(tcp, options.tcp.host, options.tcp.port);
	let removeSocket: () => Promise<void>;
	try {
		removeSocket = await listenOnUnixSocket(socket, options.socketPath);
	} catch (error) {
		await closeServer(tcp);
		throw error;
	}
	debug('listening on port %s and %s', port, options.socketPath);
	return {
		port,
		socketPath: options.socketPath,
		async [Symbol.asyncDispose]() {
			await removeSocket();
			closing.abort(new Error('hekafsd is stopping'));
			await Promise.all([closeServer(tcp), closeServer(socket)]);
		},
	};
};
