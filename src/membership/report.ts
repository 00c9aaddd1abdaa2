/** The status report: what `GET /v1/status` answers, what peers learn from each other, what `hfs_config status` shows. */
import {z} from 'zod';
import {cleanText, decodeJson} from './decode.ts';
import {type Epoch, type FilesystemId, type Generation, type NodeUuid, type SetId} from './ids.ts';
import {type GateState} from './gate.ts';
import {type Reason, REASON_CODES, type ReasonCode} from './reason.ts';
import {
	addressSchema,
	counterSchema,
	epochSchema,
	filesystemIdSchema,
	formatSchema,
	MAX_SERVERS,
	nodeUuidSchema,
	pathSchema,
	portSchema,
	serverSetSchema,
	setIdSchema,
	timeSchema,
} from './schema.ts';
import {type ServerSet} from './server-set.ts';

/** A member of the cluster as `gluster peer status` shows it. */
export interface Member {
	readonly uuid: NodeUuid;
	/** First is the name glusterd uses; then the aliases. */
	readonly addresses: readonly string[];
	readonly connected: boolean;
}

export interface CopyReport {
	/** Reads come from it now. */
	readonly serving: boolean;
	/** When the last look at the whole filesystem began, ISO 8601; null: there is no copy. */
	readonly checkedAt: string | null;
	/** When this node's own changes were last taken over. */
	readonly updatedAt: string | null;
	/** Since `checkedAt`. */
	readonly ageSeconds: number | null;
	readonly files: number;
	/** Of content. */
	readonly bytes: number;
	/** The last look saw no change: all files are as of one moment. */
	readonly quiet: boolean;
	/** Files that the last look could not read: they are as before. */
	readonly unreadable: number;
	/** How long the last look took. */
	readonly lookMs: number;
	/** Why it is not renewed. */
	readonly problem: string | null;
}

export interface StatusReport {
	readonly format: 1;
	/** Version of the program that answers. */
	readonly version: string;
	readonly node: {readonly uuid: NodeUuid; readonly hostname: string};
	/** ISO 8601. */
	readonly time: string;
	readonly backend: 'gluster' | 'local';
	readonly filesystemId: FilesystemId | null;
	/** The set that this node believes current: from its mount when agreed, else from its state file. */
	readonly set: ServerSet | null;
	/** Attempts to change that set that are over without effect, as this node knows (docs/MEMBERSHIP.md). */
	readonly closed?: number;
	/** The new set of the change that this node carries out now. */
	readonly acting?: SetId | undefined;
	/** Whether this node runs (or ought to run) a brick of that set. */
	readonly serving: boolean;
	readonly brick: {readonly running: boolean; readonly port: number; readonly epoch: Epoch | null} | null;
	readonly gate: {readonly state: GateState; readonly generation: Generation; readonly since: string};
	readonly verdict: 'agreed' | 'disagreed' | 'unknown';
	readonly health: 'healthy' | 'degraded' | 'refusing';
	readonly reasons: readonly Reason[];
	readonly servers: ReadonlyArray<{readonly uuid: NodeUuid; readonly address: string; readonly up: boolean}>;
	readonly members: readonly Member[];
	/** Null while they can't be counted. */
	readonly heals: {readonly pending: number; readonly splitBrain: number} | null;
	/** This node's verified copy; null when it keeps none. */
	readonly copy: CopyReport | null;
	readonly mountpoint: string;
}

export type ReportRead =
	| {readonly kind: 'report'; readonly report: StatusReport}
	| {readonly kind: 'invalid'; readonly problem: string};

/** A longer answer of a peer is refused; ours has some kilobytes. */
export const MAX_REPORT_BYTES = 256 * 1024;
const MAX_VERSION_LENGTH = 64;
const MAX_HOSTNAME_LENGTH = 253;
const MAX_REASON_LENGTH = 2000;
const MAX_REASONS = 200;
const MAX_MEMBERS = 1024;
const MAX_ADDRESSES = 16;

/** Foreign text for people: its control characters must not reach a terminal. */
const text = (maxLength: number): z.ZodType<string> =>
	z
		.string()
		.max(maxLength)
		.transform(value => cleanText(value, maxLength));
const count = z.number().int().min(0);
const isKnownCode = (code: string): code is ReasonCode => (REASON_CODES as readonly string[]).includes(code);

/** Reasons whose code a newer version has added are left out, not refused: clusters are upgraded node by node. */
const reasonsSchema = z
	.array(
		z.object({
			code: text(MAX_VERSION_LENGTH),
			text: text(MAX_REASON_LENGTH),
			remedy: text(MAX_REASON_LENGTH),
		}),
	)
	.max(MAX_REASONS)
	.transform(list => list.flatMap(r => (isKnownCode(r.code) ? [{...r, code: r.code}] : [])));

const memberSchema: z.ZodType<Member> = z.object({
	uuid: nodeUuidSchema,
	addresses: z.array(addressSchema).max(MAX_ADDRESSES),
	connected: z.boolean(),
});

const copySchema = z.object({
	serving: z.boolean(),
	checkedAt: timeSchema.nullable(),
	updatedAt: timeSchema.nullable(),
	ageSeconds: count.nullable(),
	files: count,
	bytes: count,
	quiet: z.boolean(),
	unreadable: count,
	lookMs: count,
	problem: text(MAX_REASON_LENGTH).nullable(),
});

const reportSchema: z.ZodType<StatusReport> = z
	.object({
		format: formatSchema,
		version: text(MAX_VERSION_LENGTH),
		node: z.object({uuid: nodeUuidSchema, hostname: text(MAX_HOSTNAME_LENGTH)}),
		time: timeSchema,
		backend: z.enum(['gluster', 'local']),
		filesystemId: filesystemIdSchema.nullable(),
		set: serverSetSchema.nullable(),
		closed: counterSchema.default(0),
		acting: setIdSchema.optional(),
		serving: z.boolean(),
		brick: z.object({running: z.boolean(), port: portSchema, epoch: epochSchema.nullable()}).nullable(),
		gate: z.object({
			state: z.enum(['refusing', 'switching', 'open']),
			generation: count.transform(n => n as Generation),
			since: timeSchema,
		}),
		verdict: z.enum(['agreed', 'disagreed', 'unknown']),
		health: z.enum(['healthy', 'degraded', 'refusing']),
		reasons: reasonsSchema,
		servers: z
			.array(z.object({uuid: nodeUuidSchema, address: addressSchema, up: z.boolean()}))
			.max(MAX_SERVERS),
		members: z.array(memberSchema).max(MAX_MEMBERS),
		heals: z.object({pending: count, splitBrain: count}).nullable(),
		// Peers of version 0.1.0 don't have it.
		copy: copySchema.nullish().transform(value => value ?? null),
		mountpoint: pathSchema,
	})
	.refine(
		r => r.set === null || r.set.filesystemId === r.filesystemId,
		'its set belongs to another filesystem than the report',
	);

/** Reads a peer's answer. Unknown extra keys are ignored; a wrong type, size or address makes it invalid. */
export const parseReport = (bytes: Uint8Array): ReportRead => {
	const decoded = decodeJson(bytes, reportSchema, MAX_REPORT_BYTES);
	return decoded.ok ? {kind: 'report', report: decoded.value} : {kind: 'invalid', problem: decoded.problem};
};
