import fc from 'fast-check';
import test from 'ava';
import {type Epoch} from '../../../src/membership/ids.ts';
import {type MarkerRead} from '../../../src/membership/marker.ts';
import {hasQuorum} from '../../../src/membership/server-set.ts';
import {judge, type MountView, type Verdict} from '../../../src/membership/verdict.ts';
import {
	filesystemOf,
	generationOf,
	markerOf,
	markerRead,
	recordOf,
	setOf,
	uuidOf,
	uuids,
} from '../../support/sets.ts';

const mounted = setOf(3, [1, 2, 3]);
const good: MountView = {
	generation: generationOf(7),
	mounted,
	up: uuids(1, 2, 3),
	record: {kind: 'record', record: recordOf(mounted)},
	markers: [1, 2, 3].map(n => markerRead(n)),
};
const look = (changes: Partial<MountView>): Verdict => judge({...good, ...changes});
const codes = (verdict: Verdict): readonly string[] =>
	verdict.kind === 'agreed' ? [] : verdict.reasons.map(r => r.code);

test('agreed: record, markers and mount are one, all up', t => {
	t.deepEqual(judge(good), {kind: 'agreed', generation: generationOf(7), set: mounted});
});

test('agreed: a server that is down is still in the set', t => {
	t.is(look({up: uuids(2, 3)}).kind, 'agreed');
});

test('agreed: files that are being written do not count', t => {
	const being: MarkerRead = {kind: 'invalid', name: '.tmp', problem: 'it is empty'};
	t.is(look({markers: [...good.markers, being]}).kind, 'agreed');
});

test('a missing marker is named', t => {
	const verdict = look({markers: good.markers.slice(1)});
	t.is(verdict.kind, 'disagreed');
	t.deepEqual(codes(verdict), ['marker-missing']);
	if (verdict.kind === 'disagreed') {
		t.regex(verdict.reasons[0]!.text, new RegExp(uuidOf(1)));
		t.deepEqual(verdict.recorded, mounted);
	}
});

const wrongMarkers: ReadonlyArray<readonly [string, MarkerRead, readonly string[]]> = [
	['of a foreign node', markerRead(9), ['marker-foreign']],
	['of another filesystem', markerRead(9, {filesystemId: filesystemOf(2)}), ['filesystem-differs']],
	['under another name', {kind: 'marker', name: 'old', marker: markerOf(1)}, ['marker-invalid']],
	['that can’t be read', {kind: 'invalid', name: 'x', problem: 'it is empty'}, ['marker-invalid']],
];
for (const [name, marker, expected] of wrongMarkers) {
	test(`an additional marker ${name}`, t => {
		const verdict = look({markers: [...good.markers, marker]});
		t.is(verdict.kind, 'disagreed');
		t.deepEqual(codes(verdict), expected);
	});
}

test('a marker of a server that joined later tells of a newer set', t => {
	t.deepEqual(codes(look({markers: [markerRead(1, {since: 4 as Epoch}), ...good.markers.slice(1)]})), [
		'epoch-differs',
	]);
});

test('a record of another set is what to mount instead', t => {
	for (const set of [setOf(4, [1, 2]), setOf(3, [1, 2, 4]), setOf(2, [1, 2, 3])]) {
		const verdict = look({record: {kind: 'record', record: recordOf(set)}});
		t.is(verdict.kind, 'disagreed');
		t.deepEqual(codes(verdict), ['epoch-differs']);
		if (verdict.kind === 'disagreed') t.deepEqual(verdict.recorded, set);
	}
});

test('a record of another filesystem disagrees', t => {
	const set = setOf(3, [1, 2, 3], filesystemOf(2));
	t.deepEqual(codes(look({record: {kind: 'record', record: recordOf(set)}})), ['filesystem-differs']);
});

test('a record that is gone or spoiled, with markers: disagreed, nothing recorded', t => {
	for (const record of [{kind: 'absent'}, {kind: 'invalid', problem: 'it is empty'}] as const) {
		const verdict = look({record});
		t.deepEqual(codes(verdict), ['markers-unreadable']);
		t.is(verdict.kind === 'disagreed' ? verdict.recorded : 'other', undefined);
	}
});

test('nothing valid to read is unknown', t => {
	t.is(look({record: {kind: 'absent'}, markers: []}).kind, 'unknown');
	const spoiled: MarkerRead = {kind: 'invalid', name: uuidOf(1), problem: 'it is empty'};
	t.is(look({record: {kind: 'invalid', problem: 'x'}, markers: [spoiled]}).kind, 'unknown');
});

test('no quorum is unknown, whatever was read', t => {
	t.deepEqual(codes(look({up: uuids(3)})), ['no-quorum']);
	const verdict = look({up: uuids(), record: {kind: 'record', record: recordOf(setOf(2, [3]))}});
	t.is(verdict.kind, 'unknown');
	t.is(codes(verdict)[0], 'no-quorum');
});

test('property: agreed exactly when all conditions hold, for any small world', t => {
	const numbers = fc.shuffledSubarray([1, 2, 3, 4], {minLength: 1});
	const some = fc.subarray([1, 2, 3, 4]);
	fc.assert(
		fc.property(numbers, numbers, some, some, fc.nat({max: 1}), (inMount, inRecord, marked, up, later) => {
			const set = setOf(1, inMount);
			const verdict = judge({
				generation: generationOf(1),
				mounted: set,
				up: uuids(...up),
				record: {kind: 'record', record: recordOf(setOf(1 + later, inRecord))},
				markers: marked.map(n => markerRead(n)),
			});
			const same = (a: readonly number[], b: readonly number[]): boolean =>
				[...a].sort().join() === [...b].sort().join();
			const agreed =
				later === 0 &&
				// In the same order: the first breaks ties.
				inMount.join() === inRecord.join() &&
				same(inMount, marked) &&
				hasQuorum(set, uuids(...up));
			t.is(verdict.kind === 'agreed', agreed);
			if (verdict.kind !== 'agreed') t.true(verdict.reasons.length > 0);
		}),
		{numRuns: 500},
	);
});
