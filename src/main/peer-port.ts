/** Signed requests to other nodes: finds where a node answers and posts there. */
import {HekafsError} from '../errors.ts';
import {type PeerPort, type PeerRequest} from '../heal/ports.ts';
import {postSigned} from '../http/peer-client.ts';
import {PEER_PATHS} from '../http/peer-requests.ts';
import {type NodeUuid} from '../membership/ids.ts';

/** Longer than a brick's stop and start, or a mount and its verification, takes on a loaded machine. */
const REQUEST_TIMEOUT_MS = 40_000;

const PATHS = {
	switching: PEER_PATHS.switching,
	'stop-brick': PEER_PATHS.stopBrick,
	'start-brick': PEER_PATHS.startBrick,
	adopt: PEER_PATHS.adopt,
} as const satisfies Record<PeerRequest['kind'], string>;

/**
 * @param addressesOf where a node may be reached, best first
 * @param port of hekafsd on all nodes
 */
export const peerPort = (
	addressesOf: (peer: NodeUuid) => readonly string[],
	port: number,
	reason: () => string,
): PeerPort => ({
	post: async (peer, request, secret) => {
		const addresses = addressesOf(peer);
		let last: unknown = new HekafsError('HEKAFS_PEER_UNREACHABLE', `no address of node ${peer} is known`, {
			remedy: 'See with: gluster pool list',
		});
		for (const address of addresses) {
			try {
				await postSigned(
					address,
					port,
					PATHS[request.kind],
					{set: request.set, reason: reason()},
					{
						secret,
						to: peer,
						timeoutMs: REQUEST_TIMEOUT_MS,
					},
				);
				return;
			} catch (error) {
				last = error;
				// Only where nobody answered can another address help; an answer is an answer.
				if (!(error instanceof HekafsError) || error.code !== 'HEKAFS_PEER_UNREACHABLE') throw error;
			}
		}
		throw last;
	},
});
