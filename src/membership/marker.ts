/** Markers and the record: the files inside the filesystem that say which server set it has. Format and parser, pure. */
import {type Epoch, type FilesystemId, type NodeUuid} from './ids.ts';
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
}

/** A marker file as it was found. `name` is the file's name. */
export type MarkerRead =
	| {readonly kind: 'marker'; readonly name: string; readonly marker: Marker}
	| {readonly kind: 'invalid'; readonly name: string; readonly problem: string};

export type RecordRead =
	| {readonly kind: 'record'; readonly record: SetRecord}
	| {readonly kind: 'absent'}
	| {readonly kind: 'invalid'; readonly problem: string};
