import fc from 'fast-check';
import test from 'ava';
import {type SetChange} from '../../../src/membership/change.ts';
import {type NodeUuid} from '../../../src/membership/ids.ts';
import {
	afterAccepts,
	afterPromises,
	type Answer,
	type Answers,
	type Ask,
	attemptAbove,
	ballotAbove,
	mayDecide,
	vote,
	type Voter,
	type Word,
} from '../../../src/membership/vote.ts';
import {FS, NOW, setOf, uuidOf, uuids} from '../../support/sets.ts';

const S = setOf(3, [1, 2, 3]);
const changeTo = (numbers: readonly number[], attempt: number, forced = false, from = S): SetChange => ({
	format: 1,
	kind: numbers.length > from.servers.length ? 'join' : 'retire',
	from,
	to: setOf(from.epoch + 1, numbers, FS, attempt),
	subject: uuidOf(4),
	by: uuidOf(4),
	startedAt: NOW,
	forced,
});
const A = changeTo([1, 2, 3, 4], 10);
const B = changeTo([1, 2, 3, 5], 20);
const fresh: Voter = {set: S, closed: 0, pending: null};
const ask = (
	voter: Voter,
	change: SetChange,
	...asks: readonly Ask[]
): readonly [Voter, Answer | undefined] =>
	asks.reduce<readonly [Voter, Answer | undefined]>(
		([v], question) => {
			const {voter: next, answer} = vote(v, change, question);
			return [next, answer];
		},
		[voter, undefined],
	);
const [prepared] = ask(fresh, A, {kind: 'prepare'});

test('prepare is written down once, and is the promise of ballot 0', t => {
	t.deepEqual(prepared.pending, {change: A, promised: 0, accepted: null});
	const [again, answer] = ask(prepared, A, {kind: 'prepare'});
	t.is(again, prepared);
	t.deepEqual(answer, {kind: 'yes', accepted: null});
	t.deepEqual(ask(prepared, A, {kind: 'promise', ballot: 32}, {kind: 'prepare'})[1], {
		kind: 'later',
		promised: 32,
	});
});

test('a promise is kept: lower ballots are refused, its own is accepted', t => {
	const [promised, yes] = ask(prepared, A, {kind: 'promise', ballot: 40});
	t.deepEqual(yes, {kind: 'yes', accepted: null});
	t.deepEqual(ask(promised, A, {kind: 'promise', ballot: 33})[1], {kind: 'later', promised: 40});
	t.deepEqual(ask(promised, A, {kind: 'accept', ballot: 0, word: 'go'})[1], {kind: 'later', promised: 40});
	const [accepted] = ask(promised, A, {kind: 'accept', ballot: 40, word: 'abort'});
	t.deepEqual(accepted.pending?.accepted, {ballot: 40, word: 'abort'});
	t.deepEqual(ask(accepted, A, {kind: 'promise', ballot: 70})[1], {
		kind: 'yes',
		accepted: {ballot: 40, word: 'abort'},
	});
});

test('an abandoned attempt is closed for ever, and all before it', t => {
	const [after, answer] = ask(prepared, A, {kind: 'abandon'});
	t.deepEqual(after, {set: S, closed: 10, pending: null});
	t.deepEqual(answer, {kind: 'closed', closed: 10});
	t.deepEqual(ask(after, A, {kind: 'prepare'}), [after, {kind: 'closed', closed: 10}]);
	t.deepEqual(ask(prepared, B, {kind: 'abandon'})[0], {set: S, closed: 20, pending: null});
	const [inB] = ask(fresh, B, {kind: 'prepare'});
	t.is(ask(inB, A, {kind: 'abandon'})[0].pending?.change, B);
});

test('one attempt at a time: an earlier one is never taken part in again, a later one has to wait', t => {
	t.deepEqual(ask(prepared, B, {kind: 'prepare'}), [prepared, {kind: 'busy'}]);
	const [inB] = ask(fresh, B, {kind: 'prepare'});
	t.deepEqual(ask(inB, A, {kind: 'promise', ballot: 64}), [inB, {kind: 'never', attempt: 20}]);
});

test('another set than the voter’s', t => {
	const next = changeTo([1, 2, 3], 5, false, A.to);
	t.deepEqual(ask(fresh, next, {kind: 'prepare'})[1], {kind: 'behind'});
	t.deepEqual(ask({set: A.to, closed: 0, pending: null}, B, {kind: 'prepare'})[1], {
		kind: 'moved',
		set: A.to,
	});
	// Who waits for an outcome learns it from who changes the set that came of it.
	const [caught, answer] = ask(prepared, next, {kind: 'prepare'});
	t.is(answer?.kind, 'yes');
	t.deepEqual([caught.set, caught.pending?.change], [A.to, next]);
});

const answers = (...list: ReadonlyArray<readonly [number, Answer]>): Answers =>
	new Map(list.map(([n, answer]) => [uuidOf(n), answer]));
const yes = (accepted: {ballot: number; word: Word} | null = null): Answer => ({kind: 'yes', accepted});

