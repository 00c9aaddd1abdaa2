/** Reads a request's body, never more than a limit. */
import {type IncomingMessage} from 'node:http';
import {HttpError} from './answers.ts';
import {HekafsError} from '../errors.ts';

const tooLarge = (maxBytes: number): HttpError =>
	new HttpError(413, `the request's body is larger than ${maxBytes} bytes`, 'Send less.', {
		// What is still under way is not read.
		connection: 'close',
	});

/** @throws HttpError 413 above `maxBytes`; HekafsError HEKAFS_USAGE when the sender stops half-way */
export const readBody = async (request: IncomingMessage, maxBytes: number): Promise<Buffer> => {
	if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
	const chunks: Buffer[] = [];
	let length = 0;
	return await new Promise<Buffer>((resolve, reject) => {
		request.on('data', (chunk: Buffer) => {
			length += chunk.length;
			if (length > maxBytes) {
				request.removeAllListeners('data');
				request.pause();
				reject(tooLarge(maxBytes));
			} else chunks.push(chunk);
		});
		request.once('end', () => resolve(Buffer.concat(chunks)));
		request.once('close', () => reject(new HekafsError('HEKAFS_USAGE', 'the request ended half-way')));
		request.once('error', error =>
			reject(new HekafsError('HEKAFS_USAGE', 'the request ended half-way', {cause: error})),
		);
	});
};

/** The body as JSON; an empty one counts as `{}`. @throws HekafsError HEKAFS_USAGE */
export const parseJsonBody = (body: Buffer): unknown => {
	if (body.length === 0) return {};
	try {
		return JSON.parse(body.toString('utf8')) as unknown;
	} catch (error) {
		throw new HekafsError('HEKAFS_USAGE', "the request's body is not JSON", {cause: error});
	}
};
