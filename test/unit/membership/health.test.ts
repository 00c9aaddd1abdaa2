import test from 'ava';
import {type HealthView, healthOf} from '../../../src/membership/health.ts';
import {REASONS} from '../../../src/membership/reason-texts.ts';
import {generationOf, setOf, uuids} from '../../support/sets.ts';

const set = setOf(1, [1, 2, 3]);
const good: HealthView = {
	gate: 'open',
	verdict: {kind: 'agreed', generation: generationOf(1), set},
	up: uuids(1, 2, 3),
	heals: {pending: 0, splitBrain: 0},
};
const look = (changes: Partial<HealthView>): readonly string[] => {
	const {health, reasons} = healthOf({...good, ...changes});
	return [health, ...reasons.map(r => r.code)];
};
const unknown = {kind: 'unknown', reasons: [REASONS['no-quorum'](set, uuids(1))]} as const;

test('healthy: no reason at all, hints included', t => {
	t.deepEqual(look({hints: [REASONS['peer-unreachable']('h4', 'refused')]}), ['healthy']);
});

test('degraded: a server down, heals pending or uncounted, split brain, own brick down', t => {
	t.deepEqual(look({up: uuids(1, 2)}), ['degraded', 'server-down']);
	t.deepEqual(look({heals: {pending: 3, splitBrain: 0}}), ['degraded', 'heals-pending']);
	t.deepEqual(look({heals: null}), ['degraded', 'heals-pending']);
	t.deepEqual(look({heals: {pending: 0, splitBrain: 1}}), ['degraded', 'split-brain']);
	t.deepEqual(look({brickProblem: 'port in use'}), ['degraded', 'brick-down']);
});

test('refusing: the verdict’s reasons, then the hints; uncounted heals would only distract', t => {
	const hints = [REASONS['members-unknown']('glusterd is not running')];
	t.deepEqual(look({gate: 'refusing', verdict: unknown, heals: null, up: uuids(), hints}), [
		'refusing',
		'no-quorum',
		'members-unknown',
	]);
	t.deepEqual(look({verdict: unknown, heals: null}), ['refusing', 'no-quorum']);
});

test('refusing while a cause stands, even if the verdict still says agreed', t => {
	const closedBecause = [REASONS.changing('h3 leaves'), REASONS.changing('h3 leaves')];
	t.deepEqual(look({gate: 'switching', closedBecause}), ['refusing', 'changing']);
	t.deepEqual(look({closedBecause: [REASONS.stopping()]}), ['refusing', 'stopping']);
	t.deepEqual(look({gate: 'refusing'}), ['refusing', 'starting']);
});
