import test from 'ava';
import {Refusals} from '../../../../src/main/metrics/refusals.ts';
import {type Reason} from '../../../../src/membership/reason.ts';

const because = (code: Reason['code']): Reason => ({code, text: 'x', remedy: 'y'});
const OPEN = {gate: 'open', reasons: [because('server-down')]} as const;
const NO_QUORUM = {gate: 'refusing', reasons: [because('no-quorum'), because('server-down')]} as const;
const CHANGING = {gate: 'switching', reasons: [because('changing')]} as const;

test('refusals are put down to the first reason of the decision in force', t => {
	const refusals = new Refusals();
	refusals.note(2, CHANGING);
	t.deepEqual([...refusals.counts], [['changing', 2]]);
	refusals.note(5, OPEN);
	t.is(refusals.counts.get('changing'), 5);
	refusals.note(9, NO_QUORUM);
	t.is(refusals.counts.get('no-quorum'), 4, 'the gate closed before the turn was over');
	refusals.note(10, NO_QUORUM);
	refusals.note(12, OPEN);
	t.is(refusals.counts.get('no-quorum'), 7);
	refusals.note(13, OPEN);
	t.is(refusals.counts.get('other'), 1);
	t.is(
		[...refusals.counts.values()].reduce((a, b) => a + b, 0),
		13,
	);
});
