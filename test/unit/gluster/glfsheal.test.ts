import test from 'ava';
import {parseHealSummary} from '../../../src/gluster/glfsheal.ts';

const connected = (
	name: string,
	total: number,
	pending: number,
	splitBrain: number,
	healing: number,
): string =>
	`Brick ${name}
Status: Connected
Total Number of entries: ${total}
Number of entries in heal pending: ${pending}
Number of entries in split-brain: ${splitBrain}
Number of entries possibly healing: ${healing}

`;
const GONE = `Brick h2:conf-a
Status: Transport endpoint is not connected
Total Number of entries: -
Number of entries in heal pending: -
Number of entries in split-brain: -
Number of entries possibly healing: -

`;

test('nothing to heal', t => {
	t.deepEqual(parseHealSummary(connected('h1:conf-a', 0, 0, 0, 0)), {
		bricks: [{name: 'h1:conf-a', connected: true, pending: 0, splitBrain: 0}],
		pending: 0,
		splitBrain: 0,
	});
});

test('entries that are being healed are pending, those in split brain are not; a brick that is gone has no count', t => {
	t.deepEqual(
		parseHealSummary(connected('h1:conf-a', 7, 4, 1, 2) + GONE + connected('h3:conf-a', 5, 5, 0, 0)),
		{
			bricks: [
				{name: 'h1:conf-a', connected: true, pending: 6, splitBrain: 1},
				{name: 'h2:conf-a', connected: false, pending: null, splitBrain: null},
				{name: 'h3:conf-a', connected: true, pending: 5, splitBrain: 0},
			],
			pending: 6,
			splitBrain: 1,
		},
	);
});

test('without a connected brick the counts are not known', t => {
	const counts = parseHealSummary(GONE);
	t.is(counts?.pending, null);
	t.is(counts?.splitBrain, null);
});

test('other output is none', t => {
	t.is(parseHealSummary(''), undefined);
	t.is(parseHealSummary('x: Not able to fetch volfile from glusterd\n'), undefined);
	t.is(parseHealSummary('Volume x does not exist\n'), undefined);
});
