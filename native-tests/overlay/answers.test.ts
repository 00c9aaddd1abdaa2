/** P8: what the overlay answers is what the filesystem below answers, question by question. */
import test from 'ava';
import {ANSWERS_PROGRAM, broken, differences, type Answers} from '../support/posix-answers.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

test.serial('files behave as on the backing filesystem', async t => {
	await withOverlay(t, async ({ok}) => {
		const ask = async (directory: string): Promise<Answers> =>
			JSON.parse(await ok(`mkdir ${directory}; python3 ${ANSWERS_PROGRAM} ${directory}`, 60_000)) as Answers;
		const expected = await ask('$B/plain');
		// As long as the other path: some questions go to the limit of 4,095 bytes.
		const found = await ask('$M/plain1');
		t.true(Object.keys(expected).length > 100);
		t.deepEqual(broken(expected), []);
		t.deepEqual(differences(expected, found), []);
	});
});
