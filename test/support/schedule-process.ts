/**
 * A process that runs its share of the schedules, forked by the scenario test; without coverage, which would slow it down.
 * Arguments: the first seed, the step to the next, the seed to stop before. Sends one ScheduleReport.
 */
import {runSchedule} from './quick-schedule.ts';
import {newTally, type Tally} from './quick-tally.ts';

export type ScheduleReport =
	{readonly kind: 'done'; readonly tally: Tally} | {readonly kind: 'violation'; readonly seed: number};

const [first = 0, step = 1, end = 0] = process.argv.slice(2).map(Number);

// Steps that can't be done are errors by the million; nobody reads where they came from.
Error.stackTraceLimit = 0;

const run = (): ScheduleReport => {
	const tally = newTally();
	for (let seed = first; seed < end; seed += step) {
		try {
			runSchedule(seed, {}, tally);
		} catch {
			return {kind: 'violation', seed};
		}
	}
	return {kind: 'done', tally};
};

process.send?.(run());
