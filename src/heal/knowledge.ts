/** What discovery has learnt, as far as the loop needs it. */
import {type FilesystemId, type NodeUuid, type SetId} from '../membership/ids.ts';
import {type Reason} from '../membership/reason.ts';
import {type ServerSet} from '../membership/server-set.ts';

export interface ReportedSet {
	readonly node: NodeUuid;
	readonly set: ServerSet;
}

export interface Knowledge {
	/** False until the first answer of discovery. */
	readonly asked: boolean;
	/** Whether this node has no other members. */
	readonly alone: boolean;
	/** The sets that peers report. */
	readonly sets: readonly ReportedSet[];
	/** The new sets of the changes that peers carry out now. */
	readonly acting: readonly SetId[];
	/** What may explain a trouble, but is none by itself: peers that don't answer. */
	readonly hints: readonly Reason[];
}

/** The set of the newest epoch that peers report, of our filesystem if we have one. */
export const newestOf = (
	sets: readonly ReportedSet[],
	filesystemId: FilesystemId | undefined,
): ServerSet | undefined =>
	sets
		.map(reported => reported.set)
		.filter(set => filesystemId === undefined || set.filesystemId === filesystemId)
		.reduce<ServerSet | undefined>(
			(newest, set) => (newest !== undefined && newest.epoch >= set.epoch ? newest : set),
			undefined,
		);
