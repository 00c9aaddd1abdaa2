/** The event stream of the status page: changes only, bounded clients, heartbeats, slow readers dropped. */
import {once} from 'node:events';
import {createServer, type Server} from 'node:http';
import {connect, type AddressInfo} from 'node:net';
import test from 'ava';
import {MAX_WATCHERS, Watchers, type WatchOptions} from '../../../../src/http/page/events.ts';
import {sendError} from '../../../../src/http/answers.ts';
import {startNode} from '../../../support/http-node.ts';

interface Watched extends AsyncDisposable {
	readonly url: string;
	readonly port: number;
	readonly watchers: Watchers;
	readonly closing: AbortController;
}

const serve = async (options: Omit<WatchOptions, 'signal'>): Promise<Watched> => {
	const watchers = new Watchers();
	const closing = new AbortController();
	const server: Server = createServer((_request, response) => {
		try {
			watchers.watch(response, {...options, signal: closing.signal});
		} catch (error) {
			sendError(response, error);
		}
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}/`,
		port,
		watchers,
		closing,
		async [Symbol.asyncDispose]() {
			closing.abort();
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
};

const until = async (condition: () => boolean, what: string): Promise<void> => {
	for (const end = Date.now() + 10_000; !condition();) {
		if (Date.now() > end) throw new Error(`never: ${what}`);
		await new Promise(resolve => setTimeout(resolve, 5));
	}
};

/** Reads events as they come, in the background. */
const listen = (response: Response): {readonly text: () => string; readonly ended: Promise<void>} => {
	let text = '';
	const ended = (async () => {
		for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk;
	})();
	return {text: () => text, ended};
};
const eventsIn = (text: string): Record<string, string>[] =>
	[...text.matchAll(/^data: (.*)$/gm)].map(
		match => (JSON.parse(match[1]!) as {sections: Record<string, string>}).sections,
	);

test('first everything, then only what has changed, and heartbeats between', async t => {
	let now: Record<string, string> = {a: '1', b: '1\n2'};
	await using watched = await serve({sections: () => now, lookMs: 5, heartbeatMs: 20});
	const response = await fetch(watched.url);
	t.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
	t.is(response.headers.get('cache-control'), 'no-store');
	const stream = listen(response);
	await until(() => (stream.text().match(/^:$/gm) ?? []).length > 1, 'two heartbeats');
	now = {a: '1', b: '3'};
	await until(() => eventsIn(stream.text()).length > 1, 'a second event');
	t.deepEqual(eventsIn(stream.text()), [{a: '1', b: '1\n2'}, {b: '3'}]);
	watched.closing.abort();
	await stream.ended;
	await until(() => watched.watchers.count === 0, 'nobody watches');
});

test('more watchers than the limit are told to come again; one that leaves makes room', async t => {
	await using watched = await serve({sections: () => ({a: '1'})});
	const leaving = Array.from({length: MAX_WATCHERS}, () => new AbortController());
	await Promise.all(leaving.map(async ({signal}) => fetch(watched.url, {signal})));
	const refused = await fetch(watched.url);
	t.is(refused.status, 503);
	t.is(refused.headers.get('retry-after'), '10');
	leaving[0]!.abort();
	await until(() => watched.watchers.count === MAX_WATCHERS - 1, 'one has left');
	t.is((await fetch(watched.url)).status, 200);
	for (const each of leaving.slice(1)) each.abort();
});

test('who does not read is dropped', async t => {
	let n = 0;
	await using watched = await serve({sections: () => ({a: `${n++}`.padEnd(200_000, '.')}), lookMs: 1});
	const socket = connect(watched.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
	socket.on('error', () => undefined);
	socket.pause();
	await until(() => watched.watchers.count === 1, 'it watches');
	await until(() => watched.watchers.count === 0, 'it is dropped');
	t.true(n > 2);
	socket.destroy();
});

test('sections that can not be made end the stream, not the daemon', async t => {
	let fail = false;
	const sections = (): Record<string, string> => {
		if (fail) throw new Error('broken');
		return {a: '1'};
	};
	await using watched = await serve({sections, lookMs: 5});
	const stream = listen(await fetch(watched.url));
	await until(() => eventsIn(stream.text()).length === 1, 'the first event');
	fail = true;
	await t.throwsAsync(stream.ended);
	await until(() => watched.watchers.count === 0, 'nobody watches');
});

test('GET / is a page for browsers and text for others; both doors have events', async t => {
	await using node = await startNode();
	const url = `http://127.0.0.1:${node.port}`;
	const page = await fetch(`${url}/`, {headers: {accept: 'text/html,*/*;q=0.8'}});
	t.is(page.headers.get('content-type'), 'text/html; charset=utf-8');
	t.regex(page.headers.get('content-security-policy')!, /default-src 'none'/);
	t.is(page.headers.get('x-content-type-options'), 'nosniff');
	t.is(page.headers.get('x-frame-options'), 'DENY');
	t.is(page.headers.get('referrer-policy'), 'no-referrer');
	t.regex(await page.text(), /^<!doctype html>\n<html lang="en">/);
	t.regex(await (await fetch(`${url}/`)).text(), /GET \/v1\/events/);
	t.is((await fetch(`${url}/v1/events`, {method: 'POST'})).status, 405);
	const leaving = new AbortController();
	const events = await fetch(`${url}/v1/events`, {signal: leaving.signal});
	const reader = events.body!.getReader();
	let text = '';
	while (!text.includes('data: ')) text += Buffer.from((await reader.read()).value).toString();
	t.true('verdict' in eventsIn(text)[0]!);
	leaving.abort();
});
