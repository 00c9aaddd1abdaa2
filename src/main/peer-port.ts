/** Signed requests to other nodes: finds where a node answers and posts there. */
import {HekafsError} from '../errors.ts';
import {type PeerPort, type PeerRequest, type Question} from '../heal/ports.ts';
import {postSigned} from '../http/peer-client.ts';
import {parseAnswer, PEER_PATHS, type PeerReply} from '../http/peer-requests.ts';
import {type NodeUuid} from '../membership/ids.ts';

/** Longer than a brick's stop and start, or a mount and its verification, takes on a loaded machine. */
const REQUEST_TIMEOUT_MS = 40_000;

/** Votes wait for a state file and for a brick to end; a server that hangs must not hold the others up. */
const VOTE_TIMEOUT_MS = 8000;

const PATHS = {
	switching: PEER_PATHS.switching,
	adopt: PEER_PATHS.adopt,
} as const satisfies Record<PeerRequest['kind'], string>;

const isVote = (kind: Question['kind']): boolean =>
	kind === 'promise' || kind === 'accept' || kind === 'abandon';

/**
 * @param addressesOf where a node may be reached, best first
 * @param port of hekafsd on all nodes
 */
export const peerPort = (
	addressesOf: (peer: NodeUuid) => readonly string[],
	port: number,
	reason: () => string,
): PeerPort => {
	const send = async (
		peer: NodeUuid,
		path: string,
		body: object,
		secret: string,
		timeoutMs: number,
	): Promise<PeerReply> => {
		const addresses = addressesOf(peer);
		let last: unknown = new HekafsError('HEKAFS_PEER_UNREACHABLE', `no address of node ${peer} is known`, {
			remedy: 'See with: gluster pool list',
		});
		for (const address of addresses) {
			try {
				return await postSigned(address, port, path, body, {secret, to: peer, timeoutMs});
			} catch (error) {
				last = error;
				// Only where nobody answered can another address help; an answer is an answer.
				if (!(error instanceof HekafsError) || error.code !== 'HEKAFS_PEER_UNREACHABLE') throw error;
			}
		}
		throw last;
	};
	return {
		post: async (peer, {kind, set}, secret) => {
			await send(peer, PATHS[kind], {set, reason: reason()}, secret, REQUEST_TIMEOUT_MS);
		},
		ask: async (peer, change, question, secret) => {
			const body = {change, question, reason: reason()};
			const timeoutMs = isVote(question.kind) ? VOTE_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
			return parseAnswer(await send(peer, PEER_PATHS.change, body, secret, timeoutMs));
		},
	};
};
