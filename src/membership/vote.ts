/**
 * How the servers of a set decide what follows it: pure. Each change S → S′ is one decision between `go` and `abort`, made by
 * a quorum of S. It is Paxos for one binary value: `prepare` is the promise at ballot 0, which belongs to the node that
 * acts; whoever settles a change that was cut off takes a higher ballot (docs/MEMBERSHIP.md).
 */
import {type SetChange} from './change.ts';
import {type NodeUuid} from './ids.ts';
import {hasQuorum, sameSet, type ServerSet} from './server-set.ts';

/** `go`: S′ follows S. `abort`: S goes on, and this attempt never counts again. */
export type Word = 'go' | 'abort';

export interface Accepted {
	readonly ballot: number;
	readonly word: Word;
}

/** A change that this server has written down and that is not concluded: as long as it is there, the server does not serve S. */
export interface Pending {
	readonly change: SetChange;
	/** The highest ballot that it has promised; lower ones are refused. */
	readonly promised: number;
	readonly accepted: Accepted | null;
}

/** What a server remembers, durably, of the decisions on what follows its set. */
export interface Voter {
	readonly set: ServerSet;
	/** All attempts up to this one are over without effect: none of them was decided, none ever will be. */
	readonly closed: number;
	readonly pending: Pending | null;
}

export type Ask =
	/** Stop serving S, and wait for the outcome. */
	| {readonly kind: 'prepare'}
	| {readonly kind: 'promise'; readonly ballot: number}
	| {readonly kind: 'accept'; readonly ballot: number; readonly word: Word}
	/** The attempt was aborted by a quorum: serve S again. */
	| {readonly kind: 'abandon'};

export type Answer =
	| {readonly kind: 'yes'; readonly accepted: Accepted | null}
	/** A higher ballot was promised. */
	| {readonly kind: 'later'; readonly promised: number}
	/** Takes part in an earlier attempt that is not concluded. */
	| {readonly kind: 'busy'}
	/** Takes part in a later attempt, so never again in this one. */
	| {readonly kind: 'never'; readonly attempt: number}
	/** This attempt is over without effect: a quorum has aborted it or a later one. */
	| {readonly kind: 'closed'; readonly closed: number}
	/** S is over here. */
	| {readonly kind: 'moved'; readonly set: ServerSet}
	/** Has not verified S yet. */
	| {readonly kind: 'behind'};

/** Who asks from a verified set proves that it was recorded: a voter that waits for just that outcome has it. */
const caughtUp = (voter: Voter, from: ServerSet): Voter =>
	voter.pending !== null && sameSet(voter.pending.change.to, from)
		? {set: from, closed: 0, pending: null}
		: voter;

const about = (pending: Pending, ask: Exclude<Ask, {kind: 'abandon'}>): readonly [Pending, Answer] => {
	const yes: Answer = {kind: 'yes', accepted: pending.accepted};
	const later: Answer = {kind: 'later', promised: pending.promised};
	switch (ask.kind) {
		case 'prepare':
			return [pending, pending.promised === 0 ? yes : later];
		case 'promise':
			return ask.ballot < pending.promised ? [pending, later] : [{...pending, promised: ask.ballot}, yes];
		case 'accept': {
			if (ask.ballot < pending.promised) return [pending, later];
			const accepted = {ballot: ask.ballot, word: ask.word};
			return [
				{...pending, promised: ask.ballot, accepted},
				{kind: 'yes', accepted},
			];
		}
	}
};

/**
 * One server's answer to one question about a change, and what it must have written down before it answers.
 * Total; asking again changes nothing.
 */
