/**
 * Random schedules of changes, crashes, cuts, late and lost messages over the fast model, which runs the daemon's own votes,
 * plans and corrections. `npm run test:scenario` runs 100,000, as CI does. Each planted bug has to be found.
 */
import test from 'ava';
import {type QuickDefects} from '../support/quick-defects.ts';
import {runSchedule} from '../support/quick-schedule.ts';
import {newTally} from '../support/quick-tally.ts';
import {runSchedules} from '../support/run-schedules.ts';

const SEED = Number(process.env['HEKAFS_SEED'] ?? 1);
const COUNT = Number(process.env['HEKAFS_SCHEDULES'] ?? 500);
/** From so many on, each kind of thing that can happen has to have happened. */
const MANY = 20_000;
/** A planted bug that needs more schedules than this is as good as not found. */
const PLANTED_LIMIT = 30_000;
/** Bugs on a path that few schedules take are looked for near where they were found. */
const RARE: Readonly<Record<string, number>> = {wordIsNextEpoch: 8800, wordKeepsMarkers: 10_000};

test.serial('no schedule violates P1, P2 or P3, and each comes to rest', async t => {
	t.timeout(600_000);
	const start = performance.now();
	const result = await runSchedules(SEED, COUNT);
	if (result.kind === 'violation') {
		t.log(result.log.slice(-60).join('\n'));
		t.fail(`seed ${result.seed}: ${result.message}`);
		return;
	}
	const {tally} = result;
	t.log(`seeds ${SEED} to ${SEED + COUNT - 1}: ${Math.round(performance.now() - start)} ms`, tally);
	t.is(tally.schedules, COUNT);
	t.true(tally.writes > COUNT && tally.crashes > 0 && tally.joined + tally.retired > 0);
	if (COUNT >= MANY) for (const [what, count] of Object.entries(tally)) t.true(count > 0, what);
});

const PLANTED: Readonly<Record<string, QuickDefects>> = {
	'no fence': {noFence: true},
	'what is pending is not persisted before the restart': {forgetsPending: true},
	'the marker is written before the new brick is marked to be healed': {markerBeforeMark: true},
	'no majority of the new set': {recordWithoutQuorum: true},
	'a stale brick is reused': {reusesBricks: true},
	'nobody looks at the heals behind the fence': {noHealedCheck: true},
	'one server of the old set decides': {oneDecides: true},
	'a server goes back to the old set by itself': {goesBackAlone: true},
	'who joins stands first': {joinerFirst: true},
	'a set on the operator’s word has just the next epoch': {wordIsNextEpoch: true},
	'a set on the operator’s word keeps the markers that are there': {wordKeepsMarkers: true},
};
for (const [name, defects] of Object.entries(PLANTED)) {
	test.serial(`a planted bug is found: ${name}`, t => {
		t.timeout(120_000);
		const first = SEED + (RARE[Object.keys(defects)[0]!] ?? 0);
		for (let seed = first; seed < first + PLANTED_LIMIT; seed++) {
			try {
				runSchedule(seed, defects, newTally());
			} catch (error) {
				t.log(`seed ${seed}: ${error instanceof Error ? error.message : ''}`);
				t.pass();
				return;
			}
		}
		t.fail(`not found in ${PLANTED_LIMIT} schedules`);
	});
}
