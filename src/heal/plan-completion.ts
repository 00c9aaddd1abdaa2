/** The steps that follow the decision for a new set, for who began the change and for who completes it. Pure. */
import {type SetChange} from '../membership/change.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type SetRecord} from '../membership/marker.ts';
import {type Step} from './plan.ts';

export interface Completion {
	/** The node that completes it. */
	readonly by: NodeUuid;
	/** ISO 8601. */
	readonly now: string;
	/** Whom to tell. */
	readonly members: readonly NodeUuid[];
	/** The brick of the node that completes it, when there is one. */
	readonly brick: string | undefined;
}

const recordOf = ({kind, to, subject, forced}: SetChange, {by, now}: Completion): SetRecord => ({
	format: 1,
	set: to,
	changedBy: by,
	changedAt: now,
	...(kind === 'retire' && forced ? {givenUp: subject} : {}),
});

/** Record, markers, and everybody moves; each may have been done before. */
export const stepsAfterDecision = (change: SetChange, completion: Completion): readonly Step[] => {
	const {kind, to, subject, forced} = change;
	const joined = to.servers.find(server => server.uuid === subject);
	const {by, brick, members} = completion;
	return [
		{kind: 'writeRecord', record: recordOf(change, completion)},
		kind === 'join' && joined !== undefined
			? {
					kind: 'writeMarker',
					marker: {format: 1, filesystemId: to.filesystemId, ...joined, since: to.epoch},
				}
			: forced
				? {kind: 'matchMarkers', set: to}
				: {kind: 'removeMarker', uuid: subject},
		{kind: 'removeChange'},
		// Before this node forgets the change by adopting its set: whoever goes on after a crash must know of the brick.
		...(kind === 'retire' && subject === by && brick !== undefined
			? [{kind: 'setBrickAside', directory: brick} as const]
			: []),
		{kind: 'adopt'},
		{kind: 'tellMembersAdopt', members},
		{kind: 'unlock'},
	];
};

/** A change that was decided, and then cut off: as many servers as are needed are enough to complete it. */
export const planCompletion = (change: SetChange, completion: Completion): readonly Step[] => [
	{kind: 'mountMaintenance', need: 'quorum'},
	...stepsAfterDecision(change, completion),
];
