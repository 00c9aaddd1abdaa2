/** The server set: who runs bricks, in which epoch. Pure. */
import {createHash} from 'node:crypto';
import {type Epoch, type FilesystemId, type NodeUuid, type SetId} from './ids.ts';

export interface Server {
	readonly uuid: NodeUuid;
	/** Name or IP address by which the other nodes reach it. */
	readonly address: string;
	/** TCP port of its brick. */
	readonly port: number;
}

/**
 * `servers` stand in the order in which they joined, the eldest first: AFR's first child breaks ties in quorum (GLUSTER.md
 * result 5), and a server that has just joined, empty, must not (docs/adr/0020-order-of-joining.md).
 */
export interface ServerSet {
	readonly filesystemId: FilesystemId;
	readonly epoch: Epoch;
	/**
	 * Tells apart the sets that were tried for one epoch, of which at most one is ever decided; grows with each attempt.
	 * 0 in the founding set, and in sets recorded before there were attempts.
	 */
	readonly attempt: number;
	readonly servers: readonly Server[];
}

/** A set of these servers in this order. Throws a TypeError on an empty list or a UUID that stands twice: programmer errors. */
export const makeServerSet = (
	filesystemId: FilesystemId,
	epoch: Epoch,
	servers: readonly Server[],
	attempt = 0,
): ServerSet => {
	if (servers.length === 0) throw new TypeError('a server set has at least one server');
	if (new Set(servers.map(s => s.uuid)).size !== servers.length)
		throw new TypeError('a server stands twice in the set');
	return {filesystemId, epoch, attempt, servers: [...servers]};
};

/** A set never changes, and is compared often. */
const ids = new WeakMap<ServerSet, SetId>();

/**
 * Derived from the filesystem, the epoch, the attempt and the servers' UUIDs in their order; addresses may change without a
 * new set. Without an attempt it is what earlier versions derived, who sorted the servers by UUID.
 */
export const setIdOf = (set: ServerSet): SetId => {
	const known = ids.get(set);
	if (known !== undefined) return known;
	const id = createHash('sha256')
		.update(
			[
				set.filesystemId,
				set.attempt === 0 ? String(set.epoch) : `${set.epoch}.${set.attempt}`,
				...set.servers.map(s => s.uuid),
			].join('\n'),
		)
		.digest('hex')
		.slice(0, 16) as SetId;
	ids.set(set, id);
	return id;
};

export const hasServer = (set: ServerSet, uuid: NodeUuid): boolean => set.servers.some(s => s.uuid === uuid);

/** Same filesystem, epoch, attempt and UUIDs in the same order. */
export const sameSet = (a: ServerSet, b: ServerSet): boolean => setIdOf(a) === setIdOf(b);

/** How many servers of the set make a majority. With two servers the first child decides ties (AFR `quorum-type auto`). */
export const majorityOf = (set: ServerSet): number => Math.floor(set.servers.length / 2) + 1;

/** Whether GlusterFS admits writes with these servers up: AFR's `quorum-type auto` rule. */
export const hasQuorum = (set: ServerSet, up: ReadonlySet<NodeUuid>): boolean => {
	const n = set.servers.filter(s => up.has(s.uuid)).length;
	return n * 2 > set.servers.length || (n * 2 === set.servers.length && up.has(set.servers[0]!.uuid));
};
