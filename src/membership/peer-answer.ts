/** What came of asking one member for its status report. */
import {type StatusReport} from './report.ts';

export type PeerAnswer =
	| {
			readonly kind: 'report';
			readonly report: StatusReport;
			/** The address at which it answered. */
			readonly address: string;
			readonly elapsedMs: number;
	  }
	/** Nobody answered in time, on any address: the node may be down, cut off, or without hekafsd. */
	| {readonly kind: 'silent'; readonly problem: string}
	/** Somebody answered, but not with this member's report. */
	| {readonly kind: 'invalid'; readonly problem: string; readonly address: string};
