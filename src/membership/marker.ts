/** Markers and the record: the files inside the filesystem that say which server set it has. Format and parser, pure. */
import {z} from 'zod';
import {decodeJson, encodeJson} from './decode.ts';
import {type Epoch, type FilesystemId, type NodeUuid} from './ids.ts';
import {
	addressSchema,
	epochSchema,
	filesystemIdSchema,
	formatSchema,
	nodeUuidSchema,
	plainServerSet,
	portSchema,
	serverSetSchema,
	timeSchema,
} from './schema.ts';
import {type ServerSet} from './server-set.ts';

/** `.hekafs/markers/<uuid>` in the backing filesystem: by it a config server says that it is one. */
export interface Marker {
	readonly format: 1;
	readonly filesystemId: FilesystemId;
	readonly uuid: NodeUuid;
	readonly address: string;
	readonly port: number;
	/** The epoch in which this server joined. */
	readonly since: Epoch;
}

/** `.hekafs/set` in the backing filesystem: the current server set as a whole, replaced by rename. */
export interface SetRecord {
	readonly format: 1;
	readonly set: ServerSet;
	readonly changedBy: NodeUuid;
	/** ISO 8601, for people. */
	readonly changedAt: string;
	/** The server that left on the operator's word alone: what only it had is given up. */
	readonly givenUp?: NodeUuid | undefined;
}

/** A marker file as it was found. `name` is the file's name. */
export type MarkerRead =
	| {readonly kind: 'marker'; readonly name: string; readonly marker: Marker}
	| {readonly kind: 'invalid'; readonly name: string; readonly problem: string};

export type RecordRead =
	| {readonly kind: 'record'; readonly record: SetRecord}
	| {readonly kind: 'absent'}
	| {readonly kind: 'invalid'; readonly problem: string};

/** Longer files are no markers of ours. */
export const MAX_MARKER_BYTES = 4096;
export const MAX_RECORD_BYTES = 64 * 1024;

const markerSchema: z.ZodType<Marker> = z.object({
	format: formatSchema,
	filesystemId: filesystemIdSchema,
	uuid: nodeUuidSchema,
	address: addressSchema,
	port: portSchema,
	since: epochSchema,
});

const recordSchema: z.ZodType<SetRecord> = z.object({
	format: formatSchema,
	set: serverSetSchema,
	changedBy: nodeUuidSchema,
	changedAt: timeSchema,
	givenUp: nodeUuidSchema.optional(),
});

/**
 * Whether a name in `.hekafs/markers/` counts as a marker. Names that start with a dot are files that are being written
 * (a temporary name before its rename, or what a crash left of it).
 */
export const isMarkerName = (name: string): boolean => !name.startsWith('.');

/** Reads a marker file; what is wrong with it is in `problem`. Whether the name fits the content is `judge`'s question. */
export const parseMarker = (name: string, bytes: Uint8Array): MarkerRead => {
	const decoded = decodeJson(bytes, markerSchema, MAX_MARKER_BYTES);
	return decoded.ok
		? {kind: 'marker', name, marker: decoded.value}
		: {kind: 'invalid', name, problem: decoded.problem};
};

/** Reads the set record; `null` (there is no such file) is `absent`. */
export const parseSetRecord = (bytes: Uint8Array | null): RecordRead => {
	if (bytes === null) return {kind: 'absent'};
	const decoded = decodeJson(bytes, recordSchema, MAX_RECORD_BYTES);
	return decoded.ok ? {kind: 'record', record: decoded.value} : {kind: 'invalid', problem: decoded.problem};
};

export const formatMarker = (marker: Marker): string =>
	encodeJson({
		format: marker.format,
		filesystemId: marker.filesystemId,
		uuid: marker.uuid,
		address: marker.address,
		port: marker.port,
		since: marker.since,
	});

export const formatSetRecord = (record: SetRecord): string =>
	encodeJson({
		format: record.format,
		set: plainServerSet(record.set),
		changedBy: record.changedBy,
		changedAt: record.changedAt,
		...(record.givenUp === undefined ? {} : {givenUp: record.givenUp}),
	});
