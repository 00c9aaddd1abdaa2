/**
 * The real heal code over simulated machines: each change of the set, its acting daemon killed or its machine powered off
 * before and after any of its calls. Within a minute of everything being up again there is one set, and nothing is lost.
 */
import test from 'ava';
import {before, callsOf, type Change, CHANGES, dieAt} from '../support/crash-points.ts';
import {REST_LIMIT_MS, type SimulatedRun} from '../support/simulated-run.ts';

const SEED = Number(process.env['HEKAFS_SEED'] ?? 20_260_101);

/** Every so many calls: all of them are one command, `HEKAFS_CRASH_STRIDE=1 npm run test:scenario`. */
const STRIDE = Number(process.env['HEKAFS_CRASH_STRIDE'] ?? 5);

/** A dead server that is still in the set is nothing that the cluster gets over by itself: the operator tries again. */
const endOf = async (run: SimulatedRun, change: Change): Promise<void> => {
	const dead = change.dead ?? [];
	if (dead.length > 0) {
		await run.settled(...dead);
		if (run.servers().some(number => dead.includes(number))) await run.require(change.request);
	}
	await run.rest(...dead);
};

for (const [c, change] of CHANGES.entries()) {
	test(`${change.title}: cut off anywhere, it is completed or undone`, async t => {
		const calls = await callsOf(change, SEED);
		t.true(calls > 5, `${calls} calls`);
		for (let index = c % STRIDE; index <= calls; index += STRIDE) {
			for (const phase of ['before', 'after'] as const) {
				for (const how of ['process', 'power'] as const) {
					const run = await before(change, SEED + index);
					const acting = run.cluster.daemon(change.request.node);
					dieAt(run, acting, index, phase, how);
					try {
						await run.request(change.request);
						await run.pass(3000);
						await endOf(run, change);
						t.true(run.cluster.clock.now() < 10 * REST_LIMIT_MS);
					} catch (error) {
						t.log(run.cluster.log.slice(-60).join('\n'));
						const where = `seed ${SEED}, call ${index} of ${calls}, ${phase}, ${how}`;
						throw new Error(`${where}: ${error instanceof Error ? error.message : ''}`, {cause: error});
					}
				}
			}
		}
	});
}
