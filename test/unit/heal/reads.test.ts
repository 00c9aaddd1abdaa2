/** Where readings go, for each thing that a look at the mount may show. */
import test from 'ava';
import {type Look} from '../../../src/heal/look.ts';
import {readsFrom} from '../../../src/heal/reads.ts';

const LATE_MS = 60_000;
const facts = {switching: false, runningForMs: LATE_MS, mountFailed: false};

test('a mount that gives nothing leaves the copy; while the set changes, the end of that is waited for', t => {
	t.is(readsFrom({...facts, look: {kind: 'local'}}), 'mount');
	t.is(readsFrom({...facts, look: {kind: 'silent'}}), 'copy');
	t.is(readsFrom({...facts, look: {kind: 'failed'} as Look}), 'copy');
	t.is(readsFrom({...facts, look: {kind: 'failed'} as Look, switching: true}), 'mount');
});

test('before anything is mounted: the copy when mounting has failed, or has not come about for some seconds', t => {
	t.is(readsFrom({...facts, look: undefined, runningForMs: 100}), 'mount');
	t.is(readsFrom({...facts, look: undefined, runningForMs: 100, mountFailed: true}), 'copy');
	t.is(readsFrom({...facts, look: undefined}), 'copy');
});
