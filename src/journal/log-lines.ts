/** The journals of all nodes as one audit trail: chosen, in the order of time, with what is missing. Pure. */
import {type NodeUuid} from '../membership/ids.ts';
import {type Entry, type JournalRecord} from './record.ts';

export interface LogQuery {
	/** This path, and what is below it; from the root, without a slash at the beginning. */
	readonly path?: Uint8Array | undefined;
	readonly node?: NodeUuid | undefined;
	readonly uid?: number | undefined;
	readonly sinceMs?: number | undefined;
}

export type LogLine =
	| {
			readonly kind: 'record';
			readonly node: NodeUuid;
			readonly timeMs: number;
			readonly record: JournalRecord;
	  }
	/** The records of these counters are not there, the last included. */
	| {
			readonly kind: 'missing';
			readonly node: NodeUuid;
			readonly timeMs: number;
			readonly from: number;
			readonly to: number;
	  }
	/** A run of hekafsd was cut off: what it did last may not be there. */
	| {readonly kind: 'cut-off'; readonly node: NodeUuid; readonly timeMs: number};

const SLASH = 0x2f;

const isAtOrBelow = (path: Uint8Array | null, wanted: Uint8Array): boolean => {
	if (path === null) return false;
	if (wanted.length === 0) return true;
	const begins = Buffer.from(path.subarray(0, wanted.length)).equals(wanted);
	return begins && (path.length === wanted.length || path[wanted.length] === SLASH);
};

/** Whether the query chooses the line. What is missing may have been about anything, so no path or user leaves it out. */
export const isChosen = (line: LogLine, query: LogQuery): boolean => {
	if (query.node !== undefined && line.node !== query.node) return false;
	if (query.sinceMs !== undefined && line.timeMs < query.sinceMs) return false;
	if (line.kind !== 'record') return true;
	const {path, to, uid} = line.record;
	if (query.uid !== undefined && uid !== query.uid) return false;
	const wanted = query.path;
	return wanted === undefined || isAtOrBelow(path, wanted) || isAtOrBelow(to, wanted);
};

/**
 * The lines of one node's journal, each record once.
 * @param entries of all its files, oldest first
 */
export const linesOfNode = (node: NodeUuid, entries: readonly Entry[]): readonly LogLine[] => {
	const records = new Map<number, JournalRecord>();
	/** First counters of runs, and whether the run before ended by itself. */
	const starts = new Map<number, {readonly run: number; readonly cleanly: boolean}>();
	for (const entry of entries) {
		if (entry.kind === 'record') records.set(entry.record.counter, entry.record);
		else if (entry.kind === 'header') starts.set(entry.header.first, entry.header);
	}
	const lines: LogLine[] = [];
	let before: number | undefined;
	for (const record of [...records.values()].toSorted((a, b) => a.counter - b.counter)) {
		const {counter, timeMs} = record;
		const start = starts.get(counter);
		if (start?.cleanly === false) lines.push({kind: 'cut-off', node, timeMs: start.run});
		else if (before !== undefined && counter > before + 1)
			lines.push({kind: 'missing', node, timeMs, from: before + 1, to: counter - 1});
		lines.push({kind: 'record', node, timeMs, record});
		before = counter;
	}
	return lines;
};

/** Merges the nodes' lines by time; those of one node stay in their order whatever its clock did. */
export const mergeLines = (nodes: ReadonlyArray<readonly LogLine[]>): readonly LogLine[] => {
	const at = nodes.map(() => 0);
	const merged: LogLine[] = [];
	for (;;) {
		let best: number | undefined;
		for (const [i, lines] of nodes.entries()) {
			const line = lines[at[i]!];
			if (line === undefined) continue;
			if (best === undefined || line.timeMs < nodes[best]![at[best]!]!.timeMs) best = i;
		}
		if (best === undefined) return merged;
		merged.push(nodes[best]![at[best]!]!);
		at[best]!++;
	}
};
