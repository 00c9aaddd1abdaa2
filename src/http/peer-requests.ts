/** What one node may ask of another by a signed POST: the requests, their bodies and the interface that carries them out. */
import {z} from 'zod';
import {HekafsError} from '../errors.ts';
import {cleanText, decodeJson} from '../membership/decode.ts';
import {serverSetSchema} from '../membership/schema.ts';
import {type ServerSet} from '../membership/server-set.ts';

export interface PeerRequest {
	/** The server set that the request is about. */
	readonly set: ServerSet;
	/** Why it is made; one line, for logs and for `reason`. */
	readonly reason: string;
}

/** The answer's JSON object; the one who asks knows its fields. */
export type PeerReply = Readonly<Record<string, unknown>>;

/** Carries out what other nodes ask. Errors thrown as HekafsError reach the asking node with code, message and remedy. */
export interface PeerRequests {
	/** The set is about to change: close the gate as `switching` and drain. */
	switching(request: PeerRequest, context: {readonly signal: AbortSignal}): Promise<PeerReply>;
	/** Stop the brick that serves an older set than this one. */
	stopBrick(request: PeerRequest, context: {readonly signal: AbortSignal}): Promise<PeerReply>;
	/** Export this set's brick. */
	startBrick(request: PeerRequest, context: {readonly signal: AbortSignal}): Promise<PeerReply>;
	/** Mount this set and switch to it. */
	adopt(request: PeerRequest, context: {readonly signal: AbortSignal}): Promise<PeerReply>;
}

/** Bodies of other nodes: a server set of 16 servers has some kilobytes. */
export const PEER_MAX_BODY_BYTES = 64 * 1024;

/** Path of each request. */
export const PEER_PATHS = {
	switching: '/v1/peer/switching',
	stopBrick: '/v1/peer/stop-brick',
	startBrick: '/v1/peer/start-brick',
	adopt: '/v1/peer/adopt',
} as const satisfies Record<keyof PeerRequests, string>;

const MAX_REASON_CHARS = 500;

const schema: z.ZodType<PeerRequest> = z.object({
	set: serverSetSchema,
	// Control characters of a foreign text must not reach logs or terminals.
	reason: z.string().transform(text => cleanText(text, MAX_REASON_CHARS)),
});

/** Parses a body. @throws HekafsError HEKAFS_PEER_INVALID that names the wrong field */
export const parsePeerRequest = (body: Uint8Array): PeerRequest => {
	const decoded = decodeJson(body, schema, PEER_MAX_BODY_BYTES);
	if (decoded.ok) return decoded.value;
	throw new HekafsError('HEKAFS_PEER_INVALID', `the request's body is not valid: ${decoded.problem}`, {
		remedy: 'Run the same version of HekaFS on all nodes.',
	});
};
