import test from 'ava';
import {
	chooseCorrection,
	type CorrectionFacts,
	describeCorrection,
	REPLACE_SILENT_MS,
} from '../../../src/heal/correct.ts';
import {type Decision} from '../../../src/heal/decide.ts';
import {type NodeState} from '../../../src/membership/node-state.ts';
import {setIdOf} from '../../../src/membership/server-set.ts';
import {FILESYSTEM, setOf, uuidOf} from '../../support/sample-set.ts';

const SET = setOf(3, 1, 2, 3);
const stateOf = (over: Partial<NodeState> = {}): NodeState => ({
	format: 2,
	filesystemId: FILESYSTEM,
	set: SET,
	brick: {directory: '/b', port: 24100, setId: setIdOf(SET)},
	founding: false,
	closed: 0,
	pending: null,
	retired: null,
	...over,
});
const AGREED: Decision = {
	gate: 'open',
	degraded: false,
	verdict: 'agreed',
	health: 'healthy',
	reasons: [],
	judgement: undefined,
};
const facts = (over: Partial<CorrectionFacts>): CorrectionFacts => ({
	self: uuidOf(1),
	state: stateOf(),
	brickRunning: true,
	orphaned: false,
	newestKnown: SET,
	mounted: SET,
	mountAlive: true,
	silentForMs: 0,
	decision: AGREED,
	...over,
});
const kind = (over: Partial<CorrectionFacts>): string => chooseCorrection(facts(over)).kind;

test('a node that is as it should be does nothing', t => {
	t.is(kind({}), 'none');
	t.is(kind({state: undefined, newestKnown: undefined, mounted: undefined}), 'none');
});

test('a brick that does not run is started, before anything is mounted', t => {
	t.is(kind({brickRunning: false, mounted: undefined}), 'start-brick');
});

test('a newer epoch that has this node is adopted; an older one never', t => {
	const newer = setOf(4, 1, 2, 3, 4);
	t.deepEqual(chooseCorrection(facts({newestKnown: newer})), {
		kind: 'adopt',
		set: newer,
		why: 'a peer reports epoch 4',
	});
	t.is(kind({newestKnown: setOf(2, 1, 2)}), 'none');
});

test('a newer epoch without this node retires it', t => {
	t.deepEqual(chooseCorrection(facts({newestKnown: setOf(4, 2, 3)})), {
		kind: 'become-retired',
		set: setOf(4, 2, 3),
		directory: '/b',
	});
});

test('a node without a brick learns the set from its peers', t => {
	t.is(kind({state: undefined, mounted: undefined}), 'adopt');
});

test('a mount that is gone, silent for long, or of an older epoch is replaced', t => {
	t.is(kind({mounted: undefined}), 'adopt');
	t.is(kind({mountAlive: false}), 'adopt');
	t.is(kind({silentForMs: REPLACE_SILENT_MS}), 'none');
	t.is(kind({silentForMs: REPLACE_SILENT_MS + 1}), 'adopt');
	t.is(kind({mounted: setOf(2, 1, 2)}), 'adopt');
});

test('what the filesystem records is mounted only if it is newer', t => {
	const disagreed = (recorded: typeof SET): Decision => ({
		...AGREED,
		gate: 'refusing',
		verdict: 'disagreed',
		judgement: {kind: 'disagreed', reasons: [], recorded},
	});
	t.is(kind({decision: disagreed(setOf(5, 1, 2))}), 'adopt-recorded');
	t.is(kind({decision: disagreed(setOf(3, 1, 2))}), 'none');
});

const CHANGE = {
	format: 1,
	kind: 'join',
	from: SET,
	to: setOf(4, 1, 2, 3, 4),
	subject: uuidOf(4),
	by: uuidOf(4),
	startedAt: '2026-01-01T00:00:00.000Z',
	forced: false,
} as const;
const pending = stateOf({pending: {change: CHANGE, promised: 0, accepted: null}});

test('while a change is pending the brick has the new name, and nothing else is done until it is orphaned', t => {
	t.is(kind({state: pending, mounted: undefined}), 'none');
	t.deepEqual(chooseCorrection(facts({state: pending, brickRunning: false})), {
		kind: 'start-brick',
		set: CHANGE.to,
	});
	t.deepEqual(chooseCorrection(facts({state: pending, orphaned: true})), {kind: 'settle', change: CHANGE});
	t.is(kind({state: pending, orphaned: true, newestKnown: CHANGE.to}), 'adopt');
});

test('what the operator’s word began is brought to its end before an older set is followed', t => {
	const change = {...CHANGE, kind: 'retire', to: setOf(100, 2, 3), subject: uuidOf(1), forced: true} as const;
	const state = stateOf({pending: {change, promised: 0, accepted: null}});
	t.is(kind({state, orphaned: true, newestKnown: setOf(4, 1)}), 'settle');
	t.is(kind({state, orphaned: true, newestKnown: setOf(100, 2, 3)}), 'become-retired');
	t.is(kind({state: pending, orphaned: true, newestKnown: setOf(4, 2)}), 'become-retired');
});

test('one that is joining is not retired by the set that it is to join', t => {
	t.is(kind({self: uuidOf(4), state: pending}), 'none');
	t.is(kind({self: uuidOf(4), state: pending, newestKnown: setOf(4, 1, 2)}), 'become-retired');
});

test('a founding that was cut off is settled', t => {
	t.is(
		kind({state: stateOf({founding: true}), newestKnown: undefined, mounted: undefined}),
		'settle-founding',
	);
});

test('every correction has a sentence', t => {
	for (const correction of [
		chooseCorrection(facts({})),
		chooseCorrection(facts({brickRunning: false})),
		chooseCorrection(facts({newestKnown: setOf(4, 2, 3)})),
		chooseCorrection(facts({mounted: undefined})),
		chooseCorrection(facts({state: pending, orphaned: true})),
		chooseCorrection(facts({state: stateOf({founding: true}), newestKnown: undefined})),
		{kind: 'adopt-recorded', set: SET} as const,
	])
		t.true(describeCorrection(correction).length > 20);
});
