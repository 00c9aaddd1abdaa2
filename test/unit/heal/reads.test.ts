/** Where readings go, for each thing that a look at the mount may show. */
import test from 'ava';
import {FAILURE_TOLERATED_MS, type Look} from '../../../src/heal/look.ts';
import {ANSWER_COUNTS_MS, INCOMPLETE_WAITS_MS, readsFrom} from '../../../src/heal/reads.ts';
import {setOf, uuidOf} from '../../support/sample-set.ts';

const LATE_MS = 60_000;
const SET = setOf(3, 1, 2, 3);
const facts = {
	switching: false,
	runningForMs: LATE_MS,
	mountFailed: false,
	answeredMsAgo: undefined,
	silentForMs: 2000,
	complete: true,
};

test('a mount that gives nothing leaves the copy; while the set changes, the end of that is waited for', t => {
	t.is(readsFrom({...facts, look: {kind: 'local'}}), 'mount');
	t.is(readsFrom({...facts, look: {kind: 'silent'}}), 'copy');
	t.is(readsFrom({...facts, look: {kind: 'failed'} as Look}), 'copy');
	t.is(readsFrom({...facts, look: {kind: 'failed'} as Look, switching: true}), 'mount');
});

test('a mount that has just answered a writer is not silent, whatever the last look says', t => {
	const answered = {...facts, answeredMsAgo: 10};
	t.is(readsFrom({...answered, look: {kind: 'silent'}}), 'mount');
	t.is(readsFrom({...answered, answeredMsAgo: ANSWER_COUNTS_MS, look: {kind: 'silent'}}), 'copy');
	t.is(readsFrom({...answered, look: {kind: 'failed'} as Look}), 'copy');
});

test('a copy that lacks changes of this node serves for a silent mount only when waiting has been in vain', t => {
	const lacking = {...facts, complete: false};
	t.is(readsFrom({...lacking, look: {kind: 'silent'}}), 'mount');
	t.is(readsFrom({...lacking, silentForMs: INCOMPLETE_WAITS_MS, look: {kind: 'silent'}}), 'copy');
	// What the mount refuses to tell is waited for only when it passes by itself as a rule.
	const failed = {
		kind: 'failed',
		problem: 'ENOTCONN',
		set: SET,
		reachable: new Set([uuidOf(1), uuidOf(2)]),
	} as const;
	t.is(readsFrom({...lacking, look: failed}), 'mount');
	t.is(readsFrom({...facts, look: failed}), 'copy');
	t.is(readsFrom({...lacking, look: {...failed, reachable: new Set([uuidOf(2)])}}), 'copy');
	t.is(readsFrom({...lacking, silentForMs: FAILURE_TOLERATED_MS, look: failed}), 'copy');
});

test('before anything is mounted: the copy when mounting has failed, or has not come about for some seconds', t => {
	t.is(readsFrom({...facts, look: undefined, runningForMs: 100}), 'mount');
	t.is(readsFrom({...facts, look: undefined, runningForMs: 100, mountFailed: true}), 'copy');
	t.is(readsFrom({...facts, look: undefined}), 'copy');
});
