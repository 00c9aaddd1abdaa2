/** What a change of the server set is made of: the steps as data, what a planner looks at, and what it answers. Pure. */
import {type HekafsErrorCode} from '../errors.ts';
import {type ChangeIntent, type SetChange} from '../membership/change.ts';
import {type NodeUuid, type SetId} from '../membership/ids.ts';
import {type Marker, type SetRecord} from '../membership/marker.ts';
import {type NodeState} from '../membership/node-state.ts';
import {type PeerAnswer} from '../membership/peer-answer.ts';
import {type Member, type StatusReport} from '../membership/report.ts';
import {type Server, type ServerSet} from '../membership/server-set.ts';
import {type Verdict} from '../membership/verdict.ts';

/** One thing to do; makes no choice. The change's old and new set are the plan's, not repeated in each step. */
export type Step =
	/** Takes the cluster's lock, through the mount in use. */
	| {readonly kind: 'lock'}
	| {readonly kind: 'unlock'}
	/** Looks again, now under the lock: all servers up, nothing pending, no split brain; a dead server that leaves is left out. */
	| {readonly kind: 'requireHealthy'; readonly except: NodeUuid | undefined}
	| {readonly kind: 'writeChange'; readonly change: ChangeIntent}
	| {readonly kind: 'removeChange'}
	/** Writers wait from here on, instead of being refused. */
	| {readonly kind: 'closeGate'}
	| {readonly kind: 'tellMembersSwitching'; readonly members: readonly NodeUuid[]}
	/** Makes a new, empty brick directory on this node. An old one is moved aside, never reused. */
	| {readonly kind: 'prepareBrick'}
	/** Each writes the change down and ends its brick, before any is started again (the fence, P1). */
	| {readonly kind: 'prepareServers'; readonly servers: readonly NodeUuid[]}
	/** Starts existing bricks under the name of the new set. */
	| {readonly kind: 'startBricks'; readonly servers: readonly NodeUuid[]}
	/** Looks again behind the fence: nothing that one of these has, the one that leaves among them, is missing on another (P2). */
	| {readonly kind: 'requireHealed'; readonly servers: readonly NodeUuid[]}
	/** Starts this node's new brick; `setId` is the set for which its directory was made. */
	| {readonly kind: 'startBrick'; readonly setId: SetId}
	/** Before any ordinary mount of the new set exists, or it would show an empty root (GLUSTER.md §6). */
	| {readonly kind: 'markNewBrick'}
	/** Mounts the new set beside the old one, not yet for users. */
	| {readonly kind: 'mountMaintenance'; readonly need: 'all' | 'quorum'}
	/** The servers of the old set decide for the new one: from here on the change only goes forward. */
	| {readonly kind: 'decide'; readonly servers: readonly NodeUuid[]}
	| {readonly kind: 'writeSecret'}
	| {readonly kind: 'writeRecord'; readonly record: SetRecord}
	| {readonly kind: 'writeMarker'; readonly marker: Marker}
	| {readonly kind: 'removeMarker'; readonly uuid: NodeUuid}
	/** Removes all markers but those of the set, writes those that are missing: what is left may have missed some of either. */
	| {readonly kind: 'matchMarkers'; readonly set: ServerSet}
	/** Gives the new mount to the overlay, once its markers agree. */
	| {readonly kind: 'adopt'}
	| {readonly kind: 'tellMembersAdopt'; readonly members: readonly NodeUuid[]}
	/** Moves this node's brick out of the way, keeping what is in it (P7). */
	| {readonly kind: 'setBrickAside'; readonly directory: string}
	| {readonly kind: 'waitHealed'};

/** What the planners look at: this node, what it has heard, and what it sees through its mount. */
export interface ClusterObservation {
	/** ISO 8601, for records. */
	readonly now: string;
	/** This node as a server: its brick's port, and the address by which the others reach it. */
	readonly self: Server;
	readonly state: NodeState | undefined;
	/** The other nodes; null while they are not known. */
	readonly members: readonly Member[] | null;
	/** Peers that glusterd lists without knowing their UUID yet: members that can't be asked. */
	readonly unidentified?: readonly string[] | undefined;
	/** What came of asking them. Who isn't in it was not asked, which counts as silence. */
	readonly answers: ReadonlyMap<NodeUuid, PeerAnswer>;
	/** Of the mount in use; undefined while nothing is mounted. */
	readonly verdict: Verdict | undefined;
	/** Servers whose bricks the mount in use is connected to. */
	readonly up: ReadonlySet<NodeUuid>;
	/** Null while they can't be counted; they are counted again under the lock. */
	readonly heals: StatusReport['heals'];
}

