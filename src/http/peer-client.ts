/** Sends a signed request to another node's hekafsd. */
import {randomBytes} from 'node:crypto';
import {HekafsError} from '../errors.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {errorFromBody} from './answers.ts';
import {exchange, TooLargeError, type Answer} from './exchange.ts';
import {type PeerReply} from './peer-requests.ts';
import {HEADERS, signRequest, verifyResponse} from './sign.ts';

const MAX_REPLY_BYTES = 64 * 1024;

export interface PostOptions {
	/** 64 hexadecimal digits. */
	readonly secret: string;
	/** The node that is meant; another one refuses the request. */
	readonly to: NodeUuid;
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
}

const parseReply = (answer: Answer, peer: string): PeerReply => {
	const invalid = (problem: string): HekafsError =>
		new HekafsError('HEKAFS_PEER_INVALID', `${peer} answered ${problem}`, {
			remedy: `Check that a hekafsd of the same version listens there, and its --listen and --peer-port.`,
		});
	let value: unknown;
	try {
		value = JSON.parse(answer.body.toString('utf8'));
	} catch {
		throw invalid(`status ${answer.status} with something that is not JSON`);
	}
	if (answer.status !== 200)
		throw errorFromBody(value, `${peer}: `) ?? invalid(`with HTTP status ${answer.status}`);
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('without an object');
	return value as PeerReply;
};

/**
 * POSTs `body` as JSON to a node and returns the object it answers with.
 * @param path one of PEER_PATHS
 * @throws HekafsError HEKAFS_PEER_UNREACHABLE (no connection, no answer in time), HEKAFS_PEER_INVALID (something else
 * answered), or the peer's own error with its code; the signal's reason when that fires first
 */
export const postSigned = async (
	address: string,
	port: number,
	path: string,
	body: unknown,
	{secret, to, timeoutMs, signal}: PostOptions,
): Promise<PeerReply> => {
	const peer = `node ${to} at ${address.includes(':') ? `[${address}]` : address}:${port}`;
	const bytes = Buffer.from(JSON.stringify(body));
	const nonce = randomBytes(16).toString('hex');
	const late = AbortSignal.timeout(timeoutMs);
	let answer: Answer;
	try {
		answer = await exchange({
			target: {
				host: address,
				port,
				path,
				method: 'POST',
				headers: signRequest(secret, {method: 'POST', path, to, body: bytes}, Date.now(), nonce),
			},
			body: bytes,
			maxBytes: MAX_REPLY_BYTES,
			signal: signal === undefined ? late : AbortSignal.any([signal, late]),
		});
	} catch (error) {
		signal?.throwIfAborted();
		if (error instanceof TooLargeError)
			throw new HekafsError('HEKAFS_PEER_INVALID', `${peer} answered too much`, {cause: error});
		const problem = late.aborted ? `did not answer within ${timeoutMs} ms` : 'can not be reached';
		throw new HekafsError('HEKAFS_PEER_UNREACHABLE', `${peer} ${problem}`, {
			...(late.aborted ? {} : {cause: error}),
			remedy: `Check that hekafsd runs there and that port ${port}/tcp is open between the nodes.`,
		});
	}
	const reply = parseReply(answer, peer);
	if (!verifyResponse(secret, nonce, answer.status, answer.body, answer.headers[HEADERS.signature]))
		throw new HekafsError('HEKAFS_PEER_INVALID', `${peer} did not sign its answer correctly`, {
			remedy: 'Another program may listen on that port, or the nodes do not share one config filesystem.',
		});
	return reply;
};
