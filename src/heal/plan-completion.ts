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
	const {kind, to, subject} = change;
	const joined = to.servers.find(server => server.uuid === subject);
	return [
		{kind: 'writeRecord', record: recordOf(change, completion)},
		kind === 'join' && joined !== undefined
			? {
					kind: 'writeMarker',
					marker: {format: 1, filesystemId: to.filesystemId, ...joined, since: to.epoch},
				}
			: {kind: 'removeMarker', uuid: subject},
		{kind: 'removeChange'},
		{kind: 'adopt'},
		{kind: 'tellMembersAdopt', members: completion.members},
		{kind: 'unlock'},
	];
};

/** A change that was decided, and then cut off: as many servers as are needed are enough to complete it. */
export const planCompletion = (change: SetChange, completion: Completion): readonly Step[] => [
	{kind: 'mountMaintenance', need: 'quorum'},
	...stepsAfterDecision(change, completion),
];
