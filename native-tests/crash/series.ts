/** Tries cases one after the other on one lab, in an order that needs few changes in between, until they or the time are over. */
import {type Case, caseName} from './cases.ts';
import {type CrashLab} from './crash-lab.ts';
import {type Result, runCase} from './run-case.ts';

export interface SeriesOptions {
	readonly cases: readonly Case[];
	/** No case begins after this, on the clock of `performance.now()`. */
	readonly untilMs: number;
	/** Uniform numbers below 1: which of several victims. */
	readonly random: () => number;
	/** @param logs what the hekafsds said lately, when it went wrong */
	readonly onResult: (result: Result, logs: string) => void;
}

/** Founding comes last: it costs everything that there is. */
const nextOf = async (lab: CrashLab, left: readonly Case[]): Promise<Case | undefined> => {
	const waiting = left.filter(one => one.change !== 'found');
	for (const one of waiting.length > 0 ? waiting : left) if (await lab.isPreparedFor(one.change)) return one;
	return waiting[0] ?? left[0];
};

/** @returns one result for each case that was tried; the lab is of no more use after one that failed, which is the last then */
export const runSeries = async (
	lab: CrashLab,
	{cases, untilMs, random, onResult}: SeriesOptions,
): Promise<readonly Result[]> => {
	const left = [...cases];
	const results: Result[] = [];
	while (left.length > 0 && performance.now() < untilMs) {
		const one = (await nextOf(lab, left))!;
		left.splice(left.indexOf(one), 1);
		let result: Result;
		try {
			await lab.prepareFor(one.change);
			result = await runCase(lab, one, cases.length - left.length, Math.floor(random() * 1000));
		} catch (error) {
			const problem = error instanceof Error ? error.message : String(error);
			result = {tried: one, ok: false, problem, settledMs: 0, became: 'nothing', acknowledged: 0};
		}
		results.push(result);
		onResult(result, result.ok ? '' : lab.logs());
		// What a failed case leaves would be counted against those after it.
		if (!result.ok) return results;
	}
	return results;
};

export const resultLine = ({tried, ok, problem, settledMs, became, acknowledged}: Result): string =>
	`${ok ? 'ok' : 'FAILED'}: ${caseName(tried)}: ${became}, ${(settledMs / 1000).toFixed(1)} s, ${acknowledged} acknowledged${problem === '' ? '' : `: ${problem}`}`;
