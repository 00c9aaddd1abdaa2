/** What heal/ needs from the rest of the daemon; compose.ts checks that gluster/, discovery/, http/ and overlay/ fit. */
import {type SetChange} from '../membership/change.ts';
import {type Generation, type NodeUuid} from '../membership/ids.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {type Answer, type Ask} from '../membership/vote.ts';
import {type Store} from './store.ts';

/** One private mount of the backing filesystem. */
export interface GenerationMount {
	readonly generation: Generation;
	/** The set it was mounted with. Undefined for a local directory, which has no servers. */
	readonly set: ServerSet | undefined;
	readonly path: string;
	/** Number of the FUSE connection that must be mounted there; undefined for a local directory. */
	readonly connection?: number;
	/** For looks: never waits behind a change. */
	readonly looking: Store;
	readonly store: Store;
	/** The servers whose bricks the client is connected to. Rejects when the mount does not answer. */
	up(): Promise<ReadonlySet<NodeUuid>>;
	/** Servers whose bricks take a connection now; never rejects. */
	reachable(): Promise<ReadonlySet<NodeUuid>>;
	/** Whether its process still runs and the mount is still there. */
	alive(): Promise<boolean>;
	/** Unmounts (lazily if need be) and ends its processes; never rejects, ends within seconds. */
	end(): Promise<void>;
}

export interface Mounts {
	/** A new generation beside whatever is mounted. Rejects with HEKAFS_MOUNT_FAILED. */
	mount(set: ServerSet): Promise<GenerationMount>;
}

/** This node's brick and its self-heal daemon. */
export interface Bricks {
	/** Port of this node's brick. */
	readonly port: number;
	/** Makes a new, empty brick directory for joining in `set`; one that is already there is moved aside. @returns its path */
	prepare(set: ServerSet): Promise<string>;
	/** Starts glusterfsd on an existing brick directory, exporting the set's name; ends one that exports another first. */
	start(set: ServerSet, directory: string): Promise<void>;
	stop(): Promise<void>;
	/** Whether the brick runs just as `start` would start it now. */
	running(set: ServerSet, directory: string): Promise<boolean>;
	/** Moves a brick directory aside. @returns where it is now */
	setAside(directory: string): Promise<string>;
	/**
	 * Heals between the servers of `set`. @param under the set whose name they export, unless it is this one: before a new
	 * set is decided, a daemon that does not know the server that leaves would forget what that one missed
	 */
	startSelfHeal(set: ServerSet, under?: ServerSet): Promise<void>;
	stopSelfHeal(): Promise<void>;
	/** Marks the brick of `joining` as new on the bricks of the set (GLUSTER.md 6). */
	markNew(set: ServerSet, joining: NodeUuid): Promise<void>;
	/**
	 * Pending heals and split brain entries. @param only of these servers among each other; of the whole set unless given
	 * @param under as for `startSelfHeal`
	 */
	countHeals(set: ServerSet, only?: ReadonlySet<NodeUuid>, under?: ServerSet): Promise<Heals>;
}

export interface Heals {
	readonly pending: number;
	readonly splitBrain: number;
	/** Bricks that could not be asked. */
	readonly unreachable: number;
}

/** This node's verified copy. */
export interface CopiesSeen {
	/** Undefined: there is none of this filesystem. */
	readonly copy: {readonly checkedMs: number} | undefined;
	/** Why it is not renewed. */
	readonly problem: string | undefined;
	/** Everything that this node's users have changed is in it. */
	readonly complete: boolean;
}

/** The overlay, as far as the loop moves it. */
export interface OverlayControl {
	switchTo(generation: number, root: {readonly path: string}): Promise<void>;
	detach(): void;
	gateChanged(): void;
	/** Reads come from the newest verified copy, if there is one of this filesystem; harmless when they do already. */
	serveCopy(): void;
	/** Reads come from the generation in use; harmless when they do already. */
	serveMount(): void;
	/**
	 * How long ago, in ms, a user's change went well through the mount while reads came from the copy, which ended that;
	 * undefined: never.
	 */
	mountAnsweredMsAgo(): number | undefined;
	copies(): CopiesSeen;
}

/** Requests to other nodes' hekafsd, signed with the cluster's secret. */
export interface PeerPort {
	/** Rejects with HEKAFS_PEER_UNREACHABLE or with what the peer answered. */
	post(peer: NodeUuid, request: PeerRequest, secret: string): Promise<void>;
	/** Asks a server of the old set about a change. Rejects as `post` does. */
	ask(peer: NodeUuid, change: SetChange, question: Question, secret: string): Promise<Answer>;
}

export type PeerRequest =
	{readonly kind: 'switching'; readonly set: ServerSet} | {readonly kind: 'adopt'; readonly set: ServerSet};

/** What a server may be asked about a change: to vote, and to carry out what it has written down. */
export type Question =
	| Ask
	/** Start the brick under the name of the new set, without a self-heal daemon. */
	| {readonly kind: 'start'}
	/** Heal the servers that stay, under the name of the new set, before the new brick is marked. */
	| {readonly kind: 'heal'};
