/** Answers one HTTP request by the route table: finds the route, checks door, method, size and signature, runs it. */
import {type IncomingMessage, type ServerResponse} from 'node:http';
import createDebug from 'debug';
import {HekafsError} from '../errors.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {errorBody, HttpError, send, sendError, toJsonText} from './answers.ts';
import {type ControlMessage} from './control.ts';
import {PEER_MAX_BODY_BYTES} from './peer-requests.ts';
import {parseJsonBody, readBody} from './request-body.ts';
import {PAGE_HEADERS} from './page/document.ts';
import {type Watchers} from './page/events.ts';
import {methodsOf, TEXT_TYPE, type Door, type Route} from './routes.ts';
import {HEADERS, isSecret, readSignatureHeaders, signResponse, type SignatureVerifier} from './sign.ts';

const debug = createDebug('hekafs:http');

/** How often a long answer shows that the daemon is alive. */
export const HEARTBEAT_MS = 2000;
/** A peer's request is given up after this, whatever its sender waits for. */
const PEER_DEADLINE_MS = 60_000;
/** The secret lies in the backing filesystem, which may hang. */
const SECRET_DEADLINE_MS = 2000;

export interface HandlerOptions {
	readonly routes: readonly Route[];
	readonly verifier: SignatureVerifier;
	readonly self: () => NodeUuid;
	/** The shared secret, 64 hexadecimal digits; undefined while it isn't known. */
	readonly secret: () => Promise<string | undefined>;
	readonly watchers: Watchers;
	/** Aborted when the server closes. */
	readonly closing: AbortSignal;
}

type RouteOf<K extends Route['kind']> = Extract<Route, {kind: K}>;
interface Exchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** Aborted when the asking program goes away or the server closes. */
	readonly signal: AbortSignal;
}

const unauthenticated = (problem: string, remedy: string): HekafsError =>
	new HekafsError('HEKAFS_UNAUTHENTICATED', problem, {remedy});

const withDeadline = async <T>(work: Promise<T>, timeoutMs: number, late: () => HekafsError): Promise<T> => {
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<never>((_resolve, reject) => {
		timer = setTimeout(() => reject(late()), timeoutMs);
	});
	try {
		return await Promise.race([work, deadline]);
	} finally {
		clearTimeout(timer);
	}
};

const findRoute = (routes: readonly Route[], door: Door, method: string, path: string): Route => {
	const route = routes.find(r => r.path === path && r.doors.includes(door));
	if (route === undefined)
		throw new HttpError(404, `there is nothing at ${path.slice(0, 200)}`, 'GET / lists what there is.');
	const methods = methodsOf(route);
	if (!methods.includes(method))
		throw new HttpError(405, `${path} does not take ${method}`, `Use ${methods.join(' or ')}.`, {
			allow: methods.join(', '),
		});
	return route;
};

const answerPeer = async (
	route: RouteOf<'peer'>,
	{request, response, signal}: Exchange,
	options: HandlerOptions,
): Promise<void> => {
	const given = readSignatureHeaders(request.headers);
	const remedy = 'Only nodes that share the secret of the config filesystem may ask this.';
	if (given.kind === 'rejected') throw unauthenticated(given.problem, remedy);
	const body = await readBody(request, PEER_MAX_BODY_BYTES);
	const secret = await withDeadline(
		options.secret(),
		SECRET_DEADLINE_MS,
		() => new HekafsError('HEKAFS_BUSY', 'the shared secret could not be read in time'),
	);
	if (secret === undefined || !isSecret(secret))
		throw unauthenticated(
			'this node does not know the shared secret yet',
			'Wait until it has mounted the config filesystem; see `hfs_config status` there.',
		);
	const content = {method: 'POST', path: route.path, to: options.self(), body};
	const verified = options.verifier.verify(secret, content, request.headers);
	if (verified.kind === 'rejected') throw unauthenticated(verified.problem, remedy);
	const late = AbortSignal.timeout(PEER_DEADLINE_MS);
	const reply = await withDeadline(
		route.handle(body, {signal: AbortSignal.any([signal, late])}),
		PEER_DEADLINE_MS,
		() => new HekafsError('HEKAFS_TIMEOUT', `${route.path} took longer than ${PEER_DEADLINE_MS / 1000} s`),
	);
	const text = toJsonText(reply);
	send(response, 200, 'application/json; charset=utf-8', text, {
		[HEADERS.signature]: signResponse(secret, given.nonce, 200, Buffer.from(text)),
	});
};

const answerOperation = async (
	route: RouteOf<'operation'>,
	{request, response, signal}: Exchange,
): Promise<void> => {
	const body = parseJsonBody(await readBody(request, route.maxBodyBytes));
	response.writeHead(200, {
		'content-type': 'application/x-ndjson; charset=utf-8',
		'cache-control': 'no-store',
	});
	response.flushHeaders();
	const write = (message: ControlMessage): void => {
		if (!response.destroyed && !response.writableEnded) response.write(`${JSON.stringify(message)}\n`);
	};
	const heartbeat = setInterval(() => {
		if (!response.destroyed) response.write('\n');
	}, HEARTBEAT_MS);
	try {
		const result = await route.run(body, {
			signal,
			line: text => write({type: 'line', text}),
			progress: (text, done, total) =>
				write({
					type: 'progress',
					text,
					...(done === undefined ? {} : {done}),
					...(total === undefined ? {} : {total}),
				}),
		});
		write({type: 'result', ...result});
	} catch (error) {
		debug('%s failed: %O', route.path, error);
		write({type: 'error', ...errorBody(error)});
	} finally {
		clearInterval(heartbeat);
		response.end();
	}
};

const answer = async (door: Door, exchange: Exchange, options: HandlerOptions): Promise<void> => {
	const {request, response, signal} = exchange;
	const path = (request.url ?? '').split('?', 1)[0]!;
	const route = findRoute(options.routes, door, request.method ?? '', path);
	switch (route.kind) {
		case 'text':
			send(response, 200, route.contentType, route.text());
			break;
		case 'page':
			if (request.headers.accept?.includes('text/html') === true)
				send(response, 200, 'text/html; charset=utf-8', route.page(door), PAGE_HEADERS);
			else send(response, 200, TEXT_TYPE, route.text(), {vary: 'accept'});
			break;
		case 'events':
			options.watchers.watch(response, {sections: () => route.sections(door), signal});
			break;
		case 'query':
			send(response, 200, route.contentType, await route.query({signal}));
			break;
		case 'peer':
			await answerPeer(route, exchange, options);
			break;
		case 'operation':
			await answerOperation(route, exchange);
			break;
		default:
			route satisfies never;
	}
};

/** A listener for node:http's `request` event. It never throws and always answers or closes the connection. */
export const requestHandler =
	(door: Door, options: HandlerOptions) =>
	(request: IncomingMessage, response: ServerResponse): void => {
		const gone = new AbortController();
		const signal = AbortSignal.any([gone.signal, options.closing]);
		request.on('error', error => debug('request: %s', error.message));
		response.on('error', error => debug('response: %s', error.message));
		response.on('close', () => {
			if (!response.writableFinished) gone.abort(new Error('the asking program has gone away'));
		});
		answer(door, {request, response, signal}, options).catch((error: unknown) => {
			debug('%s %s: %s', request.method, request.url, error instanceof Error ? error.message : error);
			sendError(response, error);
			// Bytes of a body that nobody reads would be taken for the next request.
			if (!request.complete) response.once('finish', () => request.destroy());
		});
	};
