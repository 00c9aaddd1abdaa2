/**
 * Random schedules of changes, crashes, cuts, late and lost messages over the fast model, which runs the daemon's own votes,
 * plans and corrections. `HEKAFS_SCHEDULES=100000 npm run test:scenario` runs many. Each planted bug has to be found.
 */
import test from 'ava';
import {type QuickDefects} from '../support/quick-defects.ts';
import {runSchedule} from '../support/quick-schedule.ts';

const SEED = Number(process.env['HEKAFS_SEED'] ?? 1);
const COUNT = Number(process.env['HEKAFS_SCHEDULES'] ?? 500);
/** A planted bug that needs more schedules than this is as good as not found. */
const PLANTED_LIMIT = 1000;

test('no schedule violates P1, P2 or P3, and each comes to rest', t => {
	t.timeout(600_000);
	const tally = {writes: 0, crashes: 0, changes: 0};
	const start = performance.now();
	for (let seed = SEED; seed < SEED + COUNT; seed++) {
		try {
			runSchedule(seed, {}, tally);
		} catch (error) {
			const log: string[] = [];
			t.throws(() => runSchedule(seed, {}, tally, log));
			t.log(log.slice(-60).join('\n'));
			throw new Error(`seed ${seed}`, {cause: error});
		}
	}
	t.log(`seeds ${SEED} to ${SEED + COUNT - 1}: ${Math.round(performance.now() - start)} ms`, tally);
	t.true(tally.writes > COUNT && tally.crashes > 0 && tally.changes > COUNT);
});

const PLANTED: Readonly<Record<string, QuickDefects>> = {
	'no fence': {noFence: true},
	'what is pending is not persisted before the restart': {forgetsPending: true},
	'no majority of the new set': {recordWithoutQuorum: true},
	'nobody looks at the heals behind the fence': {noHealedCheck: true},
	'one server of the old set decides': {oneDecides: true},
	'a server goes back to the old set by itself': {goesBackAlone: true},
};
for (const [name, defects] of Object.entries(PLANTED)) {
	test(`a planted bug is found: ${name}`, t => {
		t.timeout(120_000);
		const tally = {writes: 0, crashes: 0, changes: 0};
		for (let seed = SEED; seed < SEED + PLANTED_LIMIT; seed++) {
			try {
				runSchedule(seed, defects, tally);
			} catch (error) {
				t.log(`seed ${seed}: ${error instanceof Error ? error.message : ''}`);
				t.pass();
				return;
			}
		}
		t.fail(`not found in ${PLANTED_LIMIT} schedules`);
	});
}
