import test from 'ava';
import {sentinelTexts} from '../../../src/membership/report-text.ts';
import {reportOf, setOf, uuidOf} from '../../support/sets.ts';

const set = setOf(3, [1, 2]);
const down = {code: 'server-down', text: 'h2\tis\ndown', remedy: 'start it'} as const;

test('one fact a line, fields apart by tabs', t => {
	const texts = sentinelTexts(
		reportOf(1, set, {
			servers: [
				{uuid: uuidOf(1), address: 'h1', up: true},
				{uuid: uuidOf(2), address: 'h2', up: false},
			],
			members: [
				{uuid: uuidOf(2), addresses: ['h2', '10.0.0.2'], connected: true},
				{uuid: uuidOf(3), addresses: [], connected: false},
			],
			heals: {pending: 4, splitBrain: 1},
		}),
	);
	t.is(texts['servers'], `${uuidOf(1)}\th1\tup\n${uuidOf(2)}\th2\tdown\n`);
	t.is(texts['members'], `${uuidOf(2)}\th2\tconnected\n${uuidOf(3)}\t-\tdisconnected\n`);
	t.is(texts['epoch'], '3\n');
	t.is(texts['heals'], 'pending 4\nsplit-brain 1\n');
});

test('reason is empty exactly while healthy', t => {
	t.is(sentinelTexts(reportOf(1, set))['reason'], '');
	const degraded = sentinelTexts(reportOf(1, set, {health: 'degraded', reasons: [down]}));
	t.is(degraded['reason'], 'server-down\th2 is down\tstart it\n');
	t.is(degraded['degraded'], degraded['reason']);
});

test('what is not known says so', t => {
	const texts = sentinelTexts(reportOf(1, null, {heals: null}));
	t.is(texts['epoch'], '0\n');
	t.is(texts['heals'], 'unknown\n');
	t.deepEqual(JSON.parse(texts['status']!), reportOf(1, null, {heals: null}));
});
