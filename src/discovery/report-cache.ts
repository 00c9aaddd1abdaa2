/** The last report of each node, with its age: what is still known of a node that does not answer any more. */
import {LRUCache} from 'lru-cache';
import {type NodeUuid} from '../membership/ids.ts';
import {type StatusReport} from '../membership/report.ts';

/** As many as members are read from peer status; a cluster that has more forgets the ones that were asked longest ago. */
const MAX_REPORTS = 1024;

export class ReportCache {
	readonly #reports: LRUCache<NodeUuid, {readonly report: StatusReport; readonly atMs: number}>;
	readonly #now: () => number;

	/** @param now milliseconds, monotonic */
	constructor(now: () => number = () => performance.now(), maxReports: number = MAX_REPORTS) {
		this.#reports = new LRUCache({max: maxReports});
		this.#now = now;
	}

	put(report: StatusReport): void {
		this.#reports.set(report.node.uuid, {report, atMs: this.#now()});
	}

	last(uuid: NodeUuid): {readonly report: StatusReport; readonly ageMs: number} | undefined {
		const entry = this.#reports.get(uuid);
		return entry && {report: entry.report, ageMs: this.#now() - entry.atMs};
	}
}
