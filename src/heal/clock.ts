/** The time that heal/ lives in: given from outside, so that tests can let it pass as they like. */

export interface Clock {
	/** Milliseconds, monotonic. */
	readonly now: () => number;
	/** Calls `action` once, after that many milliseconds. @returns what calls it off */
	readonly after: (ms: number, action: () => void) => () => void;
}

export const systemClock: Clock = {
	now: () => performance.now(),
	after: (ms, action) => {
		const timer = setTimeout(action, ms);
		return () => clearTimeout(timer);
	},
};

export const sleep = async (clock: Clock, ms: number): Promise<void> =>
	new Promise(resolve => {
		clock.after(ms, resolve);
	});
