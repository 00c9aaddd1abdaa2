/** What one node may ask of another by a signed POST: the requests, their bodies and the interface that carries them out. */
import {HekafsError} from '../errors.ts';
import {parseEpoch, parseFilesystemId, parseNodeUuid} from '../membership/ids.ts';
import {makeServerSet, type Server, type ServerSet} from '../membership/server-set.ts';

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

/** Path of each request. */
export const PEER_PATHS = {
	switching: '/v1/peer/switching',
	stopBrick: '/v1/peer/stop-brick',
	startBrick: '/v1/peer/start-brick',
	adopt: '/v1/peer/adopt',
} as const satisfies Record<keyof PeerRequests, string>;

/** More servers than any sensible set; bounds what a hostile body can make us do. */
const MAX_SERVERS = 64;
const MAX_REASON_CHARS = 500;
const ADDRESS = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,253}$/;

const invalid = (what: string): HekafsError =>
	new HekafsError('HEKAFS_PEER_INVALID', `the request's body is not valid: ${what}`, {
		remedy: 'Run the same version of HekaFS on all nodes.',
	});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const parseServer = (value: unknown): Server => {
	if (!isRecord(value)) throw invalid('a server is not an object');
	const {uuid, address, port} = value;
	const parsed = typeof uuid === 'string' ? parseNodeUuid(uuid) : undefined;
	if (parsed === undefined) throw invalid("a server's uuid");
	if (typeof address !== 'string' || !ADDRESS.test(address)) throw invalid(`the address of server ${parsed}`);
	if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
		throw invalid(`the port of server ${parsed}`);
	return {uuid: parsed, address, port};
};

const parseSet = (value: unknown): ServerSet => {
	if (!isRecord(value)) throw invalid('set is not an object');
	const filesystemId =
		typeof value['filesystemId'] === 'string' ? parseFilesystemId(value['filesystemId']) : undefined;
	if (filesystemId === undefined) throw invalid('set.filesystemId');
	const epoch = parseEpoch(value['epoch']);
	if (epoch === undefined) throw invalid('set.epoch');
	const {servers} = value;
	if (!Array.isArray(servers) || servers.length === 0 || servers.length > MAX_SERVERS)
		throw invalid(`set.servers is not a list of 1 to ${MAX_SERVERS} servers`);
	const parsed = servers.map(parseServer);
	if (new Set(parsed.map(s => s.uuid)).size !== parsed.length) throw invalid('a server stands twice');
	return makeServerSet(filesystemId, epoch, parsed);
};

/** Parses a body. @throws HekafsError HEKAFS_PEER_INVALID that names the wrong field */
export const parsePeerRequest = (value: unknown): PeerRequest => {
	if (!isRecord(value)) throw invalid('not an object');
	const {reason} = value;
	if (typeof reason !== 'string') throw invalid('reason is not a text');
	return {
		set: parseSet(value['set']),
		// Control characters of a foreign text must not reach logs or terminals.
		reason: reason.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_REASON_CHARS),
	};
};
