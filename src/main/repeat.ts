/** Repeats background work at its own pace: it never takes more than its share of the time of the servers that it asks. */

export interface Pace {
	/** From the end of one turn to the beginning of the next, at least; the first one comes so long after the start. */
	readonly everyMs: number;
	/** A turn takes no more than one part in `share` of the time: after a long one there is a longer rest. */
	readonly share: number;
	/** No rest is longer. */
	readonly restMaxMs: number;
}

/** The rest after a turn. Pure. @param tookMs how long the turn took */
export const restAfter = ({everyMs, share, restMaxMs}: Pace, tookMs: number): number =>
	Math.max(everyMs, Math.min(restMaxMs, tookMs * (share - 1)));

/**
 * Runs turns, one after the other, until it is told to end.
 * @param turn must not reject
 * @returns what ends it; a turn that is under way is not waited for
 */
export const repeat = (pace: Pace, turn: () => Promise<void>): (() => void) => {
	let timer: NodeJS.Timeout | undefined;
	let ended = false;
	const after = (ms: number): void => {
		timer = setTimeout(() => void run(), ms);
	};
	const run = async (): Promise<void> => {
		const startMs = performance.now();
		await turn();
		if (!ended) after(restAfter(pace, performance.now() - startMs));
	};
	after(pace.everyMs);
	return () => {
		ended = true;
		clearTimeout(timer);
	};
};
