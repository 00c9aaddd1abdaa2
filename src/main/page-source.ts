/** What the status page of this node shows: the report, the markers that were seen, heals as they go, the last changes. */
import {type Look} from '../heal/look.ts';
import {type PageChange, type PageState} from '../http/page/state.ts';
import {type LogLine} from '../journal/log-lines.ts';
import {pathText} from '../journal/log-text.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type StatusReport} from '../membership/report.ts';

/** Who reads of changes (ADR-0034): `plain`: when, what and where, without paths and users. */
export const PAGE_CHANGES = ['plain', 'names', 'none'] as const;
export type PageChanges = (typeof PAGE_CHANGES)[number];

/** Changes shown. */
const CHANGES_MAX = 12;

const changeOf = (line: LogLine): PageChange | undefined => {
	if (line.kind !== 'record' || line.record.errno !== 0) return undefined;
	const {operation, path, to, uid, command} = line.record;
	const from = path === null ? '(no name)' : pathText(path);
	const names = {path: to === null ? from : `${from} → ${pathText(to)}`, user: `uid ${uid} (${command})`};
	return {timeMs: line.timeMs, node: line.node, operation, names};
};

/** The valid markers of a look; undefined when it saw none of them, valid or not. */
const markersOf = (look: Look | undefined): ReadonlySet<NodeUuid> | undefined =>
	look?.kind === 'seen'
		? new Set(
				look.view.markers.flatMap(read =>
					read.kind === 'marker' && read.name === read.marker.uuid ? [read.marker.uuid] : [],
				),
			)
		: undefined;

export interface PageSourceOptions {
	readonly report: () => StatusReport;
	readonly look: () => Look | undefined;
	readonly changes: PageChanges;
	readonly peerPort: number;
}

export class PageSource {
	readonly #o: PageSourceOptions;
	#changes: readonly PageChange[] = [];
	#healsPeak = 0;

	constructor(options: PageSourceOptions) {
		this.#o = options;
	}

	/** A line of the journal has become known, of now or of before. */
	learn(line: LogLine): void {
		const change = changeOf(line);
		const oldest = this.#changes.at(-1);
		if (change === undefined) return;
		if (this.#changes.length === CHANGES_MAX && oldest !== undefined && change.timeMs < oldest.timeMs) return;
		this.#changes = [...this.#changes, change].toSorted((a, b) => b.timeMs - a.timeMs).slice(0, CHANGES_MAX);
	}

	/** After each turn of the loop: what is pending is a part of the most that was. */
	counted(pending: number): void {
		this.#healsPeak = pending === 0 ? 0 : Math.max(pending, this.#healsPeak);
	}

	/** @param names whether who asks may know paths and users whatever the setting says: root on this node */
	state(names: boolean): PageState {
		const {report, look, changes, peerPort} = this.#o;
		const shown = names || changes === 'names' ? this.#changes : this.#changes.map(withoutNames);
		return {
			report: report(),
			markers: markersOf(look()),
			healsPeak: this.#healsPeak,
			changes: changes === 'none' && !names ? undefined : shown,
			peerPort,
		};
	}
}

const withoutNames = ({timeMs, node, operation}: PageChange): PageChange => ({timeMs, node, operation});
