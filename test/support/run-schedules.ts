/** Runs many schedules of the fast model, on all processors when there are many. */
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {availableParallelism} from 'node:os';
import {fileURLToPath} from 'node:url';
import {runSchedule} from './quick-schedule.ts';
import {addTally, newTally, type Tally} from './quick-tally.ts';
import {type ScheduleReport} from './schedule-process.ts';

/** Fewer are run in the process that asks, where they also count for coverage. */
const FORK_FROM = 5000;
const CHILD = fileURLToPath(new URL('schedule-process.js', import.meta.url));

export type Schedules =
	| {readonly kind: 'done'; readonly tally: Tally}
	| {
			readonly kind: 'violation';
			readonly seed: number;
			readonly message: string;
			readonly log: readonly string[];
	  };

/** One schedule again, with what happened in it. */
const explained = (seed: number): Schedules => {
	const log: string[] = [];
	try {
		runSchedule(seed, {}, newTally(), log);
	} catch (error) {
		return {kind: 'violation', seed, message: error instanceof Error ? error.message : '', log};
	}
	throw new Error(`BUG: seed ${seed} violates something only once`);
};

const inChild = async (first: number, step: number, end: number): Promise<ScheduleReport> => {
	const env = {...process.env};
	delete env['NODE_V8_COVERAGE'];
	const child = fork(CHILD, [first, step, end].map(String), {env, execArgv: []});
	const report = once(child, 'message').then(([message]) => message as ScheduleReport);
	const ended = once(child, 'exit').then(([code, signal]) => {
		throw new Error(`a process of schedules ended with ${code ?? signal}`);
	});
	// Whichever comes later is of no interest.
	ended.catch(() => undefined);
	return Promise.race([report, ended]);
};

/** Runs the schedules of the seeds from `first`, `count` of them. */
export const runSchedules = async (first: number, count: number): Promise<Schedules> => {
	const end = first + count;
	if (count < FORK_FROM) {
		const tally = newTally();
		for (let seed = first; seed < end; seed++) {
			try {
				runSchedule(seed, {}, tally);
			} catch {
				return explained(seed);
			}
		}
		return {kind: 'done', tally};
	}
	const processes = Math.min(8, availableParallelism());
	const tally = newTally();
	const reports = await Promise.all(
		Array.from({length: processes}, async (_, i) => inChild(first + i, processes, end)),
	);
	for (const report of reports) {
		if (report.kind === 'violation') return explained(report.seed);
		addTally(tally, report.tally);
	}
	return {kind: 'done', tally};
};
