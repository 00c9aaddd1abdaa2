/** Two overlays over one filesystem, as two nodes have it: who wins, who is locked out, whose lines stay. */
import {type ExecutionContext} from 'ava';
import {endBackings, overEach, type TwoSides} from '../support/backings.ts';
import {withOverlay} from '../support/overlay-under-test.ts';
import {checkAppends, checkExclusion, checkHolders, checkOneWinner, type Node} from '../support/races.ts';

const withTwoNodes = async (
	t: ExecutionContext,
	{one, two}: TwoSides,
	body: (one: Node, two: Node) => Promise<void>,
): Promise<void> => {
	await withOverlay(
		t,
		async first => {
			await withOverlay(
				t,
				async second => {
					await body({prefix: [], directory: first.mnt}, {prefix: [], directory: second.mnt});
				},
				{backing: two},
			);
		},
		{backing: one},
	);
};

endBackings();

overEach('O_EXCL, mkdir, symlink, link, rename, unlink: one winner', async (t, sides) => {
	await withTwoNodes(t, sides, async (one, two) => checkOneWinner(t, [one, two], 12));
});

overEach('appended lines are neither lost nor torn', async (t, sides) => {
	await withTwoNodes(t, sides, async (one, two) =>
		checkAppends(t, [one, two], sides.kind === 'local' ? 300 : 100),
	);
});

overEach('flock and fcntl let one in at a time', async (t, sides) => {
	await withTwoNodes(t, sides, async (one, two) =>
		checkExclusion(t, [one, two], sides.kind === 'local' ? 60 : 20),
	);
});

overEach('locks end with their holder, waiting for them with a signal', async (t, sides) => {
	await withTwoNodes(t, sides, async (one, two) => checkHolders(t, one, two));
});
