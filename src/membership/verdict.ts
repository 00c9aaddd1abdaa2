/** The verdict: does the server set that is mounted agree with what is stored inside it? Pure and total. */
import {type Generation, type NodeUuid} from './ids.ts';
import {type MarkerRead, type RecordRead} from './marker.ts';
import {type Reason} from './reason.ts';
import {type ServerSet} from './server-set.ts';

export type Verdict =
	| {readonly kind: 'agreed'; readonly generation: Generation; readonly set: ServerSet}
	| {
			readonly kind: 'disagreed';
			readonly reasons: readonly Reason[];
			/** The set that the filesystem itself records, when it is readable: what to mount instead. */
			readonly recorded: ServerSet | undefined;
	  }
	| {readonly kind: 'unknown'; readonly reasons: readonly Reason[]};

/** What one look through the mount in use has shown. */
export interface MountView {
	readonly generation: Generation;
	/** The set that this generation was mounted with. */
	readonly mounted: ServerSet;
	/** Servers whose bricks the client is connected to, from `.meta`. */
	readonly up: ReadonlySet<NodeUuid>;
	readonly record: RecordRead;
	readonly markers: readonly MarkerRead[];
}
