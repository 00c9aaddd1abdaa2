/** Which servers a set cannot lose: without them GlusterFS gives the others no quorum. Pure. */
import {type NodeUuid} from './ids.ts';
import {hasQuorum, type ServerSet} from './server-set.ts';

/**
 * The servers that are up and that may not go down as well: of an even set the tie-breaker, of a set that has lost others
 * perhaps all that are left.
 * @param up servers that are up now
 * @returns nothing when there is no quorum now: then nothing is left to lose
 */
export const indispensableServers = (set: ServerSet, up: ReadonlySet<NodeUuid>): readonly NodeUuid[] => {
	if (!hasQuorum(set, up)) return [];
	return set.servers
		.map(server => server.uuid)
		.filter(uuid => up.has(uuid) && !hasQuorum(set, new Set([...up].filter(other => other !== uuid))));
};
