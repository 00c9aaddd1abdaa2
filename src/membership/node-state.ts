/** What a node remembers of the filesystem over a restart: `state.json` in its state directory. Format and parser, pure. */
import {z} from 'zod';
import {plainChange, type SetChange, setChangeSchema} from './change.ts';
import {decodeJson, encodeJson} from './decode.ts';
import {type Epoch, type FilesystemId, type NodeUuid, type SetId} from './ids.ts';
import {
	counterSchema,
	epochSchema,
	filesystemIdSchema,
	pathSchema,
	plainServerSet,
	portSchema,
	serverSetSchema,
	setIdSchema,
	timeSchema,
} from './schema.ts';
import {hasServer, type ServerSet} from './server-set.ts';
import {type Pending} from './vote.ts';

export interface NodeBrick {
	readonly directory: string;
	readonly port: number;
	/** The set with which this directory was made: the one in which the node joined. Not what it exports today. */
	readonly setId: SetId;
}

export interface NodeState {
	readonly format: 2;
	readonly filesystemId: FilesystemId;
	/** The last set that this node has verified; while it founds the filesystem, the set to be. */
	readonly set: ServerSet;
	/** Attempts to change `set` that are over without effect. */
	readonly closed: number;
	/**
	 * A change of `set` that this node has written down and that is not concluded: its brick exports the new set's name, or
	 * nothing when it leaves. Peers are not told of that set as one that counts.
	 */
	readonly pending: Pending | null;
	/** This node's brick; without one it is a client only. */
	readonly brick: NodeBrick | null;
	/** True from the first step of founding until the markers agreed: a restart has to finish or undo it. */
	readonly founding: boolean;
	/** Where the brick of an earlier service was put, when this node was retired. */
	readonly retired: {readonly epoch: Epoch; readonly at: string; readonly directory: string} | null;
}

export type NodeStateRead =
	| {readonly kind: 'state'; readonly state: NodeState}
	| {readonly kind: 'absent'}
	| {readonly kind: 'invalid'; readonly problem: string};

export const MAX_STATE_BYTES = 64 * 1024;

const common = {
	filesystemId: filesystemIdSchema,
	set: serverSetSchema,
	brick: z.object({directory: pathSchema, port: portSchema, setId: setIdSchema}).nullable(),
	founding: z.boolean().default(false),
	retired: z.object({epoch: epochSchema, at: timeSchema, directory: pathSchema}).nullable().default(null),
};

const pendingSchema: z.ZodType<Pending> = z.object({
	change: setChangeSchema,
	promised: counterSchema,
	accepted: z.object({ballot: counterSchema, word: z.enum(['go', 'abort'])}).nullable(),
});

const currentSchema = z.object({
	...common,
	format: z.literal(2),
	closed: counterSchema.default(0),
	pending: pendingSchema.nullable().default(null),
});

/** Who joins or leaves between two sets. */
const subjectOf = (from: ServerSet, to: ServerSet): NodeUuid | undefined =>
	to.servers.find(s => !hasServer(from, s.uuid))?.uuid ??
	from.servers.find(s => !hasServer(to, s.uuid))?.uuid;

/** Format 1 had only the next set: the change that it belongs to is made up. */
const changeOf = (from: ServerSet, to: ServerSet): SetChange | undefined => {
	const subject = subjectOf(from, to);
	if (subject === undefined) return undefined;
	const kind = to.servers.length > from.servers.length ? 'join' : 'retire';
	const startedAt = new Date(0).toISOString();
	return {format: 1, kind, from, to, subject, by: subject, startedAt, forced: false};
};

const firstSchema = z
	.object({...common, format: z.literal(1), next: serverSetSchema.nullable().default(null)})
	.transform(({next, ...state}) => {
		const change = next === null ? undefined : changeOf(state.set, next);
		const pending = change === undefined ? null : {change, promised: 0, accepted: null};
		return {...state, format: 2 as const, closed: 0, pending};
	});

const stateSchema: z.ZodType<NodeState> = z
	.discriminatedUnion('format', [currentSchema, firstSchema], {
		error: 'unknown format: it was written by another version of HekaFS',
	})
	.refine(s => s.set.filesystemId === s.filesystemId, 'its set belongs to another filesystem');

/** Reads `state.json`, of this format or the one before; `null` (there is no such file) is `absent`. */
export const parseNodeState = (bytes: Uint8Array | null): NodeStateRead => {
	if (bytes === null) return {kind: 'absent'};
	const decoded = decodeJson(bytes, stateSchema, MAX_STATE_BYTES);
	return decoded.ok ? {kind: 'state', state: decoded.value} : {kind: 'invalid', problem: decoded.problem};
};

export const formatNodeState = ({
	format,
	filesystemId,
	set,
	closed,
	pending,
	brick,
	founding,
	retired,
}: NodeState): string =>
	encodeJson({
		format,
		filesystemId,
		set: plainServerSet(set),
		closed,
		pending: pending && {
			change: plainChange(pending.change),
			promised: pending.promised,
			accepted: pending.accepted && {ballot: pending.accepted.ballot, word: pending.accepted.word},
		},
		brick: brick && {directory: brick.directory, port: brick.port, setId: brick.setId},
		founding,
		retired: retired && {epoch: retired.epoch, at: retired.at, directory: retired.directory},
	});
