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
	format: 1,
	filesystemId: FILESYSTEM,
	set: SET,
	brick: {directory: '/b', port: 24100, setId: setIdOf(SET)},
	founding: false,
	next: null,
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
	t.is(kind({decision: disagreed(setOf(5, 1, 2))}), 'adopt');
	t.is(kind({decision: disagreed(setOf(3, 1, 2))}), 'none');
});

test('every correction has a sentence', t => {
	for (const correction of [
		chooseCorrection(facts({})),
		chooseCorrection(facts({brickRunning: false})),
		chooseCorrection(facts({newestKnown: setOf(4, 2, 3)})),
		chooseCorrection(facts({mounted: undefined})),
	])
		t.true(describeCorrection(correction).length > 20);
});
