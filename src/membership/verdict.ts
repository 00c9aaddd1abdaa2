/** The verdict: does the server set that is mounted agree with what is stored inside it? Pure and total. */
import {type Generation, type NodeUuid} from './ids.ts';
import {isMarkerName, type MarkerRead, type RecordRead} from './marker.ts';
import {reasonFor} from './reasons.ts';
import {type Reason} from './reason.ts';
import {hasQuorum, hasServer, sameSet, type ServerSet} from './server-set.ts';

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

/** What one marker says against the mounted set. */
const judgeMarker = (read: MarkerRead, mounted: ServerSet): Reason | undefined => {
	if (read.kind === 'invalid') return reasonFor.markerInvalid(read.name, read.problem);
	const {name, marker} = read;
	if (name !== marker.uuid) return reasonFor.markerInvalid(name, `it is the marker of ${marker.uuid}`);
	if (marker.filesystemId !== mounted.filesystemId)
		return reasonFor.filesystemDiffers(`marker ${name}`, marker.filesystemId, mounted.filesystemId);
	if (!hasServer(mounted, marker.uuid)) return reasonFor.markerForeign(name, marker, mounted);
	// A server that joined later than the mounted set: there is a newer set.
	if (marker.since > mounted.epoch) return reasonFor.epochDiffers(`marker ${name}`, marker.since, mounted);
	return undefined;
};

const judgeRecord = (read: RecordRead, mounted: ServerSet): Reason | undefined => {
	if (read.kind === 'absent') return reasonFor.markersUnreadable('.hekafs/set is missing');
	if (read.kind === 'invalid')
		return reasonFor.markersUnreadable(`.hekafs/set is not valid: ${read.problem}`);
	const {set} = read.record;
	if (set.filesystemId !== mounted.filesystemId)
		return reasonFor.filesystemDiffers('.hekafs/set', set.filesystemId, mounted.filesystemId);
	return sameSet(set, mounted) ? undefined : reasonFor.epochDiffers('.hekafs/set', set, mounted);
};

/**
 * Judges what was read through a mount (P1, P3). `agreed` only when the record is the mounted set (filesystem, epoch,
 * servers), the markers are exactly those of its servers, and enough servers are up to write. Without quorum, or with
 * nothing valid to read, it is `unknown`: what was read may be old. Else each difference is a reason of its own.
 */
export const judge = ({generation, mounted, up, record, markers}: MountView): Verdict => {
	const reasons: Reason[] = [];
	const quorum = hasQuorum(mounted, up);
	if (!quorum) reasons.push(reasonFor.tooFewServers(mounted, up));
	const recordReason = judgeRecord(record, mounted);
	if (recordReason !== undefined) reasons.push(recordReason);
	const read = markers.filter(m => isMarkerName(m.name));
	for (const marker of read) {
		const reason = judgeMarker(marker, mounted);
		if (reason !== undefined) reasons.push(reason);
	}
	const marked = new Set(read.flatMap(m => (m.kind === 'marker' ? [m.marker.uuid] : [])));
	for (const server of mounted.servers)
		if (!marked.has(server.uuid)) reasons.push(reasonFor.markerMissing(server, mounted));
	if (reasons.length === 0) return {kind: 'agreed', generation, set: mounted};
	const nothingValid = record.kind !== 'record' && marked.size === 0;
	if (!quorum || nothingValid) return {kind: 'unknown', reasons};
	return {
		kind: 'disagreed',
		reasons,
		recorded: record.kind === 'record' ? record.record.set : undefined,
	};
};