export interface Plan {
	readonly kind: 'plan';
	/** Undefined when the filesystem is founded. */
	readonly from: ServerSet | undefined;
	readonly to: ServerSet;
	/** What the servers of the old set decide on; undefined when the filesystem is founded. */
	readonly change: SetChange | undefined;
	readonly steps: readonly Step[];
	/** What the operator should know although it is done. */
	readonly warnings: readonly string[];
}

export interface Refusal {
	readonly kind: 'refused';
	readonly code: HekafsErrorCode;
	readonly message: string;
	readonly remedy: string;
}

export type PlanResult = Plan | Refusal;

export const refuse = (
	message: string,
	remedy: string,
	code: HekafsErrorCode = 'HEKAFS_REFUSED',
): Refusal => ({kind: 'refused', code, message, remedy});

const list = (uuids: readonly NodeUuid[], nameOf: (uuid: NodeUuid) => string): string =>
	uuids.length === 0 ? 'nobody' : uuids.map(nameOf).join(', ');

/** One sentence for `hfs_config plan` and the log. @param nameOf how a node is called; its UUID unless given */
export const describeStep = (step: Step, nameOf: (uuid: NodeUuid) => string = uuid => uuid): string => {
	switch (step.kind) {
		case 'lock':
			return 'take the lock of the cluster, so that no other node changes the set meanwhile';
		case 'unlock':
			return 'release the lock of the cluster';
		case 'requireHealthy':
			return step.except === undefined
				? 'make sure that all servers are up and nothing is waiting to be healed'
				: `make sure that all servers but ${nameOf(step.except)} are up and there is no split brain`;
		case 'writeChange':
			return `write down that epoch ${step.change.to.epoch} is about to begin`;
		case 'removeChange':
			return 'remove the note that a change is under way';
		case 'closeGate':
			return 'let writers on this node wait';
		case 'tellMembersSwitching':
			return `tell the other nodes to let writers wait: ${list(step.members, nameOf)}`;
		case 'prepareBrick':
			return 'make a new, empty brick directory on this node';
		case 'prepareServers':
			return `write the change down on ${list(step.servers, nameOf)} and stop their bricks`;
		case 'startBricks':
			return `start the bricks of ${list(step.servers, nameOf)} under the name of the new set, which cuts off clients of the old one`;
		case 'requireHealed':
			return `make sure that nothing waits to be healed among ${list(step.servers, nameOf)}`;
		case 'startBrick':
			return `start this node's new brick for set ${step.setId}`;
		case 'markNewBrick':
			return 'mark the new brick as empty on the others, so that it is filled from them';
		case 'mountMaintenance':
			return 'mount the new set beside the old one, not yet for users';
		case 'decide':
			return `let the servers of the old set decide for the new one: ${list(step.servers, nameOf)}`;
		case 'writeSecret':
			return 'make the secret by which the nodes know each other, unless there is one';
		case 'writeRecord':
			return `record epoch ${step.record.set.epoch} with ${list(
				step.record.set.servers.map(s => s.uuid),
				nameOf,
			)} in the filesystem`;
		case 'writeMarker':
			return `write the marker of ${nameOf(step.marker.uuid)}`;
		case 'removeMarker':
			return `remove the marker of ${nameOf(step.uuid)}`;
		case 'matchMarkers':
			return `make the markers those of ${list(
				step.set.servers.map(s => s.uuid),
				nameOf,
			)}`;
		case 'adopt':
			return 'verify the new mount against its markers and switch to it';
		case 'tellMembersAdopt':
			return `tell the other nodes to mount the new set: ${list(step.members, nameOf)}`;
		case 'setBrickAside':
			return `move this node's old brick ${step.directory} aside`;
		case 'waitHealed':
			return 'wait until the new server holds everything';
	}
};
