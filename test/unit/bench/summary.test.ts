import test from 'ava';
import {glusterBars, localBars} from '../../../bench/bars.ts';
import {CLIENTS, OPERATIONS} from '../../../bench/operations.ts';
import {
	barsTable,
	figuresTable,
	geometricMean,
	isMet,
	median,
	overallRatio,
	ratio,
	ratiosTable,
	type Sample,
} from '../../../bench/summary.ts';
import {addOptions, addTranslators} from '../../../bench/volfile-variants.ts';

/** Every operation of each row at one rate, in rounds of which each is twice as fast as the one before. */
const samplesOf = (rates: Readonly<Record<string, number>>): Sample[] =>
	[1, 2, 3].flatMap(round =>
		Object.entries(rates).flatMap(([row, rate]) =>
			OPERATIONS.flatMap(({name: operation}) =>
				CLIENTS.map(clients => {
					const perSecond = rate * 2 ** round;
					return {round, row, operation, clients, perSecond, p50Us: 1e6 / perSecond, cpuUs: 1};
				}),
			),
		),
	);

test('medians of odd and even counts; none of nothing', t => {
	t.is(median([3, 1, 2]), 2);
	t.is(median([4, 1, 2, 3]), 2.5);
	t.throws(() => median([]), {instanceOf: RangeError});
});

test('the geometric mean of ratios', t => t.true(Math.abs(geometricMean([4, 0.25, 8]) - 2) < 1e-9));

test('ratios compare what was measured in the same round', t => {
	const samples = samplesOf({a: 30, b: 10});
	const found = ratio(samples, ['a', 'b'], 'create', 8);
	t.deepEqual([found.min, found.median, found.max].map(Math.round), [3, 3, 3]);
	t.is(Math.round(overallRatio(samples, ['a', 'b']) * 1000), 3000);
});

test('tables have a line for each operation', t => {
	const samples = samplesOf({a: 30, b: 10});
	t.is(ratiosTable(samples, [['a', 'b']]).split('\n').length, 2 + OPERATIONS.length * CLIENTS.length + 1);
	t.is(figuresTable(samples, 1).split('\n').length, 2 + OPERATIONS.length);
});

test('bars are met or not by what was measured', t => {
	const rows = {
		'overlay, 1 s': 30,
		'bindfs, 1 s': 30,
		'overlay, 0 s': 20,
		'bindfs, 0 s': 30,
		'fuse-native, 0 s': 4,
	};
	const bars = localBars(samplesOf(rows));
	t.deepEqual(bars.map(isMet).slice(0, 3), [true, false, true]);
	t.is(barsTable(bars).match(/\*\*not met\*\*/g)?.length, bars.filter(bar => !isMet(bar)).length);
	const gluster = glusterBars(samplesOf({overlay: 10, 'GlusterFS A': 1, 'GlusterFS B': 6}));
	t.deepEqual(
		gluster.filter(bar => !isMet(bar)).map(bar => bar.what),
		['open, read, close: rate against bare B'],
	);
});

const VOLFILE = `volume utime
    type features/utime
    subvolumes afr
end-volume

volume top
    type debug/io-stats
    subvolumes utime
end-volume
`;

test('translators go between the topmost one and what it stood on', t => {
	const text = addTranslators(VOLFILE, [
		['a', 'performance/a'],
		['b', 'performance/b', {x: 'on'}],
	]);
	t.regex(text, /volume a\n {4}type performance\/a\n {4}subvolumes utime\n/);
	t.regex(text, /volume b\n {4}type performance\/b\n {4}option x on\n {4}subvolumes a\n/);
	t.regex(text, /volume top\n.*\n {4}subvolumes b\n/);
	t.throws(() => addTranslators('volume other\nend-volume\n', []));
});

test('options go to each translator of the type', t => {
	t.regex(addOptions(VOLFILE, 'features/utime', {noatime: 'on'}), /utime\n {4}option noatime on\n/);
});