test('after promises: the word of the highest ballot, else abort; a quorum is needed', t => {
	t.deepEqual(afterPromises(A, answers([1, yes()], [2, yes()])), {kind: 'propose', word: 'abort'});
	t.deepEqual(afterPromises(A, answers([1, yes()], [2, {kind: 'never', attempt: 20}])), {
		kind: 'propose',
		word: 'abort',
	});
	t.deepEqual(
		afterPromises(A, answers([1, yes({ballot: 0, word: 'go'})], [2, yes({ballot: 40, word: 'abort'})])),
		{kind: 'propose', word: 'abort'},
	);
	t.deepEqual(afterPromises(A, answers([1, yes({ballot: 0, word: 'go'})], [3, yes()])), {
		kind: 'propose',
		word: 'go',
	});
	t.deepEqual(afterPromises(A, answers([1, yes()], [2, {kind: 'later', promised: 99}])), {
		kind: 'open',
		promised: 99,
	});
	t.deepEqual(afterPromises(A, answers([1, {kind: 'moved', set: B.to}])), {kind: 'moved', set: B.to});
	t.deepEqual(afterPromises(A, answers([1, {kind: 'closed', closed: 10}])), {kind: 'decided', word: 'abort'});
});

test('after accepts: decided by a quorum', t => {
	t.deepEqual(afterAccepts(A, 'go', answers([1, yes()], [2, yes()])), {kind: 'decided', word: 'go'});
	t.deepEqual(afterAccepts(A, 'go', answers([1, yes()], [2, {kind: 'never', attempt: 20}])), {
		kind: 'open',
		promised: 0,
	});
	t.deepEqual(afterAccepts(A, 'abort', answers([1, yes()], [2, {kind: 'never', attempt: 20}])), {
		kind: 'decided',
		word: 'abort',
	});
	t.deepEqual(afterAccepts(A, 'go', answers([1, {kind: 'closed', closed: 10}])), {
		kind: 'decided',
		word: 'abort',
	});
});

test('who may decide: AFR’s rule on the old set, or those who remain on the operator’s word', t => {
	const two = setOf(2, [1, 2]);
	t.true(mayDecide(changeTo([1, 2, 3], 1, false, two), uuids(1)));
	t.false(mayDecide(changeTo([1, 2, 3], 1, false, two), uuids(2)));
	t.true(mayDecide(changeTo([2], 1, true, two), uuids(2)));
});

test('ballots and attempts of two nodes are never equal, and grow', t => {
	const numbers = [1, 2, 3, 4];
	const ballots = numbers.map(n => ballotAbove(70, A, uuidOf(n)));
	t.is(new Set(ballots).size, 4);
	t.true(ballots.every(ballot => ballot > 70));
	const attempts = numbers.map(n => attemptAbove(attemptAbove(0, uuidOf(2)), uuidOf(n)));
	t.is(new Set(attempts).size, 4);
	t.true(attempts.every(attempt => attempt > attemptAbove(0, uuidOf(2)) && Number.isSafeInteger(attempt)));
});

interface Round {
	readonly ballot: number;
	word: Word | undefined;
	readonly answers: Map<NodeUuid, Answer>;
}

/** Rounds of several coordinators whose messages come in any order, twice, or never: they never decide differently. */
test('one word at most is decided for an attempt, however messages are mixed', t => {
	const servers = [1, 2, 3, 4];
	const from = setOf(3, servers);
	const change = changeTo([1, 2, 3, 4, 5], 10, false, from);
	const deliver = fc.record({coordinator: fc.nat(3), server: fc.nat(3), lost: fc.boolean()});
	let decided = 0;
	fc.assert(
		fc.property(fc.array(deliver, {minLength: 40, maxLength: 120}), events => {
			const voters = new Map<NodeUuid, Voter>(
				servers.map(n => [uuidOf(n), {set: from, closed: 0, pending: null}]),
			);
			const words = new Set<Word>();
			// Coordinator 0 acts: it begins with ballot 0 and `go`; the others settle.
			const rounds: Round[] = servers.map((n, i) => ({
				ballot: i === 0 ? 0 : ballotAbove(0, change, uuidOf(n)),
				word: i === 0 ? 'go' : undefined,
				answers: new Map<NodeUuid, Answer>(),
			}));
			for (const {coordinator, server, lost} of events) {
				const round = rounds[coordinator]!;
				const uuid = uuidOf(server + 1);
				const question: Ask =
					round.word === undefined
						? {kind: 'promise', ballot: round.ballot}
						: {kind: 'accept', ballot: round.ballot, word: round.word};
				const {voter, answer} = vote(voters.get(uuid)!, change, question);
				voters.set(uuid, voter);
				if (lost) continue;
				round.answers.set(uuid, answer);
				if (round.word === undefined) {
					const first = afterPromises(change, round.answers);
					if (first.kind !== 'propose') continue;
					round.word = first.word;
					round.answers.clear();
				} else {
					const outcome = afterAccepts(change, round.word, round.answers);
					if (outcome.kind === 'decided') words.add(outcome.word);
				}
			}
			decided += words.size;
			return words.size <= 1;
		}),
		{numRuns: 2000},
	);
	t.true(decided > 100, `${decided} were decided`);
});
