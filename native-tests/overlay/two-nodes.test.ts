/** Two overlays over one directory, as two nodes over one cluster filesystem: who wins, who is locked out, whose lines stay. */
import test, {type ExecutionContext} from 'ava';
import {withOverlay} from '../support/overlay-under-test.ts';
import {checkAppends, checkExclusion, checkHolders, checkOneWinner, type Node} from '../support/races.ts';

const withTwoNodes = async (
	t: ExecutionContext,
	body: (one: Node, two: Node) => Promise<void>,
): Promise<void> => {
	await withOverlay(t, async first => {
		await withOverlay(
			t,
			async second => {
				await second.tell({do: 'switchTo', generation: 1, path: first.back});
				await second.tell({do: 'open'});
				await body({prefix: [], directory: first.mnt}, {prefix: [], directory: second.mnt});
			},
			{detached: true},
		);
	});
};

test.serial('O_EXCL, mkdir, symlink, link, rename, unlink: one winner', async t => {
	await withTwoNodes(t, async (one, two) => checkOneWinner(t, [one, two], 12));
});

test.serial('appended lines are neither lost nor torn', async t => {
	await withTwoNodes(t, async (one, two) => checkAppends(t, [one, two], 300));
});

test.serial('flock and fcntl let one in at a time', async t => {
	await withTwoNodes(t, async (one, two) => checkExclusion(t, [one, two], 60));
});

test.serial('locks end with their holder, waiting for them with a signal', async t => {
	await withTwoNodes(t, async (one, two) => checkHolders(t, one, two));
});
