/** Conditions that several changes of the set have in common; each gives a refusal or undefined. Pure. */
import {type NodeUuid} from '../membership/ids.ts';
import {serverName} from '../membership/reasons.ts';
import {type Server, type ServerSet} from '../membership/server-set.ts';
import {attemptAbove} from '../membership/vote.ts';
import {type ClusterObservation, refuse, type Refusal} from './plan.ts';

const LOOK = 'Look with: hfs_config status';

/** A node as people know it: by its first address, when there is one, and its UUID. */
export const nodeName = (o: ClusterObservation, uuid: NodeUuid): string => {
	const address =
		o.members?.find(m => m.uuid === uuid)?.addresses[0] ??
		o.state?.set.servers.find(s => s.uuid === uuid)?.address;
	return address === undefined ? uuid : serverName({uuid, address});
};

/** Whom to tell about a change: the nodes that answer. The others are cut off by the fence and follow when they are back. */
export const listeners = (o: ClusterObservation): readonly NodeUuid[] =>
	[...o.answers]
		.filter(([uuid, answer]) => answer.kind === 'report' && uuid !== o.self.uuid)
		.map(([uuid]) => uuid);

/** The set in use, verified; or why there is none. */
export const agreedSet = (o: ClusterObservation): ServerSet | Refusal => {
	if (o.verdict?.kind === 'agreed') return o.verdict.set;
	const [reason] = o.verdict?.reasons ?? [];
	return refuse(
		`the server set can be changed only while it is verified: ${reason?.text ?? 'the config filesystem is not mounted on this node'}`,
		reason?.remedy ?? LOOK,
	);
};

/** Two filesystems in one cluster: nothing is changed until there is one. */
export const oneFilesystem = (o: ClusterObservation, set: ServerSet): Refusal | undefined => {
	for (const [uuid, answer] of o.answers) {
		const other = answer.kind === 'report' ? answer.report.filesystemId : null;
		if (other !== null && other !== set.filesystemId)
			return refuse(
				`node ${nodeName(o, uuid)} belongs to the config filesystem ${other}, this one to ${set.filesystemId}`,
				'Two config filesystems in one cluster: retire the servers of one of them first.',
			);
	}
	return undefined;
};

/** Bricks connected, and a hekafsd on each of the others that can restart its brick. */
export const allServing = (o: ClusterObservation, servers: readonly Server[]): Refusal | undefined => {
	for (const server of servers) {
		if (!o.up.has(server.uuid))
			return refuse(
				`config server ${serverName(server)} is down`,
				`Start hekafsd there, or retire a server that will never come back with: hfs_config retire ${server.uuid}`,
			);
		const answer = o.answers.get(server.uuid);
		if (server.uuid !== o.self.uuid && answer?.kind !== 'report')
			return refuse(
				`hekafsd on config server ${serverName(server)} can't be asked: ${answer?.problem ?? 'it is not among the members of this cluster'}`,
				'It has to restart its brick for the new set: start hekafsd there, and look at: gluster peer status',
				'HEKAFS_PEER_UNREACHABLE',
			);
	}
	return undefined;
};

/** @param pendingAllowed a dead server that leaves: the heals that it is waited for with can't be told from others */
export const nothingToHeal = (
	{heals}: ClusterObservation,
	{pendingAllowed}: {readonly pendingAllowed: boolean},
): Refusal | undefined => {
	if (heals === null) return undefined;
	if (heals.splitBrain > 0)
		return refuse(
			`${heals.splitBrain} files are in split brain`,
			'Choose a version of each first; `hfs_config status` says how.',
		);
	if (heals.pending > 0 && !pendingAllowed)
		return refuse(
			`${heals.pending} heals are pending`,
			'Servers heal each other by themselves: wait until `hfs_config status` says healthy, then try again.',
			'HEKAFS_BUSY',
		);
	return undefined;
};

/** What to say about the size of a set. */
export const sizeWarnings = (set: ServerSet): readonly string[] => {
	const n = set.servers.length;
	if (n === 1) return ['One config server: its disk is the only copy. Three are recommended.'];
	if (n === 2)
		return [
			`Two config servers: without ${serverName(set.servers[0]!)} nothing can be written or read. Three are recommended.`,
		];
	return n % 2 === 0 ? [`${n} config servers survive no more failures than ${n - 1}.`] : [];
};

/** An attempt above all that were made from this set, as far as anybody knows. */
export const nextAttempt = (o: ClusterObservation): number => {
	const reported = [...o.answers.values()].map(a => (a.kind === 'report' ? (a.report.closed ?? 0) : 0));
	return attemptAbove(Math.max(o.state?.closed ?? 0, ...reported), o.self.uuid);
};
