/** The pace of background work. */
import test from 'ava';
import {setTimeout as delay} from 'node:timers/promises';
import {repeat, restAfter} from '../../../src/main/repeat.ts';

const PACE = {everyMs: 100, share: 10, restMaxMs: 1000};

test('short turns come at their interval, longer ones take a tenth of the time, no rest is longer than its limit', t => {
	t.is(restAfter(PACE, 0), 100);
	t.is(restAfter(PACE, 11), 100);
	t.is(restAfter(PACE, 50), 450);
	t.is(restAfter(PACE, 5000), 1000);
});

test('one turn after the other, until the end', async t => {
	let turns = 0;
	let running = 0;
	const end = repeat({everyMs: 1, share: 2, restMaxMs: 2}, async () => {
		t.is(++running, 1, 'two turns at once');
		await delay(5);
		running--;
		if (++turns === 3) end();
	});
	await delay(300);
	t.is(turns, 3);
});
