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

/** `servers` is sorted by UUID everywhere: AFR's first child breaks ties in quorum (GLUSTER.md result 5). */
export interface ServerSet {
	readonly filesystemId: FilesystemId;
	readonly epoch: Epoch;
	readonly servers: readonly Server[];
}

const byUuid = (a: Server, b: Server): number => (a.uuid < b.uuid ? -1 : a.uuid > b.uuid ? 1 : 0);

/** A set with its servers sorted. Throws a TypeError on an empty list or a UUID that stands twice: programmer errors. */
export const makeServerSet = (
	filesystemId: FilesystemId,
	epoch: Epoch,
	servers: readonly Server[],
): ServerSet => {
	const sorted = [...servers].sort(byUuid);
	if (sorted.length === 0) throw new TypeError('a server set has at least one server');
	if (new Set(sorted.map(s => s.uuid)).size !== sorted.length)
		throw new TypeError('a server stands twice in the set');
	return {filesystemId, epoch, servers: sorted};
};

/** Derived from the filesystem, the epoch and the servers' UUIDs; addresses may change without a new set. */
export const setIdOf = (set: ServerSet): SetId =>
	createHash('sha256')
		.update([set.filesystemId, String(set.epoch), ...set.servers.map(s => s.uuid)].join('\n'))
		.digest('hex')
		.slice(0, 16) as SetId;

export const hasServer = (set: ServerSet, uuid: NodeUuid): boolean => set.servers.some(s => s.uuid === uuid);

/** Same filesystem, epoch and UUIDs. */
export const sameSet = (a: ServerSet, b: ServerSet): boolean => setIdOf(a) === setIdOf(b);

/** How many servers of the set make a majority. With two servers the first child decides ties (AFR `quorum-type auto`). */
export const majorityOf = (set: ServerSet): number => Math.floor(set.servers.length / 2) + 1;

/** Whether GlusterFS admits writes with these servers up: AFR's `quorum-type auto` rule. */
export const hasQuorum = (set: ServerSet, up: ReadonlySet<NodeUuid>): boolean => {
	const n = set.servers.filter(s => up.has(s.uuid)).length;
	return n * 2 > set.servers.length || (n * 2 === set.servers.length && up.has(set.servers[0]!.uuid));
};
