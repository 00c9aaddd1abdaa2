/** One HTTP request of ours and its whole answer, bounded in size and time. */
import {request as httpRequest, type IncomingHttpHeaders, type RequestOptions} from 'node:http';

export interface ExchangeOptions {
	readonly target: Omit<RequestOptions, 'headers'> & {readonly headers?: Readonly<Record<string, string>>};
	readonly body?: Uint8Array;
	readonly maxBytes: number;
	readonly signal: AbortSignal;
	/** Given: it gets the body of a 200 answer piece by piece, and `body` of the answer stays empty. */
	readonly onData?: (chunk: Buffer) => void;
}

export interface Answer {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly body: Buffer;
}

/** The answer was larger than allowed. */
export class TooLargeError extends Error {
	override readonly name = 'TooLargeError';
}

/** Rejects with the socket's error, a TooLargeError, or an AbortError when the signal fires. */
export const exchange = async (options: ExchangeOptions): Promise<Answer> =>
	await new Promise((resolve, reject) => {
		const {body, maxBytes, onData} = options;
		const request = httpRequest({
			...options.target,
			agent: false,
			signal: options.signal,
			headers: {
				...options.target.headers,
				...(body === undefined ? {} : {'content-length': body.length, 'content-type': 'application/json'}),
			},
		});
		request.on('error', reject);
		request.on('response', response => {
			const status = response.statusCode ?? 0;
			const chunks: Buffer[] = [];
			let length = 0;
			response.on('data', (chunk: Buffer) => {
				if (onData !== undefined && status === 200) {
					onData(chunk);
					return;
				}
				length += chunk.length;
				if (length > maxBytes)
					request.destroy(new TooLargeError(`the answer has more than ${maxBytes} bytes`));
				else chunks.push(chunk);
			});
			response.on('error', reject);
			response.on('aborted', () => reject(new Error('the connection broke off during the answer')));
			response.on('end', () => resolve({status, headers: response.headers, body: Buffer.concat(chunks)}));
		});
		request.end(body);
	});
