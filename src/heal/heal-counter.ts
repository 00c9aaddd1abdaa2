/**
 * Keeps the count of pending heals. Counting costs a process, and a write in flight counts as pending for a moment; so
 * it counts at once after something has happened to a server, until two counts in a row find nothing, and seldom else.
 */
import {type ServerSet} from '../membership/server-set.ts';
import {type Heals} from './ports.ts';

/** While something is pending or was a moment ago. */
const BUSY_INTERVAL_MS = 1000;
/** While nothing has happened. */
const QUIET_INTERVAL_MS = 30_000;
/** Consecutive counts that must agree before the answer changes between "nothing" and "something" without an event. */
const AGREEING_COUNTS = 2;

export class HealCounter {
	#last: Heals | undefined;
	#nextAtMs = 0;
	#zeros = 0;
	#nonZeros = 0;
	#running = false;
	/** The answer that readers see: undefined until it is known. */
	#settled: Heals | undefined;

	/** A server went down or came up, or another set is in use: what was counted before means nothing. */
	disturb(): void {
		this.#zeros = 0;
		this.#nonZeros = AGREEING_COUNTS;
		this.#nextAtMs = 0;
		if (this.#settled !== undefined && this.#settled.pending === 0) this.#settled = undefined;
	}

	/** Undefined while it is not known. */
	get heals(): Heals | undefined {
		return this.#settled;
	}

	/** Counts when it is time to; never rejects. @returns whether the answer changed */
	async turn(nowMs: number, set: ServerSet, count: (set: ServerSet) => Promise<Heals>): Promise<boolean> {
		if (this.#running || nowMs < this.#nextAtMs) return false;
		this.#running = true;
		try {
			return this.#take(await count(set), nowMs);
		} catch {
			// Not known is an answer of its own: it keeps `healthy` away.
			this.#nextAtMs = nowMs + BUSY_INTERVAL_MS;
			const known = this.#settled !== undefined;
			this.#settled = undefined;
			return known;
		} finally {
			this.#running = false;
		}
	}

	#take(heals: Heals, nowMs: number): boolean {
		const clean = heals.pending === 0 && heals.splitBrain === 0 && heals.unreachable === 0;
		this.#zeros = clean ? this.#zeros + 1 : 0;
		this.#nonZeros = clean ? 0 : this.#nonZeros + 1;
		this.#last = heals;
		const settle = clean
			? this.#zeros >= AGREEING_COUNTS || this.#settled?.pending === 0
			: this.#nonZeros >= AGREEING_COUNTS;
		this.#nextAtMs = nowMs + (clean && settle ? QUIET_INTERVAL_MS : BUSY_INTERVAL_MS);
		if (!settle) return false;
		const changed =
			this.#settled?.pending !== this.#last.pending ||
			this.#settled.splitBrain !== this.#last.splitBrain ||
			this.#settled.unreachable !== this.#last.unreachable;
		this.#settled = this.#last;
		return changed;
	}
}
