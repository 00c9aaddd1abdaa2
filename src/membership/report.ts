/** The status report: what `GET /v1/status` answers, what peers learn from each other, what `hfs_config status` shows. */
import {type Epoch, type FilesystemId, type Generation, type NodeUuid} from './ids.ts';
import {type GateState} from './gate.ts';
import {type Reason} from './reason.ts';
import {type ServerSet} from './server-set.ts';

/** A member of the cluster as `gluster peer status` shows it. */
export interface Member {
	readonly uuid: NodeUuid;
	/** First is the name glusterd uses; then the aliases. */
	readonly addresses: readonly string[];
	readonly connected: boolean;
}

export interface StatusReport {
	readonly format: 1;
	/** Version of the program that answers. */
	readonly version: string;
	readonly node: {readonly uuid: NodeUuid; readonly hostname: string};
	/** ISO 8601. */
	readonly time: string;
	readonly backend: 'gluster' | 'local';
	readonly filesystemId: FilesystemId | null;
	/** The set that this node believes current: from its mount when agreed, else from its state file. */
	readonly set: ServerSet | null;
	/** Whether this node runs (or ought to run) a brick of that set. */
	readonly serving: boolean;
	readonly brick: {readonly running: boolean; readonly port: number; readonly epoch: Epoch | null} | null;
	readonly gate: {readonly state: GateState; readonly generation: Generation; readonly since: string};
	readonly verdict: 'agreed' | 'disagreed' | 'unknown';
	readonly health: 'healthy' | 'degraded' | 'refusing';
	readonly reasons: readonly Reason[];
	readonly servers: ReadonlyArray<{readonly uuid: NodeUuid; readonly address: string; readonly up: boolean}>;
	readonly members: readonly Member[];
	/** Null while they can't be counted. */
	readonly heals: {readonly pending: number; readonly splitBrain: number} | null;
	readonly mountpoint: string;
}
