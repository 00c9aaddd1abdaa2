/** Brings a change that was cut off, or failed on its way, to its end: decided for the new set and completed, or undone. */
import {HekafsError} from '../errors.ts';
import {type SetChange} from '../membership/change.ts';
import {hasServer, sameSet} from '../membership/server-set.ts';
import {afterAccepts, afterPromises, ballotAbove, type Outcome, type Word} from '../membership/vote.ts';
import {askServers} from './ask-servers.ts';
import {type ChangeContext} from './change-context.ts';
import {type Node} from './node.ts';
import {planCompletion} from './plan-completion.ts';
import {dropBrick, startServing} from './serving.ts';
import {runStep} from './steps.ts';
import {MACHINERY} from './store.ts';

/** The highest ballot that this node knows of. */
const promisedHere = (node: Node, change: SetChange): number => {
	const pending = node.state?.pending;
	return pending != null && sameSet(pending.change.to, change.to) ? pending.promised : 0;
};

/** One round with a ballot of our own (docs/MEMBERSHIP.md). */
const round = async (node: Node, change: SetChange, promised: number): Promise<Outcome> => {
	const ballot = ballotAbove(promised, change, node.self);
	const first = afterPromises(change, await askServers(node, change, {kind: 'promise', ballot}));
	if (first.kind !== 'propose') return first;
	const {word} = first;
	return afterAccepts(change, word, await askServers(node, change, {kind: 'accept', ballot, word}));
};

/**
 * What the old set has decided, or decides now: `go` if any of a quorum has said so, else `abort`.
 * @throws HekafsError HEKAFS_BUSY when no quorum answers, or another node settles it just now
 */
export const decide = async (node: Node, change: SetChange): Promise<Word | 'moved'> => {
	let outcome = await round(node, change, promisedHere(node, change));
	// Somebody has promised a ballot that we did not know of: once more, above it.
	if (outcome.kind === 'open' && outcome.promised > 0) outcome = await round(node, change, outcome.promised);
	if (outcome.kind === 'moved') return 'moved';
	if (outcome.kind === 'decided') return outcome.word;
	throw new HekafsError(
		'HEKAFS_BUSY',
		`whether epoch ${change.to.epoch} follows can't be decided: too few config servers of epoch ${change.from.epoch} answer`,
		{remedy: 'Start hekafsd on them; it is decided by itself then.'},
	);
};

/** The attempt is over: this node's brick serves the old set again; one that was to join is put aside. */
export const goBack = async (node: Node, change: SetChange): Promise<void> => {
	node.vote(change, {kind: 'abandon'});
	const {state} = node;
	if (state !== undefined && sameSet(state.set, change.from)) {
		if (hasServer(change.from, node.self)) await startServing(node, change.from);
		else if (state.brick !== null && state.pending === null) {
			const aside = await dropBrick(node, state.brick.directory);
			node.setState({...state, brick: null});
			node.ports.log(`this node's new brick is kept in ${aside}`);
		}
	}
	node.problems.delete('mount');
	node.endSwitch();
	node.ports.log(`epoch ${change.to.epoch} does not follow; epoch ${change.from.epoch} goes on`);
};

/** The steps after the decision, for a change that somebody else began. */
const complete = async (node: Node, change: SetChange): Promise<void> => {
	const context: ChangeContext = {
		node,
		progress: () => undefined,
		change,
		from: change.from,
		to: change.to,
		why: `epoch ${change.to.epoch} is completed`,
		maintenance: undefined,
		lockedIn: undefined,
		brickDirectory: undefined,
		secret: node.ports.stateStore.readSecret(),
		fenced: true,
		decided: true,
	};
	const others = new Set([...change.from.servers, ...change.to.servers].map(s => s.uuid));
	others.delete(node.self);
	const now = new Date().toISOString();
	const brick = node.state?.brick?.directory;
	await startServing(node, change.to);
	try {
		for (const step of planCompletion(change, {by: node.self, now, members: [...others], brick}))
			await runStep(context, step);
	} finally {
		await context.lockedIn?.unlock(MACHINERY.lock).catch(() => undefined);
		await context.maintenance?.end();
	}
};

/**
 * Ends a change: completes it or undoes it, whichever the old set decides, and tells its servers.
 * @throws HekafsError HEKAFS_BUSY and what a step of the completion throws: to be tried again
 */
export const settle = async (node: Node, change: SetChange): Promise<Word | 'moved'> => {
	const word = await decide(node, change);
	node.ports.log(`epoch ${change.to.epoch}: ${word}`);
	if (word === 'go') await complete(node, change);
	if (word === 'abort') {
		const others = change.from.servers.map(s => s.uuid).filter(uuid => uuid !== node.self);
		await Promise.all([goBack(node, change), askServers(node, change, {kind: 'abandon'}, others)]);
	}
	return word;
};
