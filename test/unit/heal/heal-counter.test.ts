import test from 'ava';
import {HealCounter} from '../../../src/heal/heal-counter.ts';
import {type Heals} from '../../../src/heal/ports.ts';
import {setOf} from '../../support/sample-set.ts';

const SET = setOf(1, 1, 2, 3);
const clean: Heals = {pending: 0, splitBrain: 0, unreachable: 0};
const busy: Heals = {pending: 5, splitBrain: 0, unreachable: 0};
const turn = async (counter: HealCounter, nowMs: number, heals: Heals | Error): Promise<boolean> =>
	counter.turn(nowMs, SET, async () =>
		heals instanceof Error ? Promise.reject(heals) : Promise.resolve(heals),
	);

test('unknown until two counts in a row find nothing', async t => {
	const counter = new HealCounter();
	t.is(counter.heals, undefined);
	await turn(counter, 0, clean);
	t.is(counter.heals, undefined);
	t.true(await turn(counter, 2000, clean));
	t.deepEqual(counter.heals, clean);
});

test('counts seldom while nothing happens, at once after a disturbance', async t => {
	const counter = new HealCounter();
	await turn(counter, 0, clean);
	await turn(counter, 2000, clean);
	let counted = 0;
	const counting = async (): Promise<Heals> => {
		counted++;
		return Promise.resolve(clean);
	};
	await counter.turn(10_000, SET, counting);
	t.is(counted, 0);
	counter.disturb();
	t.is(counter.heals, undefined);
	await counter.turn(10_001, SET, counting);
	t.is(counted, 1);
});

test('one count of a write in flight does not unsettle a clean answer; two do', async t => {
	const counter = new HealCounter();
	await turn(counter, 0, clean);
	await turn(counter, 2000, clean);
	await turn(counter, 40_000, busy);
	t.deepEqual(counter.heals, clean);
	await turn(counter, 43_000, busy);
	t.deepEqual(counter.heals, busy);
});

test('after a disturbance a first count that finds something is told at once', async t => {
	const counter = new HealCounter();
	counter.disturb();
	await turn(counter, 0, busy);
	t.deepEqual(counter.heals, busy);
});

test('a count that fails makes the answer unknown', async t => {
	const counter = new HealCounter();
	await turn(counter, 0, clean);
	await turn(counter, 2000, clean);
	t.true(await turn(counter, 40_000, new Error('glfsheal')));
	t.is(counter.heals, undefined);
});