export const vote = (
	before: Voter,
	change: SetChange,
	ask: Ask,
): {readonly voter: Voter; readonly answer: Answer} => {
	const voter = caughtUp(before, change.from);
	const {set, closed, pending} = voter;
	const {attempt} = change.to;
	const say = (answer: Answer): {readonly voter: Voter; readonly answer: Answer} => ({voter, answer});
	if (!sameSet(set, change.from))
		return say(set.epoch > change.from.epoch ? {kind: 'moved', set} : {kind: 'behind'});
	if (attempt <= closed) return say({kind: 'closed', closed});
	const mine = pending !== null && sameSet(pending.change.to, change.to) ? pending : null;
	if (ask.kind === 'abandon')
		return {
			// An attempt that a quorum aborted proves that no earlier one was decided: its voters took part in none any more.
			voter: {
				set,
				closed: attempt,
				pending: pending !== null && pending.change.to.attempt > attempt ? pending : null,
			},
			answer: {kind: 'closed', closed: attempt},
		};
	if (pending !== null && mine === null)
		return say(
			attempt < pending.change.to.attempt
				? {kind: 'never', attempt: pending.change.to.attempt}
				: {kind: 'busy'},
		);
	const [next, answer] = about(mine ?? {change, promised: 0, accepted: null}, ask);
	return {voter: next === pending ? voter : {set, closed, pending: next}, answer};
};

/** Whether these servers may decide: AFR's rule on the old set; where the operator's word stands in, whoever remains. */
export const mayDecide = ({from, to, forced}: SetChange, servers: ReadonlySet<NodeUuid>): boolean =>
	forced ? to.servers.every(s => servers.has(s.uuid)) : hasQuorum(from, servers);

export type Answers = ReadonlyMap<NodeUuid, Answer>;

export type Outcome =
	| {readonly kind: 'decided'; readonly word: Word}
	| {readonly kind: 'moved'; readonly set: ServerSet}
	/** Not by these answers. `promised`: the highest ballot that was heard of. */
	| {readonly kind: 'open'; readonly promised: number};

/** What some answers settle by themselves. */
const settled = (answers: Answers): Outcome | undefined => {
	for (const answer of answers.values()) {
		if (answer.kind === 'moved') return answer;
		if (answer.kind === 'closed') return {kind: 'decided', word: 'abort'};
	}
	return undefined;
};

const open = (answers: Answers): Outcome => ({
	kind: 'open',
	promised: Math.max(0, ...[...answers.values()].map(a => (a.kind === 'later' ? a.promised : 0))),
});

const among = (answers: Answers, kinds: readonly Answer['kind'][]): ReadonlySet<NodeUuid> =>
	new Set([...answers].filter(([, answer]) => kinds.includes(answer.kind)).map(([uuid]) => uuid));

/**
 * After a quorum's promises: the word that was accepted in the highest ballot; else nobody can have decided, and S goes on.
 * A voter that will `never` take part counts: it has accepted nothing and never will.
 */
export const afterPromises = (
	change: SetChange,
	answers: Answers,
): Outcome | {readonly kind: 'propose'; readonly word: Word} => {
	const known = settled(answers);
	if (known !== undefined) return known;
	if (!mayDecide(change, among(answers, ['yes', 'never']))) return open(answers);
	const accepted = [...answers.values()]
		.flatMap(answer => (answer.kind === 'yes' && answer.accepted !== null ? [answer.accepted] : []))
		.toSorted((a, b) => b.ballot - a.ballot);
	return {kind: 'propose', word: accepted[0]?.word ?? 'abort'};
};

/** After they were asked to accept a word. */
export const afterAccepts = (change: SetChange, word: Word, answers: Answers): Outcome => {
	const known = settled(answers);
	if (known !== undefined) return known;
	const counted = among(answers, word === 'go' ? ['yes'] : ['yes', 'never']);
	return mayDecide(change, counted) ? {kind: 'decided', word} : open(answers);
};

/** More servers than a set can have: ballots of two nodes are never equal. */
const BALLOT_OWNERS = 32;

/** The first ballot of this node above `promised`. Nodes that are no servers of S: only the one that acts may settle. */
export const ballotAbove = (promised: number, change: SetChange, self: NodeUuid): number => {
	const place = change.from.servers.findIndex(server => server.uuid === self);
	const owner = place < 0 ? BALLOT_OWNERS - 1 : place;
	return (Math.floor(promised / BALLOT_OWNERS) + 1) * BALLOT_OWNERS + owner;
};

/** Attempts of two nodes are never equal: the lower half is the node's, the first 32 bits of its UUID. */
const ATTEMPT_OWNERS = 2 ** 32;

/** An attempt of this node above all that it has heard of. */
export const attemptAbove = (heard: number, self: NodeUuid): number =>
	(Math.floor(heard / ATTEMPT_OWNERS) + 1) * ATTEMPT_OWNERS + Number.parseInt(self.slice(0, 8), 16);
