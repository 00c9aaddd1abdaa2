/** P8: what the overlay answers is what the filesystem below answers, question by question. */
import {ANSWERS_PROGRAM, broken, differences, type Answers} from '../support/posix-answers.ts';
import {endBackings, overEach} from '../support/backings.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

/** Over GlusterFS some of the overlay's answers are better than the bare mount's: those of ext4. */
const REFUSED_ON_PURPOSE = 'zeroed ranges';

endBackings();

overEach('files behave as on the backing filesystem', async (t, {kind, one}) => {
	await withOverlay(
		t,
		async ({ok}) => {
			const ask = async (directory: string): Promise<Answers> =>
				JSON.parse(
					await ok(`mkdir ${directory}; python3 ${ANSWERS_PROGRAM} ${directory}`, 120_000),
				) as Answers;
			// All paths are of the same length: some questions go to the limit of 4,095 bytes.
			await ok('mkdir $M/../bck $M/../loc; mount --bind $B $M/../bck');
			const below = await ask('$M/../bck/p').finally(() => ok('umount $M/../bck'));
			const found = await ask('$M/../mnt/q');
			t.true(Object.keys(below).length > 100);
			t.deepEqual(broken(found), []);
			if (kind === 'local') {
				t.deepEqual(differences(below, found), []);
				return;
			}
			const {[REFUSED_ON_PURPOSE]: zeroed, ...others} = found;
			const refused = [16, 17, 16].map(how => [how, 'ENOTSUP', 20_000, 20_000]);
			t.deepEqual(zeroed, refused, 'GlusterFS would say that it is done and do nothing');
			const ext4 = await ask('$M/../loc/r');
			const either = Object.fromEntries(
				Object.keys(others).map(name => [
					name,
					differences({[name]: ext4[name]}, {[name]: found[name]}).length === 0 ? ext4[name] : below[name],
				]),
			);
			t.deepEqual(differences(either, others), []);
		},
		{backing: one},
	);
});
