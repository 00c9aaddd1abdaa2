/** The intent of a change of the server set, written into the filesystem before it begins. Format and parser, pure. */
import {z} from 'zod';
import {decodeJson, encodeJson} from './decode.ts';
import {epochOnWord, nextEpoch, type NodeUuid} from './ids.ts';
import {formatSchema, nodeUuidSchema, plainServerSet, serverSetSchema, timeSchema} from './schema.ts';
import {hasServer, type ServerSet} from './server-set.ts';

/** `.hekafs/change` in the backing filesystem: present while a change of the set is under way. */
export interface ChangeIntent {
	readonly format: 1;
	readonly kind: 'found' | 'join' | 'retire';
	/** Null only when the filesystem is founded. */
	readonly from: ServerSet | null;
	readonly to: ServerSet;
	/** The server that joins or leaves. */
	readonly subject: NodeUuid;
	/** The node that carries the change out. */
	readonly by: NodeUuid;
	/** ISO 8601, for people. */
	readonly startedAt: string;
	/** A server leaves on the operator's word that its machine is off, where a quorum of the old set can't say so. */
	readonly forced: boolean;
}

/** A change from one set to the next, which the servers of the old set decide on. */
export type SetChange = ChangeIntent & {readonly from: ServerSet};

export type ChangeRead =
	| {readonly kind: 'change'; readonly change: ChangeIntent}
	| {readonly kind: 'absent'}
	| {readonly kind: 'invalid'; readonly problem: string};

export const MAX_CHANGE_BYTES = 64 * 1024;

/** One server per change, one epoch per change, one filesystem. */
const isConsistent = ({kind, from, to, subject, forced}: ChangeIntent): boolean => {
	if (kind === 'found') return from === null && to.epoch === 1 && hasServer(to, subject);
	if (from === null || from.filesystemId !== to.filesystemId) return false;
	if (to.epoch !== (forced ? epochOnWord(from.epoch) : nextEpoch(from.epoch))) return false;
	const [larger, smaller] = kind === 'join' ? [to, from] : [from, to];
	return (
		hasServer(larger, subject) &&
		!hasServer(smaller, subject) &&
		larger.servers.length === smaller.servers.length + 1 &&
		// Who stays keeps its place; who joins stands last.
		smaller.servers.every((s, i) => s.uuid === larger.servers.filter(l => l.uuid !== subject)[i]?.uuid) &&
		(kind === 'retire' || to.servers.at(-1)?.uuid === subject)
	);
};

export const changeSchema: z.ZodType<ChangeIntent> = z
	.object({
		format: formatSchema,
		kind: z.enum(['found', 'join', 'retire']),
		from: serverSetSchema.nullable(),
		to: serverSetSchema,
		subject: nodeUuidSchema,
		by: nodeUuidSchema,
		startedAt: timeSchema,
		forced: z.boolean().default(false),
	})
	.refine(isConsistent, 'its sets are not one change apart');

/** Reads the intent; `null` (there is no such file) is `absent`. */
export const parseChange = (bytes: Uint8Array | null): ChangeRead => {
	if (bytes === null) return {kind: 'absent'};
	const decoded = decodeJson(bytes, changeSchema, MAX_CHANGE_BYTES);
	return decoded.ok ? {kind: 'change', change: decoded.value} : {kind: 'invalid', problem: decoded.problem};
};

export const setChangeSchema: z.ZodType<SetChange> = changeSchema.transform((change, context) => {
	if (change.from !== null) return {...change, from: change.from};
	context.addIssue('a founding is no change of a set');
	return z.NEVER;
});

/** A change with its keys in the order in which our files have them. */
export const plainChange = ({
	format,
	kind,
	from,
	to,
	subject,
	by,
	startedAt,
	forced,
}: ChangeIntent): object => ({
	format,
	kind,
	from: from && plainServerSet(from),
	to: plainServerSet(to),
	subject,
	by,
	startedAt,
	...(forced ? {forced} : {}),
});

export const formatChange = (change: ChangeIntent): string => encodeJson(plainChange(change));
