/** Random changes of files by several clients, each checked against a model in memory; the seed is printed. */
import {randomInt} from 'node:crypto';
import test from 'ava';
import {RANDOM_FILES_PROGRAM} from '../support/posix-answers.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

const CLIENTS = 4;
const OPERATIONS = 2500;

test.serial('reads, writes, maps, holes, truncations, other names: as in the model', async t => {
	// HEKAFS_SEED repeats a run.
	const seed = Number(process.env['HEKAFS_SEED'] ?? randomInt(1, 1_000_000));
	t.log(`HEKAFS_SEED=${seed}`);
	await withOverlay(t, async ({sh}) => {
		const runs = await Promise.all(
			Array.from({length: CLIENTS}, (_, i) =>
				sh(`python3 ${RANDOM_FILES_PROGRAM} $M ${seed + i} ${OPERATIONS}`, 60_000),
			),
		);
		for (const {code, stdout, stderr} of runs) t.is(code, 0, stdout + stderr);
		const left = await sh('ls $B | wc -l; cd $B; for f in *; do cmp $f $M/$f || exit 1; done');
		t.deepEqual([left.code, left.stdout.trim()], [0, String(CLIENTS)]);
	});
});
