/** Waiting in tests: poll a condition until it holds or a deadline passes; never a bare sleep. */
import {setTimeout as delay} from 'node:timers/promises';

export interface WaitOptions {
	/** Milliseconds until the wait fails. */
	readonly deadlineMs: number;
	/** What is waited for; the error names it. */
	readonly what: string;
	/** Milliseconds between two looks. */
	readonly intervalMs?: number;
}

/**
 * Calls `condition` until it returns something other than `false`, `null` or `undefined`, and returns that.
 * An exception of the condition counts as "not yet"; the last one is the cause of the error at the deadline.
 */
export const waitFor = async <T>(
	condition: () => T | Promise<T>,
	{deadlineMs, what, intervalMs = 50}: WaitOptions,
): Promise<Exclude<T, false | null | undefined>> => {
	const end = performance.now() + deadlineMs;
	let last: unknown;
	for (;;) {
		try {
			const value = await condition();
			if (value !== false && value !== null && value !== undefined) {
				return value as Exclude<T, false | null | undefined>;
			}
			last = undefined;
		} catch (error) {
			last = error;
		}
		if (performance.now() >= end) {
			throw new Error(`not within ${deadlineMs} ms: ${what}`, last === undefined ? {} : {cause: last});
		}
		await delay(intervalMs);
	}
};
