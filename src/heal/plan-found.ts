/** Plans the founding of a filesystem: the first config server, epoch 1. Pure. */
import {FIRST_EPOCH, type FilesystemId} from '../membership/ids.ts';
import {makeServerSet, hasServer, setIdOf} from '../membership/server-set.ts';
import {type ClusterObservation, type PlanResult, refuse, type Refusal} from './plan.ts';
import {nodeName, sizeWarnings} from './plan-conditions.ts';

export interface FoundRequest {
	/** A new random UUID, used when this node has not begun founding before. */
	readonly newFilesystemId: FilesystemId;
	/** The operator's word that no node that can't be asked belongs to a filesystem. */
	readonly found: boolean;
}

const existing = (o: ClusterObservation): Refusal | undefined => {
	const {state, self} = o;
	if (o.verdict?.kind === 'agreed' || (state !== undefined && !state.founding))
		return state !== undefined && hasServer(state.set, self.uuid)
			? refuse('this node is a config server already', 'Look with: hfs_config status')
			: refuse(
					`this node belongs to the config filesystem ${state?.filesystemId ?? 'that it has mounted'} already`,
					'`hfs_config serve` makes it a server of that one, as soon as that is mounted: hfs_config status',
				);
	for (const [uuid, answer] of o.answers) {
		const id = answer.kind === 'report' ? answer.report.filesystemId : null;
		if (id !== null && id !== state?.filesystemId)
			return refuse(
				`there is a config filesystem already: node ${nodeName(o, uuid)} belongs to ${id}`,
				'Wait until this node has mounted it (hfs_config status); then `hfs_config serve` joins it.',
			);
	}
	return undefined;
};

/** A node that can't be asked could belong to a filesystem, and this one would be the second. */
const unasked = (o: ClusterObservation): Refusal | undefined => {
	const remedy =
		'Start what is missing; or, if you know that there is no config filesystem yet: hfs_config serve --found';
	if (o.members === null)
		return refuse(
			'the members of the cluster are not known, and one of them may have a config filesystem',
			`gluster peer status has to work. ${remedy}`,
		);
	const silent = [
		...o.members.filter(m => o.answers.get(m.uuid)?.kind !== 'report').map(m => nodeName(o, m.uuid)),
		...(o.unidentified ?? []),
	];
	if (silent.length === 0) return undefined;
	return refuse(
		`nobody who answers has a config filesystem, but these members can't be asked: ${silent.join(', ')}`,
		remedy,
	);
};

/** Refused when there is a filesystem, or could be one. A founding that was cut off is begun anew under the same id. */
export const planFound = (o: ClusterObservation, {newFilesystemId, found}: FoundRequest): PlanResult => {
	const refusal = existing(o) ?? (found ? undefined : unasked(o));
	if (refusal !== undefined) return refusal;
	const {self, now} = o;
	const filesystemId = o.state?.filesystemId ?? newFilesystemId;
	const to = makeServerSet(filesystemId, FIRST_EPOCH, [self]);
	return {
		kind: 'plan',
		from: undefined,
		to,
		change: undefined,
		steps: [
			{kind: 'prepareBrick'},
			{kind: 'startBrick', setId: setIdOf(to)},
			{kind: 'mountMaintenance', need: 'all'},
			{kind: 'writeSecret'},
			{kind: 'writeRecord', record: {format: 1, set: to, changedBy: self.uuid, changedAt: now}},
			{kind: 'writeMarker', marker: {format: 1, filesystemId, ...self, since: to.epoch}},
			{kind: 'adopt'},
		],
		warnings: sizeWarnings(to),
	};
};
