/** Plans the joining of this node as a further config server. Pure. */
import {type SetChange} from '../membership/change.ts';
import {nextEpoch} from '../membership/ids.ts';
import {serverNames} from '../membership/reasons.ts';
import {MAX_SERVERS} from '../membership/schema.ts';
import {hasServer, makeServerSet, type ServerSet, setIdOf} from '../membership/server-set.ts';
import {type ClusterObservation, type PlanResult, refuse, type Refusal} from './plan.ts';
import {stepsAfterDecision} from './plan-completion.ts';
import {
	agreedSet,
	allServing,
	listeners,
	nextAttempt,
	nothingToHeal,
	oneFilesystem,
	sizeWarnings,
} from './plan-conditions.ts';

/** The servers must know this node, or nobody would find it and their bricks would reject it. */
const knownToServers = (o: ClusterObservation, from: ServerSet): Refusal | undefined => {
	const known = from.servers.some(server => {
		const answer = o.answers.get(server.uuid);
		return answer?.kind === 'report' && answer.report.members.some(m => m.uuid === o.self.uuid);
	});
	return known
		? undefined
		: refuse(
				`none of the config servers (${serverNames(from)}) knows this node ${o.self.uuid} as a member`,
				`Run on one of them: gluster peer probe ${o.self.address}`,
			);
};

const refusalOf = (o: ClusterObservation, from: ServerSet): Refusal | undefined => {
	if (hasServer(from, o.self.uuid))
		return refuse('this node is a config server already', 'Look with: hfs_config status');
	if (from.servers.length >= MAX_SERVERS)
		return refuse(
			`there are ${from.servers.length} config servers already`,
			'Retire one first; three are recommended.',
		);
	if (o.members === null)
		return refuse(
			'the members of the cluster are not known, so they could not be told of the change',
			'Start glusterd, and look at: gluster peer status',
		);
	if (o.state?.brick != null)
		return refuse(
			`the brick of this node's earlier service, ${o.state.brick.directory}, has not been moved aside yet`,
			'That happens by itself within seconds; then try again.',
			'HEKAFS_BUSY',
		);
	return (
		oneFilesystem(o, from) ??
		allServing(o, from.servers) ??
		knownToServers(o, from) ??
		nothingToHeal(o, {pendingAllowed: false})
	);
};

/** Refused unless the set is verified and whole: all servers up and reachable, nothing pending, this node known to them. */
export const planJoin = (o: ClusterObservation): PlanResult => {
	const from = agreedSet(o);
	if ('kind' in from) return from;
	const refusal = refusalOf(o, from);
	if (refusal !== undefined) return refusal;
	const {self, now} = o;
	const to = makeServerSet(from.filesystemId, nextEpoch(from.epoch), [...from.servers, self], nextAttempt(o));
	const change: SetChange = {
		format: 1,
		kind: 'join',
		from,
		to,
		subject: self.uuid,
		by: self.uuid,
		startedAt: now,
		forced: false,
	};
	const members = listeners(o);
	const servers = from.servers.map(s => s.uuid);
	return {
		kind: 'plan',
		from,
		to,
		change,
		steps: [
			{kind: 'lock'},
			{kind: 'requireHealthy', except: undefined},
			{kind: 'writeChange', change},
			{kind: 'closeGate'},
			{kind: 'tellMembersSwitching', members},
			{kind: 'prepareBrick'},
			{kind: 'prepareServers', servers},
			{kind: 'startBricks', servers},
			{kind: 'requireHealed', servers},
			{kind: 'startBrick', setId: setIdOf(to)},
			{kind: 'markNewBrick'},
			{kind: 'mountMaintenance', need: 'all'},
			{kind: 'decide', servers},
			...stepsAfterDecision(change, {by: self.uuid, now, members, brick: undefined}),
			{kind: 'waitHealed'},
		],
		warnings: sizeWarnings(to),
	};
};
