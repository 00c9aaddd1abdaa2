/** Random changes of files by several clients, each checked against a model in memory; the seed is printed. */
import {randomInt} from 'node:crypto';
import {endBackings, overEach} from '../support/backings.ts';
import {RANDOM_FILES_PROGRAM} from '../support/posix-answers.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

const CLIENTS = 4;
/** How many each client does; HEKAFS_RANDOM_OPERATIONS sets another number. */
const OPERATIONS = {local: 2500, GlusterFS: 600};

endBackings();

overEach('reads, writes, maps, holes, truncations, other names: as in the model', async (t, {kind, one}) => {
	// HEKAFS_SEED repeats a run.
	const seed = Number(process.env['HEKAFS_SEED'] ?? randomInt(1, 1_000_000));
	t.log(`HEKAFS_SEED=${seed}`);
	const operations = Number(process.env['HEKAFS_RANDOM_OPERATIONS'] ?? OPERATIONS[kind]);
	await withOverlay(
		t,
		async ({sh}) => {
			const runs = await Promise.all(
				Array.from({length: CLIENTS}, (_, i) =>
					sh(`python3 ${RANDOM_FILES_PROGRAM} $M ${seed + i} ${operations}`, 60_000 + operations * 50),
				),
			);
			for (const {code, stdout, stderr} of runs) t.is(code, 0, stdout + stderr);
			const left = await sh('ls $B | wc -l; cd $B; for f in *; do cmp $f $M/$f || exit 1; done');
			t.deepEqual([left.code, left.stdout.trim()], [0, String(CLIENTS)]);
		},
		{backing: one},
	);
});
