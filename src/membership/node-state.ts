/** What a node remembers of the filesystem over a restart: `state.json` in its state directory. Format and parser, pure. */
import {z} from 'zod';
import {decodeJson, encodeJson} from './decode.ts';
import {type Epoch, type FilesystemId, type SetId} from './ids.ts';
import {
	epochSchema,
	filesystemIdSchema,
	formatSchema,
	pathSchema,
	plainServerSet,
	portSchema,
	serverSetSchema,
	setIdSchema,
	timeSchema,
} from './schema.ts';
import {type ServerSet} from './server-set.ts';

export interface NodeBrick {
	readonly directory: string;
	readonly port: number;
	/** The set with which this directory was made: the one in which the node joined. Not what it exports today. */
	readonly setId: SetId;
}

export interface NodeState {
	readonly format: 1;
	readonly filesystemId: FilesystemId;
	/** The last set that this node has verified; while it founds the filesystem, the set to be. */
	readonly set: ServerSet;
	/**
	 * A set for whose change this node's brick was started, and which this node has not seen recorded yet: what the brick
	 * exports. Peers are not told of it: a set counts once the filesystem records it.
	 */
	readonly next: ServerSet | null;
	/** This node's brick; without one it is a client only. */
	readonly brick: NodeBrick | null;
	/** True from the first step of founding until the markers agreed: a restart has to finish it. */
	readonly founding: boolean;
	/** Where the brick of an earlier service was put, when this node was retired. */
	readonly retired: {readonly epoch: Epoch; readonly at: string; readonly directory: string} | null;
}

export type NodeStateRead =
	| {readonly kind: 'state'; readonly state: NodeState}
	| {readonly kind: 'absent'}
	| {readonly kind: 'invalid'; readonly problem: string};

export const MAX_STATE_BYTES = 64 * 1024;

const stateSchema: z.ZodType<NodeState> = z
	.object({
		format: formatSchema,
		filesystemId: filesystemIdSchema,
		set: serverSetSchema,
		next: serverSetSchema.nullable().default(null),
		brick: z.object({directory: pathSchema, port: portSchema, setId: setIdSchema}).nullable(),
		founding: z.boolean().default(false),
		retired: z.object({epoch: epochSchema, at: timeSchema, directory: pathSchema}).nullable().default(null),
	})
	.refine(s => s.set.filesystemId === s.filesystemId, 'its set belongs to another filesystem');

/** Reads `state.json`; `null` (there is no such file) is `absent`. */
export const parseNodeState = (bytes: Uint8Array | null): NodeStateRead => {
	if (bytes === null) return {kind: 'absent'};
	const decoded = decodeJson(bytes, stateSchema, MAX_STATE_BYTES);
	return decoded.ok ? {kind: 'state', state: decoded.value} : {kind: 'invalid', problem: decoded.problem};
};

export const formatNodeState = ({
	format,
	filesystemId,
	set,
	next,
	brick,
	founding,
	retired,
}: NodeState): string =>
	encodeJson({
		format,
		filesystemId,
		set: plainServerSet(set),
		next: next && plainServerSet(next),
		brick: brick && {directory: brick.directory, port: brick.port, setId: brick.setId},
		founding,
		retired: retired && {epoch: retired.epoch, at: retired.at, directory: retired.directory},
	});
