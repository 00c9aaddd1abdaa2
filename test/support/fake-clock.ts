/** A clock that stands still until a test lets time pass, and a generator of numbers that a seed determines. */
import {type Clock} from '../../src/heal/clock.ts';

interface Timer {
	readonly atMs: number;
	readonly sequence: number;
	readonly action: () => void;
	off: boolean;
}

const isBefore = (a: Timer, b: Timer): boolean =>
	a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);

/** Lets everything that waits for nothing but promises come to rest. */
const rest = async (): Promise<void> =>
	new Promise(resolve => {
		setImmediate(resolve);
	});

export class FakeClock implements Clock {
	#nowMs = 1000;
	#sequence = 0;
	/** A binary heap: the earliest timer is first. */
	readonly #timers: Timer[] = [];

	readonly now = (): number => this.#nowMs;

	readonly after = (ms: number, action: () => void): (() => void) => {
		const timer: Timer = {
			atMs: this.#nowMs + Math.max(0, ms),
			sequence: this.#sequence++,
			action,
			off: false,
		};
		this.#push(timer);
		return () => {
			timer.off = true;
		};
	};

	/**
	 * Lets `ms` pass: timers go off in order, each with all that follows from it.
	 * @param afterEach called when everything has come to rest after each of them; `true` ends it early
	 */
	async advance(ms: number, afterEach: () => boolean = () => false): Promise<void> {
		const untilMs = this.#nowMs + ms;
		await rest();
		for (;;) {
			const first = this.#timers[0];
			if (first === undefined || first.atMs > untilMs) break;
			this.#pop();
			if (first.off) continue;
			this.#nowMs = first.atMs;
			first.action();
			await rest();
			if (afterEach()) return;
		}
		this.#nowMs = untilMs;
	}

	/** Lets time pass until `done`. Throws after `limitMs`. */
	async until(done: () => boolean, limitMs: number, what: string): Promise<void> {
		await this.advance(0);
		if (!done()) await this.advance(limitMs, done);
		if (!done()) throw new Error(`${what}: not within ${limitMs} ms`);
	}

	/** Lets time pass until a promise is settled; its rejection is the caller's. */
	async settled<T>(promise: Promise<T>, limitMs: number): Promise<T> {
		let settled = false;
		const note = (): void => {
			settled = true;
		};
		promise.then(note, note);
		await this.until(() => settled, limitMs, 'a promise is not settled');
		return promise;
	}

	#push(timer: Timer): void {
		const heap = this.#timers;
		let i = heap.length;
		heap.push(timer);
		while (i > 0) {
			const parent = (i - 1) >> 1;
			if (!isBefore(timer, heap[parent]!)) break;
			heap[i] = heap[parent]!;
			i = parent;
		}
		heap[i] = timer;
	}

	#pop(): void {
		const heap = this.#timers;
		const last = heap.pop()!;
		if (heap.length === 0) return;
		let i = 0;
		for (;;) {
			let child = 2 * i + 1;
			if (child >= heap.length) break;
			if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
			if (!isBefore(heap[child]!, last)) break;
			heap[i] = heap[child]!;
			i = child;
		}
		heap[i] = last;
	}
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export class SeededRandom {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** In [0, 1). */
	next(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let t = this.#state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	}

	/** A whole number from 0 to `below` - 1. */
	below(limit: number): number {
		return Math.floor(this.next() * limit);
	}

	chance(probability: number): boolean {
		return this.next() < probability;
	}

	pick<T>(list: readonly T[]): T {
		return list[this.below(list.length)]!;
	}
}
