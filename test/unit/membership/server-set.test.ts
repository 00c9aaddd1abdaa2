import fc from 'fast-check';
import test from 'ava';
import {
	isUuid,
	epochOnWord,
	nextEpoch,
	parseEpoch,
	parseFilesystemId,
	parseNodeUuid,
} from '../../../src/membership/ids.ts';
import {
	hasQuorum,
	hasServer,
	majorityOf,
	makeServerSet,
	sameSet,
	setIdOf,
} from '../../../src/membership/server-set.ts';
import {filesystemOf, FS, serverOf, setOf, uuidOf, uuids} from '../../support/sets.ts';

test('servers keep the order in which they came: the first breaks ties', t => {
	fc.assert(
		fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5], {minLength: 1}), numbers => {
			t.deepEqual(
				setOf(1, numbers).servers.map(s => s.uuid),
				numbers.map(uuidOf),
			);
		}),
	);
	t.false(sameSet(setOf(1, [1, 2]), setOf(1, [2, 1])));
});

test('an empty set and a server that stands twice are programmer errors', t => {
	t.throws(() => setOf(1, []), {instanceOf: TypeError});
	t.throws(() => setOf(1, [1, 1]), {instanceOf: TypeError});
});

test('the set id depends on filesystem, epoch and UUIDs, not on addresses', t => {
	const set = setOf(1, [1, 2]);
	t.regex(setIdOf(set), /^[0-9a-f]{16}$/);
	const moved = makeServerSet(FS, set.epoch, [serverOf(1), {...serverOf(2), address: 'new', port: 9}]);
	t.true(sameSet(set, moved));
	t.false(sameSet(set, setOf(2, [1, 2])));
	t.false(sameSet(set, setOf(1, [1, 3])));
	t.false(sameSet(set, setOf(1, [1, 2], FS, 1)));
	t.false(sameSet(set, setOf(1, [1, 2], filesystemOf(2))));
	// Fixed for ever: bricks and clients of different versions must derive the same name.
	t.is<string, string>(setIdOf(set), '53b2bbfd076b435c');
});

test('quorum is AFR’s: more than half, or half with the first', t => {
	t.true(hasQuorum(setOf(1, [1]), uuids(1)));
	t.false(hasQuorum(setOf(1, [1]), uuids()));
	t.true(hasQuorum(setOf(1, [1, 2]), uuids(1)));
	t.false(hasQuorum(setOf(1, [1, 2]), uuids(2)));
	t.true(hasQuorum(setOf(1, [1, 2, 3]), uuids(2, 3)));
	t.false(hasQuorum(setOf(1, [1, 2, 3]), uuids(1, 9, 8)));
	t.is(majorityOf(setOf(1, [1, 2])), 2);
	t.is(majorityOf(setOf(1, [1, 2, 3])), 2);
});

test('hasServer', t => {
	t.true(hasServer(setOf(1, [1]), uuidOf(1)));
	t.false(hasServer(setOf(1, [1]), uuidOf(2)));
});

test('identifiers', t => {
	t.true(isUuid(uuidOf(1)));
	t.is(parseNodeUuid(uuidOf(0xab).toUpperCase()), uuidOf(0xab));
	t.is(parseNodeUuid('x'), undefined);
	t.is(parseFilesystemId(FS.toUpperCase()), FS);
	t.is(parseFilesystemId(''), undefined);
	t.is(parseEpoch('1'), undefined);
	t.is(parseEpoch(0), undefined);
	t.is<number, number>(nextEpoch(parseEpoch(1)!), 2);
	t.deepEqual<number[], number[]>(
		[1, 99, 100, 250].map(n => epochOnWord(parseEpoch(n)!)),
		[100, 100, 200, 300],
	);
});
