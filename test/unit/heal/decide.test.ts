import test from 'ava';
import {decide, type Facts, SILENCE_TOLERATED_MS} from '../../../src/heal/decide.ts';
import {FAILURE_TOLERATED_MS, type Look} from '../../../src/heal/look.ts';
import {type Generation} from '../../../src/membership/ids.ts';
import {type MarkerRead} from '../../../src/membership/marker.ts';
import {reasonFor} from '../../../src/membership/reasons.ts';
import {type ServerSet} from '../../../src/membership/server-set.ts';
import {FILESYSTEM, OTHER_FILESYSTEM, setOf, uuidOf} from '../../support/sample-set.ts';

const SET = setOf(3, 1, 2, 3);
const markersOf = (set: ServerSet): readonly MarkerRead[] =>
	set.servers.map(server => ({
		kind: 'marker',
		name: server.uuid,
		marker: {format: 1, filesystemId: set.filesystemId, ...server, since: set.epoch},
	}));
const seen = (up: readonly number[], markers = markersOf(SET)): Look => ({
	kind: 'seen',
	view: {
		generation: 1 as Generation,
		mounted: SET,
		up: new Set(up.map(uuidOf)),
		record: {
			kind: 'record',
			record: {format: 1, set: SET, changedBy: uuidOf(1), changedAt: '2026-01-01T00:00:00.000Z'},
		},
		markers,
	},
});
const CLEAN = {pending: 0, splitBrain: 0, unreachable: 0};
const facts = (over: Partial<Facts>): Facts => ({
	look: seen([1, 2, 3]),
	silentForMs: 0,
	failedForMs: FAILURE_TOLERATED_MS,
	switching: undefined,
	stopping: false,
	blocking: [],
	problems: [],
	hints: [],
	notMounted: reasonFor.starting(),
	heals: CLEAN,
	...over,
});
const codes = (over: Partial<Facts>): readonly string[] => decide(facts(over)).reasons.map(r => r.code);

test('healthy: agreed, all up, nothing pending', t => {
	const decision = decide(facts({}));
	t.is(decision.gate, 'open');
	t.is(decision.health, 'healthy');
	t.false(decision.degraded);
	t.deepEqual(decision.reasons, []);
});

test('one server down is degraded and still open', t => {
	const decision = decide(facts({look: seen([1, 3])}));
	t.is(decision.gate, 'open');
	t.is(decision.health, 'degraded');
	t.deepEqual(
		decision.reasons.map(r => r.code),
		['server-down'],
	);
	t.regex(decision.reasons[0]!.text, new RegExp(uuidOf(2)));
});

test('pending heals, unknown heals and split brain are degraded', t => {
	t.deepEqual(codes({heals: {...CLEAN, pending: 4}}), ['heals-pending']);
	t.deepEqual(codes({heals: undefined}), ['heals-pending']);
	t.deepEqual(codes({heals: {...CLEAN, splitBrain: 1}}), ['split-brain']);
});

test('no quorum closes the gate', t => {
	const decision = decide(facts({look: seen([2])}));
	t.is(decision.gate, 'refusing');
	t.is(decision.verdict, 'unknown');
});

test('a missing marker and a foreign one close the gate and are named', t => {
	const missing = decide(facts({look: seen([1, 2, 3], markersOf(SET).slice(1))}));
	t.is(missing.gate, 'refusing');
	t.is(missing.verdict, 'disagreed');
	t.true(missing.reasons.some(r => r.code === 'marker-missing' && r.text.includes(uuidOf(1))));
	const foreign = decide(facts({look: seen([1, 2, 3], [...markersOf(SET), ...markersOf(setOf(3, 4))])}));
	t.is(foreign.gate, 'refusing');
	t.true(foreign.reasons.some(r => r.code === 'marker-foreign' && r.text.includes(uuidOf(4))));
});

test('two filesystems close the gate whatever the mount shows', t => {
	const blocking = [reasonFor.twoFilesystems(FILESYSTEM, OTHER_FILESYSTEM)];
	t.is(decide(facts({blocking})).gate, 'refusing');
});

test('a silent mount makes writers wait, then refuses them', t => {
	t.is(decide(facts({look: {kind: 'silent'}, silentForMs: 100})).gate, 'switching');
	t.is(decide(facts({look: {kind: 'silent'}, silentForMs: SILENCE_TOLERATED_MS})).gate, 'refusing');
});

test('a failed look tells no quorum from unreadable markers by who can be reached', t => {
	const failed = (reachable: readonly number[]): Look => ({
		kind: 'failed',
		problem: 'ENOTCONN',
		set: SET,
		reachable: new Set(reachable.map(uuidOf)),
	});
	t.deepEqual(codes({look: failed([2])}), ['no-quorum']);
	t.deepEqual(codes({look: failed([1, 2, 3])}), ['markers-unreadable']);
	t.is(decide(facts({look: failed([])})).gate, 'refusing');
	t.is(decide(facts({look: failed([1, 2, 3])})).gate, 'refusing');
	t.is(decide(facts({look: failed([1, 2, 3]), failedForMs: 500})).gate, 'switching', 'it passes as a rule');
	t.is(decide(facts({look: failed([2]), failedForMs: 500})).gate, 'refusing', 'no quorum does not pass');
	t.is(decide(facts({look: failed([]), switching: 'a change'})).gate, 'switching');
});

test('nothing mounted: refusing, and switching during a change', t => {
	t.deepEqual(codes({look: undefined}), ['starting']);
	t.is(decide(facts({look: undefined})).gate, 'refusing');
	t.is(decide(facts({look: undefined, switching: 'a change'})).gate, 'switching');
});

test('a change under way waits although everything agrees', t => {
	const decision = decide(facts({switching: 'node x joins'}));
	t.is(decision.gate, 'switching');
	t.is(decision.health, 'refusing');
	t.is(decision.reasons[0]!.code, 'changing');
});

test('stopping closes before anything else', t => {
	t.deepEqual(codes({stopping: true}), ['stopping']);
	t.is(decide(facts({stopping: true})).gate, 'refusing');
});

test('a local directory is open while it answers', t => {
	t.is(decide(facts({look: {kind: 'local'}, heals: undefined})).health, 'healthy');
});
