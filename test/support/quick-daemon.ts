/** hekafsd over the fast model: its turns, the changes that it carries out, and how it settles what was cut off. */
import {chooseCorrection, type Correction} from '../../src/heal/correct.ts';
import {type Decision} from '../../src/heal/decide.ts';
import {retiredState} from '../../src/heal/next-state.ts';
import {planCompletion} from '../../src/heal/plan-completion.ts';
import {planJoin} from '../../src/heal/plan-join.ts';
import {planRetire} from '../../src/heal/plan-retire.ts';
import {type ClusterObservation, type Plan, type PlanResult, type Step} from '../../src/heal/plan.ts';
import {exportedSet} from '../../src/heal/serving.ts';
import {type SetChange} from '../../src/membership/change.ts';
import {nextEpoch, type NodeUuid} from '../../src/membership/ids.ts';
import {type PeerAnswer} from '../../src/membership/peer-answer.ts';
import {hasServer, makeServerSet, sameSet, type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {type Verdict} from '../../src/membership/verdict.ts';
import {
	afterAccepts,
	afterPromises,
	ballotAbove,
	type Outcome,
	vote,
	type Word,
} from '../../src/membership/vote.ts';
import {NOW, reportOf, serverOf} from './sets.ts';
import {
	ask,
	fence,
	Failed,
	judgeMount,
	type QuickContext,
	type Run,
	runStep,
	serving,
	startBrick,
	switchTo,
} from './quick-steps.ts';
import {type Mount, type QuickNode} from './quick-node.ts';
import {type QuickWorld} from './quick-world.ts';

const serversOf = (set: ServerSet): readonly NodeUuid[] => set.servers.map(s => s.uuid);

const silent: PeerAnswer = {kind: 'silent', problem: 'no answer'};

/** Whose bricks a mount is connected to. */
const upOf = (world: QuickWorld, mount: Mount | undefined): ReadonlySet<NodeUuid> => {
	const live = mount === undefined ? 0 : world.live(mount);
	return new Set(world.nodes.filter(({bit}) => (live & bit) !== 0).map(({uuid}) => uuid));
};

/** What a planner sees on this node. */
const observe = (world: QuickWorld, node: QuickNode): ClusterObservation => {
	const {mount} = node;
	const others = world.nodes.filter(other => other !== node);
	return {
		now: NOW,
		self: serverOf(node.index + 1),
		state: node.state,
		members: others.map(({uuid, index}) => ({uuid, addresses: [`h${index + 1}`], connected: true})),
		answers: new Map(
			others.map(other => [
				other.uuid,
				other.alive && world.reaches(node, other)
					? {
							kind: 'report',
							report: reportOf(other.index + 1, other.state?.set ?? null, {
								closed: other.state?.closed ?? 0,
								members: [{uuid: node.uuid, addresses: ['h'], connected: true}],
							}),
							address: 'h',
							elapsedMs: 1,
						}
					: silent,
			]),
		),
		verdict: mount === undefined ? undefined : judgeMount(world, mount),
		up: upOf(world, mount),
		heals: null,
	};
};

/** One round of settling: the word that was decided; undefined while it can't be. */
function* round(world: QuickWorld, node: QuickNode, change: SetChange, promised: number): Run<Outcome> {
	const ballot = ballotAbove(promised, change, node.uuid);
	const servers = serversOf(change.from);
	const promises = yield* ask(world, node, change, {kind: 'promise', ballot}, servers);
	world.note(() => `${node.index}: ballot ${ballot}: ${JSON.stringify([...promises.values()])}`);
	const first = afterPromises(change, promises);
	if (first.kind !== 'propose') return first;
	const {word} = first;
	return afterAccepts(change, word, yield* ask(world, node, change, {kind: 'accept', ballot, word}, servers));
}

function* decide(world: QuickWorld, node: QuickNode, change: SetChange): Run<Word | 'moved'> {
	if (world.defects.goesBackAlone === true) return 'abort';
	const pending = node.state?.pending;
	const known = pending != null && sameSet(pending.change.to, change.to) ? pending.promised : 0;
	let outcome = yield* round(world, node, change, known);
	if (outcome.kind === 'open' && outcome.promised > 0)
		outcome = yield* round(world, node, change, outcome.promised);
	if (outcome.kind === 'moved') return 'moved';
	if (outcome.kind === 'decided') return outcome.word;
	throw new Failed('undecided');
}

const goBack = (world: QuickWorld, node: QuickNode, change: SetChange): void => {
	if (node.state !== undefined) {
		const {set, closed, pending} = node.state;
		node.state = {...node.state, ...vote({set, closed, pending}, change, {kind: 'abandon'}).voter};
		world.point(node);
		if (sameSet(node.state.set, change.from) && !hasServer(change.from, node.uuid)) {
			if (node.state.brick !== null && node.state.pending === null) {
				world.stopBrick(node);
				node.selfHeal = undefined;
				node.state = {...node.state, brick: null};
			}
		} else startBrick(world, node);
	}
	if (hasServer(change.from, node.uuid)) node.selfHeal = serving(change.from);
	node.switching = false;
};

function* settle(world: QuickWorld, node: QuickNode, change: SetChange): Run<Word | 'moved'> {
	const word = yield* decide(world, node, change);
	world.note(() => `${node.index}: settles epoch ${change.to.epoch}: ${word}`);
	if (word === 'abort') {
		if (node.acting === undefined) world.tally.undone++;
		goBack(world, node, change);
		const others = serversOf(change.from).filter(uuid => uuid !== node.uuid);
		yield* ask(world, node, change, {kind: 'abandon'}, others);
	}
	if (word === 'go') {
		startBrick(world, node);
		if (hasServer(change.to, node.uuid)) node.selfHeal = serving(change.to);
		const context: QuickContext = {
			world,
			node,
			change,
			fenced: true,
			maintenance: undefined,
			locked: false,
			directory: undefined,
		};
		const members = world.nodes.map(other => other.uuid).filter(uuid => uuid !== node.uuid);
		try {
			for (const step of planCompletion(change, {by: node.uuid, now: NOW, members, brick: undefined}))
				yield* runStep(context, step);
		} finally {
			world.unlock(node);
		}
	}
	return word;
}

/** What can't be settled now is settled later, by whoever can. */
function* trySettle(world: QuickWorld, node: QuickNode, change: SetChange): Run {
	try {
		yield* settle(world, node, change);
	} catch (error) {
		if (!(error instanceof Failed)) throw error;
		world.note(() => `${node.index}: not settled: ${error.message}`);
	}
}

/** Planted bugs: who joins stands first, who goes on alone takes the next epoch. */
const withDefects = (world: QuickWorld, plan: Plan): Plan => {
	const {change} = plan;
	if (world.defects.wordIsNextEpoch === true && change?.forced === true) {
		const to = {...change.to, epoch: nextEpoch(change.from.epoch)};
		const recorded = (step: Step): Step =>
			step.kind === 'writeRecord' ? {...step, record: {...step.record, set: to}} : step;
		return {...plan, to, change: {...change, to}, steps: plan.steps.map(recorded)};
	}
	if (world.defects.joinerFirst !== true || change?.kind !== 'join') return plan;
	const {filesystemId, epoch, servers, attempt} = change.to;
	const to = makeServerSet(filesystemId, epoch, [servers.at(-1)!, ...servers.slice(0, -1)], attempt);
	const moved = {...change, to};
	const steps = plan.steps.map(step => (step.kind === 'startBrick' ? {...step, setId: setIdOf(to)} : step));
	return {...plan, to, change: moved, steps};
};

/** Carries a change out, as an operator asks for it. */
export function* change(
	world: QuickWorld,
	node: QuickNode,
	planner: (o: ClusterObservation) => PlanResult,
): Run {
	const result = planner(observe(world, node));
	if (result.kind === 'refused') return;
	const plan = withDefects(world, result);
	if (plan.change === undefined) return;
	if (plan.change.forced) {
		// The operator's word, where it stands in for a quorum, is true.
		const subject = world.nodeOf(plan.change.subject);
		if (subject.on) return;
		subject.gone = true;
	}
	world.note(
		() =>
			`${node.index}: changes to epoch ${plan.to.epoch} [${plan.to.servers.map(s => s.address).join(' ')}]`,
	);
	const context: QuickContext = {
		world,
		node,
		change: plan.change,
		fenced: false,
		maintenance: undefined,
		locked: false,
		directory: undefined,
	};
	node.acting = setIdOf(plan.to);
	try {
		for (const step of plan.steps) yield* runStep(context, step);
	} catch (error) {
		if (!(error instanceof Failed)) throw error;
		world.note(() => `${node.index}: fails: ${error.message}`);
		world.unlock(node);
		if (context.fenced) yield* trySettle(world, node, plan.change);
	} finally {
		node.acting = undefined;
		node.switching = false;
	}
}

export const join = (world: QuickWorld, node: QuickNode): Run => change(world, node, planJoin);
export const retire = (world: QuickWorld, node: QuickNode, subject: NodeUuid, force: boolean): Run =>
	change(world, node, o => planRetire(o, {subject, force}));

/** A mount of a set, judged; switched to when it agrees. @returns what the filesystem records instead */
function* mountAgreed(
	world: QuickWorld,
	node: QuickNode,
	set: ServerSet,
): Run<Mount | ServerSet | undefined> {
	const mount = world.mountOf(node, set);
	let verdict: Verdict | undefined;
	yield {
		until: () => {
			verdict = judgeMount(world, mount);
			return verdict?.kind === 'agreed' || verdict?.kind === 'disagreed';
		},
	};
	if (verdict?.kind === 'agreed') return mount;
	return verdict?.kind === 'disagreed' ? verdict.recorded : undefined;
}

function* adopt(world: QuickWorld, node: QuickNode, set: ServerSet): Run {
	startBrick(world, node);
	const found = yield* mountAgreed(world, node, set);
	if (found === undefined || !('node' in found)) return;
	switchTo(world, node, found);
	startBrick(world, node);
	if (hasServer(set, node.uuid)) node.selfHeal = serving(set);
}

function* becomeRetired(world: QuickWorld, node: QuickNode, set: ServerSet, directory: string): Run {
	const found = yield* mountAgreed(world, node, set);
	if (found === undefined || !('node' in found)) return;
	node.selfHeal = undefined;
	world.stopBrick(node);
	world.point(node);
	node.state = retiredState(set, directory, NOW);
	switchTo(world, node, found);
}

const decisionOf = (judgement: Verdict | undefined): Decision => ({
	gate: 'refusing',
	degraded: false,
	verdict: judgement?.kind ?? 'unknown',
	health: 'refusing',
	reasons: [],
	judgement,
});

function* correct(world: QuickWorld, node: QuickNode, correction: Correction): Run {
	switch (correction.kind) {
		case 'settle':
			yield* settle(world, node, correction.change);
			break;
		case 'become-retired':
			yield* becomeRetired(world, node, correction.set, correction.directory);
			break;
		case 'adopt':
		case 'adopt-recorded':
			yield* adopt(world, node, correction.set);
			break;
		case 'start-brick':
			startBrick(world, node);
			// Not of a set that is not decided: it would forget what it knows of a server that leaves.
			if (node.state?.pending === null && sameSet(node.state.set, correction.set))
				node.selfHeal = serving(correction.set);
			break;
		case 'none':
		case 'settle-founding':
			break;
	}
}

/** Asks one peer, as discovery does. */
export const hear = (node: QuickNode, peer: QuickNode): void => {
	node.asked = true;
	const set = peer.state?.set;
	if (set !== undefined && set.epoch > (node.heard?.epoch ?? 0)) node.heard = set;
};

/** One turn of the loop: looks, moves the gate, and begins a correction if there is one. */
export const turn = (world: QuickWorld, node: QuickNode, orphaned: boolean): void => {
	const {mount, state} = node;
	const judgement = mount === undefined ? undefined : judgeMount(world, mount);
	const opens = judgement?.kind === 'agreed' && !node.switching;
	if (opens !== node.gateOpen) {
		node.gateOpen = opens;
		world.version++;
	}
	if (node.task !== undefined || !node.asked || (node.switching && !orphaned)) return;
	const exported = exportedSet(state, node.uuid);
	const correction = chooseCorrection({
		self: node.uuid,
		state,
		brickRunning: exported === undefined || node.served?.name === world.nameOf(exported),
		orphaned,
		newestKnown: node.heard,
		mounted: mount?.set,
		mountAlive: mount !== undefined,
		silentForMs: 0,
		decision: decisionOf(judgement),
	});
	if (correction.kind === 'none') return;
	// What the brick exports follows the state, whatever else is done.
	if (correction.kind !== 'start-brick') fence(world, node);
	node.task = (function* task() {
		try {
			yield* correct(world, node, correction);
		} catch (error) {
			if (!(error instanceof Failed)) throw error;
			world.note(() => `${node.index}: ${correction.kind} fails: ${error.message}`);
		}
	})();
};
