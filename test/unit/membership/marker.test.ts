import fc from 'fast-check';
import test from 'ava';
import {
	formatMarker,
	formatSetRecord,
	isMarkerName,
	MAX_MARKER_BYTES,
	parseMarker,
	parseSetRecord,
} from '../../../src/membership/marker.ts';
import {bytesOf, markerOf, recordOf, setOf, uuidOf} from '../../support/sets.ts';

test('a marker survives its own format, with stable keys', t => {
	const marker = markerOf(1);
	const text = formatMarker(marker);
	t.deepEqual(parseMarker(uuidOf(1), bytesOf(text)), {kind: 'marker', name: uuidOf(1), marker});
	t.deepEqual(Object.keys(JSON.parse(text) as object), [
		'format',
		'filesystemId',
		'uuid',
		'address',
		'port',
		'since',
	]);
	t.true(text.endsWith('}\n'));
});

test('a record survives its own format, with its servers in their order, and who was given up', t => {
	const record = recordOf(setOf(3, [3, 1, 2]));
	const text = formatSetRecord(record);
	t.deepEqual(parseSetRecord(bytesOf(text)), {kind: 'record', record});
	const swapped = JSON.parse(text) as {set: {servers: unknown[]}};
	swapped.set.servers.reverse();
	t.deepEqual(parseSetRecord(bytesOf(swapped)), {
		kind: 'record',
		record: {...record, set: setOf(3, [2, 1, 3])},
	});
	const forced = {...recordOf(setOf(4, [2], undefined, 9)), givenUp: uuidOf(1)};
	t.deepEqual(parseSetRecord(bytesOf(formatSetRecord(forced))), {kind: 'record', record: forced});
});

test('no record file is absent, an empty one invalid', t => {
	t.deepEqual(parseSetRecord(null), {kind: 'absent'});
	t.deepEqual(parseSetRecord(bytesOf('')), {kind: 'invalid', problem: 'it is empty'});
});

test('extra keys are tolerated, another format is not', t => {
	t.is(parseMarker('x', bytesOf({...markerOf(1), comment: 'hello'})).kind, 'marker');
	const future = parseMarker('x', bytesOf({...markerOf(1), format: 2}));
	t.is(future.kind, 'invalid');
	if (future.kind === 'invalid') t.regex(future.problem, /unknown format/);
});

const spoiled: ReadonlyArray<readonly [string, object]> = [
	['uuid in capitals', {uuid: 'ABCDEF00-0000-4000-8000-000000000000'}],
	['no uuid', {uuid: 'h1'}],
	['address with a space', {address: 'a b'}],
	['address with a newline', {address: 'h1\noption x y'}],
	['port 0', {port: 0}],
	['port as text', {port: '24100'}],
	['epoch 0', {since: 0}],
	['epoch 1.5', {since: 1.5}],
	['epoch beyond 2^53', {since: 2 ** 60}],
	['filesystem missing', {filesystemId: undefined}],
];
for (const [name, changes] of spoiled) {
	test(`a marker with ${name} is invalid`, t => {
		t.is(parseMarker('x', bytesOf({...markerOf(1), ...changes})).kind, 'invalid');
	});
}

test('a record with no server, one twice, or too many is invalid', t => {
	const record = recordOf(setOf(1, [1, 2]));
	const withServers = (servers: readonly unknown[]) =>
		parseSetRecord(bytesOf({...record, set: {...record.set, servers}})).kind;
	const server = record.set.servers[0]!;
	t.is(withServers([server]), 'record');
	t.is(withServers([]), 'invalid');
	t.is(withServers([server, server]), 'invalid');
	t.is(withServers(Array.from({length: 17}, (_, i) => ({...server, uuid: uuidOf(i + 1)}))), 'invalid');
});

test('an oversized marker is refused unread', t => {
	const result = parseMarker('x', bytesOf(' '.repeat(MAX_MARKER_BYTES + 1)));
	t.deepEqual(result, {
		kind: 'invalid',
		name: 'x',
		problem: `it is longer than ${MAX_MARKER_BYTES} bytes`,
	});
});

test('names with a leading dot are not markers', t => {
	t.false(isMarkerName('.tmp-1'));
	t.true(isMarkerName(uuidOf(1)));
});

test('hostile bytes never throw', t => {
	const whole = bytesOf(formatSetRecord(recordOf(setOf(2, [1, 2, 3]))));
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 300}), bytes => {
			t.is(parseMarker('x', bytes).kind, 'invalid');
			t.is(parseSetRecord(bytes).kind, 'invalid');
		}),
		{numRuns: 200},
	);
	fc.assert(
		fc.property(fc.json(), text => {
			t.is(parseMarker('x', bytesOf(text)).kind, 'invalid');
		}),
		{numRuns: 200},
	);
	// Truncated at every length: never taken for whole. The last byte is the newline.
	for (let n = 0; n < whole.length - 1; n++)
		t.is(parseSetRecord(whole.subarray(0, n)).kind, 'invalid', String(n));
});
