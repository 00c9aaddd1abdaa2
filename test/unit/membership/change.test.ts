import test from 'ava';
import {
	type ChangeIntent,
	formatChange,
	parseChange,
	setChangeSchema,
} from '../../../src/membership/change.ts';
import {bytesOf, filesystemOf, NOW, setOf, uuidOf} from '../../support/sets.ts';

const join: ChangeIntent = {
	format: 1,
	kind: 'join',
	from: setOf(1, [1, 2]),
	to: setOf(2, [1, 2, 3]),
	subject: uuidOf(3),
	by: uuidOf(3),
	startedAt: NOW,
	forced: false,
};
const retire: ChangeIntent = {
	...join,
	kind: 'retire',
	from: setOf(2, [1, 2, 3]),
	to: setOf(3, [1, 3]),
	subject: uuidOf(2),
};
const forced: ChangeIntent = {...retire, to: setOf(100, [1, 3]), forced: true};
const found: ChangeIntent = {...join, kind: 'found', from: null, to: setOf(1, [1]), subject: uuidOf(1)};

for (const change of [join, retire, forced, found]) {
	test(`${change.kind}${change.forced ? ' by force' : ''} survives its own format`, t => {
		t.deepEqual(parseChange(bytesOf(formatChange(change))), {kind: 'change', change});
	});
}

test('no file is absent, an empty one invalid', t => {
	t.deepEqual(parseChange(null), {kind: 'absent'});
	t.is(parseChange(bytesOf('')).kind, 'invalid');
});

const inconsistent: ReadonlyArray<readonly [string, ChangeIntent]> = [
	['a join without an old set', {...join, from: null}],
	['two epochs at once', {...join, to: setOf(3, [1, 2, 3])}],
	['two servers at once', {...join, to: setOf(2, [1, 2, 3, 4])}],
	['another subject', {...join, subject: uuidOf(1)}],
	['one that joins for one that leaves', {...join, to: setOf(2, [1, 3, 4])}],
	['one that joins before its elders', {...join, to: setOf(2, [3, 1, 2])}],
	['elders in another order', {...join, to: setOf(2, [2, 1, 3])}],
	['the next epoch on the operator’s word', {...retire, forced: true}],
	['a hundred epochs without it', {...forced, forced: false}],
	['another filesystem', {...join, to: setOf(2, [1, 2, 3], filesystemOf(2))}],
	['a retirement that adds', {...join, kind: 'retire'}],
	['a founding with an old set', {...found, from: setOf(1, [1])}],
	['a founding in epoch 2', {...found, to: setOf(2, [1])}],
	['a founding by an outsider', {...found, subject: uuidOf(9)}],
];
for (const [name, change] of inconsistent) {
	test(`refused: ${name}`, t => t.is(parseChange(bytesOf(formatChange(change))).kind, 'invalid'));
}

test('a founding is no change that servers decide on', t => {
	t.true(setChangeSchema.safeParse(join).success);
	t.false(setChangeSchema.safeParse(found).success);
});
