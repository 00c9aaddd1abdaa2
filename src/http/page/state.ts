/** What the status page shows. */
import {type NodeUuid} from '../../membership/ids.ts';
import {type StatusReport} from '../../membership/report.ts';

/** A change of the tree, from the journal. */
export interface PageChange {
	readonly timeMs: number;
	readonly node: NodeUuid;
	/** Such as `write`. */
	readonly operation: string;
	/** Which file and by whom; left out for those who must not know. */
	readonly names?: {readonly path: string; readonly user: string};
}

export interface PageState {
	readonly report: StatusReport;
	/** Valid markers that the last look found; undefined when it found out nothing. */
	readonly markers: ReadonlySet<NodeUuid> | undefined;
	/** Most heals that were pending at a time since there were none. */
	readonly healsPeak: number;
	/** Newest first; undefined: not shown. */
	readonly changes: readonly PageChange[] | undefined;
	/** Where the other nodes have such a page. */
	readonly peerPort: number;
}
