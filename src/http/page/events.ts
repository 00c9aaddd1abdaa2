/** Server-sent events for the status page: each client gets the sections that have changed since it last got them. */
import {type ServerResponse} from 'node:http';
import createDebug from 'debug';
import {HttpError} from '../answers.ts';

const debug = createDebug('hekafs:http');

/** Who watches at once, at most: browsers of a few admins. More are told to come again. */
export const MAX_WATCHERS = 32;
/** How often it is looked whether something has changed. */
const LOOK_MS = 500;
/** A line at least this often, so that both sides notice a connection that is gone. */
const HEARTBEAT_MS = 10_000;
/** Who lets more than this pile up reads too slowly, or not at all. */
const MAX_UNSENT_BYTES = 256 * 1024;

export interface WatchOptions {
	/** The sections as they are now, by id. */
	readonly sections: () => Readonly<Record<string, string>>;
	/** Aborted when the client goes away or the server closes. */
	readonly signal: AbortSignal;
	readonly lookMs?: number;
	readonly heartbeatMs?: number;
}

/** The clients of one server. */
export class Watchers {
	#count = 0;

	get count(): number {
		return this.#count;
	}

	/**
	 * Answers with events until the client goes away, reads too slowly, or the server closes.
	 * @throws HttpError 503 when there are MAX_WATCHERS already
	 */
	watch(response: ServerResponse, options: WatchOptions): void {
		const {sections, signal, lookMs = LOOK_MS, heartbeatMs = HEARTBEAT_MS} = options;
		if (this.#count >= MAX_WATCHERS)
			throw new HttpError(
				503,
				`${MAX_WATCHERS} browsers watch already`,
				'Close one, or reload the page now and then.',
				{
					'retry-after': '10',
				},
			);
		const first = sections();
		this.#count++;
		response.writeHead(200, {
			'content-type': 'text/event-stream; charset=utf-8',
			'cache-control': 'no-store',
			'x-content-type-options': 'nosniff',
		});
		response.write('retry: 2000\n\n');
		const stream = new Stream(response);
		stream.tell(first);
		const looking = setInterval(() => {
			try {
				stream.tell(sections());
			} catch (error) {
				debug('sections: %O', error);
				response.destroy();
			}
		}, lookMs);
		const beating = setInterval(() => stream.write(':\n\n'), heartbeatMs);
		const end = (): void => {
			clearInterval(looking);
			clearInterval(beating);
			response.end();
		};
		signal.addEventListener('abort', end, {once: true});
		response.once('close', () => {
			this.#count--;
			end();
		});
		if (signal.aborted) end();
	}
}

class Stream {
	readonly #response: ServerResponse;
	#told: Readonly<Record<string, string>> = {};

	constructor(response: ServerResponse) {
		this.#response = response;
	}

	tell(now: Readonly<Record<string, string>>): void {
		const changed = Object.entries(now).filter(([id, text]) => this.#told[id] !== text);
		if (changed.length === 0) return;
		this.#told = now;
		const data = {time: new Date().toISOString(), sections: Object.fromEntries(changed)};
		this.write(`event: sections\ndata: ${JSON.stringify(data)}\n\n`);
	}

	write(text: string): void {
		if (this.#response.writableLength > MAX_UNSENT_BYTES) this.#response.destroy();
		else if (!this.#response.destroyed && !this.#response.writableEnded) this.#response.write(text);
	}
}
