/** What the main thread and the thread of a generation's root say to each other. */
import {type SharedState} from './shared-state.ts';

/** States of the stop cell. */
export const RUN = 0;
/** Another generation is current: close what is no longer used. */
export const SUPERSEDED = 1;
/** The overlay is gone: close everything. */
export const ENDED = 2;

export interface RootThreadData {
	readonly state: SharedState;
	readonly generation: number;
	readonly path: string;
	/** One word: RUN, SUPERSEDED or ENDED. */
	readonly stop: SharedArrayBuffer;
}

/** The thread's first message: the root's attributes, or why it can't be opened. */
export type RootMessage =
	| {readonly kind: 'opened'; readonly attributes: Uint8Array; readonly isFuse: boolean}
	| {readonly kind: 'failed'; readonly errno: number}
	/** Once, after the generation became current: what was locked is locked in it, as far as it could be had. */
	| {readonly kind: 'locks moved'; readonly lost: number};
