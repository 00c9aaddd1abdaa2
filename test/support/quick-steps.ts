/** The steps of a change over the fast model: what the executors of heal/ do, as generators that yield where others may run. */
import {type SetChange} from '../../src/membership/change.ts';
import {hasServer, sameSet, type ServerSet} from '../../src/membership/server-set.ts';
import {afterAccepts, type Answer, type Answers, vote} from '../../src/membership/vote.ts';
import {exportedSet} from '../../src/heal/serving.ts';
import {verifiedState} from '../../src/heal/next-state.ts';
import {type Question} from '../../src/heal/ports.ts';
import {type Step} from '../../src/heal/plan.ts';
import {type Generation, type NodeUuid} from '../../src/membership/ids.ts';
import {judge, type Verdict} from '../../src/membership/verdict.ts';
import {markerRead, recordOf} from './sets.ts';
import {ABSENT, Brick, countOf, type Mount, type QuickNode, type Waiting} from './quick-node.ts';
import {markerPath, type QuickWorld, RECORD} from './quick-world.ts';

/** A step can't be done: the change is ended. */
export class Failed extends Error {}

export interface QuickContext {
	readonly world: QuickWorld;
	readonly node: QuickNode;
	readonly change: SetChange;
	fenced: boolean;
	maintenance: Mount | undefined;
	locked: boolean;
	directory: string | undefined;
}

export type Run<T = void> = Generator<Waiting | undefined, T>;

export const serving = (set: ServerSet): QuickNode['selfHeal'] => ({servers: set, under: set});

/** The brick exports what the state says, or nothing. */
export const startBrick = (world: QuickWorld, node: QuickNode): void => {
	const set = exportedSet(node.state, node.uuid);
	const brick = node.bricks.get(node.state?.brick?.directory ?? '');
	if (set === undefined || brick === undefined) return;
	const name = world.nameOf(set);
	if (node.served?.name === name && node.served.brick === brick) return;
	world.note(() => `${node.index}: brick ${node.state?.brick?.directory} exports epoch ${set.epoch}`);
	world.serve(node, {brick, set, name});
};

export const fence = (world: QuickWorld, node: QuickNode): void => {
	const set = exportedSet(node.state, node.uuid);
	if (set !== undefined && node.served?.name === world.nameOf(set)) return;
	world.note(() => `${node.index}: fenced`);
	node.selfHeal = undefined;
	world.stopBrick(node);
};

/** What a server answers, with everything that has to be done before; undefined: an error. Throws a Crash. */
export const answer = (
	world: QuickWorld,
	node: QuickNode,
	change: SetChange,
	question: Question,
): Answer | undefined => {
	if (question.kind === 'start' || question.kind === 'heal') {
		const exported = exportedSet(node.state, node.uuid);
		if (exported === undefined || !sameSet(exported, change.to)) return undefined;
		startBrick(world, node);
		node.selfHeal = question.kind === 'heal' ? {servers: change.from, under: change.to} : undefined;
		return {kind: 'yes', accepted: null};
	}
	if (node.state === undefined) return {kind: 'behind'};
	world.point(node);
	const {set, closed, pending} = node.state;
	const {voter, answer: said} = vote({set, closed, pending}, change, question);
	if (voter.pending !== pending || voter.closed !== closed || voter.set !== set)
		node.state = {...node.state, ...voter};
	world.point(node);
	if (said.kind === 'yes') fence(world, node);
	if (question.kind === 'abandon') {
		node.switching = false;
		startBrick(world, node);
		if (node.state.pending === null) node.selfHeal = serving(node.state.set);
	}
	world.point(node);
	return said;
};

const closeGate = (world: QuickWorld, node: QuickNode): void => {
	node.switching = true;
	node.gateOpen = false;
	world.version++;
};

/** Asks servers, this node among them, and waits for all that answer. */
export function* ask(
	world: QuickWorld,
	node: QuickNode,
	change: SetChange,
	question: Question,
	servers: readonly NodeUuid[],
): Run<Answers> {
	const answers = new Map<NodeUuid, Answer>();
	for (const server of servers) {
		const to = world.nodeOf(server);
		if (to === node) {
			const said = answer(world, node, change, question);
			if (said !== undefined) answers.set(server, said);
			continue;
		}
		world.messages.push({
			from: node,
			to,
			deliver: () => {
				if (question.kind === 'prepare' && to.task !== undefined) return;
				if (question.kind === 'prepare') closeGate(world, to);
				const said = answer(world, to, change, question);
				if (said === undefined) return;
				world.messages.push({from: to, to: node, deliver: () => answers.set(server, said)});
			},
		});
		yield undefined;
	}
	yield {until: () => servers.every(server => answers.has(server))};
	return answers;
}

/** What is judged through a mount, remembered by what it depends on. */
export const judgeMount = (
	world: QuickWorld,
	mount: Mount,
	live = world.live(mount),
): Verdict | undefined => {
	const record = world.read(mount, RECORD, live);
	if (record === undefined) return undefined;
	let markers = 0;
	for (const {index, bit} of world.nodes) {
		const marker = world.read(mount, markerPath(index), live);
		if (marker === undefined) return undefined;
		if (marker !== ABSENT) markers |= bit;
	}
	let known = world.verdicts.get(mount.set);
	if (known === undefined) {
		known = new Map<number, Verdict>();
		world.verdicts.set(mount.set, known);
	}
	const key = (record << 16) | (markers << 8) | live;
	const before = known.get(key);
	if (before !== undefined) return before;
	const set = world.sets[record];
	const verdict = judge({
		generation: 1 as Generation,
		mounted: mount.set,
		up: new Set(world.nodes.filter(({bit}) => (live & bit) !== 0).map(({uuid}) => uuid)),
		record: set === undefined ? {kind: 'absent'} : {kind: 'record', record: recordOf(set)},
		markers: world.nodes
			.filter(({bit}) => (markers & bit) !== 0)
			.map(({index}) => markerRead(index + 1, {filesystemId: mount.set.filesystemId})),
	});
	known.set(key, verdict);
	return verdict;
};

export const switchTo = (world: QuickWorld, node: QuickNode, mount: Mount): void => {
	const old = node.mount;
	node.mount = mount;
	node.state = verifiedState(node.state, mount.set);
	if (old !== undefined && old !== mount) old.ended = true;
	world.version++;
	world.point(node);
};

const maintenanceOf = ({maintenance}: QuickContext): Mount => {
	if (maintenance === undefined) throw new Error('BUG: no maintenance mount');
	return maintenance;
};

const write = ({world, node}: QuickContext, mount: Mount, path: number, value: number): void => {
	world.point(node);
	if (!world.write(mount, path, value)) throw new Failed('ENOTCONN');
	world.point(node);
};

/** A change is recorded for the first time. */
const count = ({world, node, change}: QuickContext): void => {
	const {tally} = world;
	const subject = world.nodeOf(change.subject);
	if (node.acting === undefined) tally.completed++;
	if (change.forced) tally.forced++;
	if (change.kind === 'join') {
		tally.joined++;
		if (subject.bricks.size > 1) tally.rejoined++;
	} else {
		tally.retired++;
		if (!subject.on) tally.retiredDead++;
	}
};

const record = (context: QuickContext, set: ServerSet): void => {
	const {world} = context;
	const mount = maintenanceOf(context);
	const number = world.setNumber(set);
	const found = world.sets[world.read(mount, RECORD, world.live(mount)) ?? 0];
	if (found !== undefined && found.epoch > set.epoch) throw new Failed('recorded already');
	if (found !== undefined && sameSet(found, set)) return;
	world.note(() => `${context.node.index}: records epoch ${set.epoch}`);
	if (context.change.forced) world.givenUp(world.live(mount));
	if (set.epoch > world.recordedEpoch) count(context);
	world.recordedEpoch = Math.max(world.recordedEpoch, set.epoch);
	if (world.defects.recordWithoutQuorum === true) {
		const one = world.nodes.find(({bit}) => (world.live(mount) & bit) !== 0);
		if (one !== undefined) one.served!.brick.data[RECORD] = number;
		world.version++;
	} else write(context, mount, RECORD, number);
};

/** `trusted.add-brick` on all old bricks. */
const mark = ({world, node, change}: QuickContext): void => {
	const mount = world.mountOf(node, change.to);
	const live = world.live(mount);
	if (countOf(live) !== mount.servers.length) throw new Failed('not all bricks can be reached');
	world.version++;
	const joining = world.nodeOf(change.subject);
	const fresh = joining.served!.brick;
	for (const {served, bit} of world.nodes) {
		if ((live & bit) === 0 || served!.brick === fresh) continue;
		const {blame} = served!.brick;
		// The mark is on the root: what the new brick already has below it is not looked at (GlusterFS was seen to keep it).
		for (let path = 0; path < world.paths; path++)
			if (fresh.data[path] === ABSENT) blame[path]! |= joining.bit;
	}
};

function* healed(context: QuickContext, servers: readonly NodeUuid[]): Run {
	const {world, node, change} = context;
	if (servers.length < 2 || world.defects.noHealedCheck === true) return;
	const among = world.bitsOf(servers);
	const mount = world.mountOf(node, change.from, change.to);
	const isClean = (): boolean => world.pending(mount, among) === 0;
	if (isClean()) return;
	yield* ask(world, node, change, {kind: 'heal'}, servers);
	yield {until: isClean};
	if (!isClean()) throw new Failed('heals are pending');
	const stopped = yield* ask(world, node, change, {kind: 'start'}, servers);
	if (stopped.size !== servers.length) throw new Failed('a self-heal daemon runs on');
}

function* healthy({world, node, change}: QuickContext, except: NodeUuid | undefined): Run {
	const mount = node.mount;
	if (mount === undefined || !sameSet(mount.set, change.from)) throw new Failed('the set was changed');
	const gone = except === undefined ? 0 : world.nodeOf(except).bit;
	const all = world.bitsOf(change.from.servers.map(s => s.uuid));
	const isClean = (): boolean =>
		world.pending(mount, all & ~gone) === 0 && (gone !== 0 || world.pending(mount, all) === 0);
	yield {until: isClean};
	if (!isClean()) throw new Failed('not healthy');
}

/** One step of a plan. Throws Failed when it can't be done, Crash when its process dies. */
export function* runStep(context: QuickContext, step: Step): Run {
	const {world, node, change} = context;
	const {to} = change;
	switch (step.kind) {
		case 'lock':
			if (node.mount === undefined || !world.tryLock(node.mount)) throw new Failed('locked');
			break;
		case 'requireHealthy':
			yield* healthy(context, step.except);
			break;
		case 'closeGate':
			closeGate(world, node);
			yield {until: () => node.write === undefined};
			break;
		case 'tellMembersSwitching':
			for (const uuid of step.members) {
				const member = world.nodeOf(uuid);
				world.messages.push({from: node, to: member, deliver: () => closeGate(world, member)});
			}
			break;
		case 'prepareBrick': {
			const brick = new Brick(world.paths);
			const old = world.defects.reusesBricks === true ? [...node.bricks.values()].at(-1) : undefined;
			for (const [path, value] of (old?.data ?? []).entries()) brick.data[path] = value;
			context.directory = `/${world.setNumber(to)}`;
			node.bricks.set(context.directory, brick);
			break;
		}
		case 'prepareServers': {
			context.fenced = true;
			const answers = yield* ask(world, node, change, {kind: 'prepare'}, step.servers);
			if (step.servers.some(server => answers.get(server)?.kind !== 'yes')) throw new Failed('not prepared');
			break;
		}
		case 'startBricks': {
			const answers = yield* ask(world, node, change, {kind: 'start'}, step.servers);
			if (answers.size !== step.servers.length) throw new Failed('not started');
			break;
		}
		case 'requireHealed':
			yield* healed(context, step.servers);
			break;
		case 'startBrick':
			node.state = {
				...node.state!,
				pending: {change, promised: 0, accepted: null},
				brick: {directory: context.directory!, port: 1, setId: step.setId},
			};
			world.point(node);
			startBrick(world, node);
			break;
		case 'markNewBrick':
			if (world.defects.markerBeforeMark !== true) mark(context);
			break;
		case 'mountMaintenance': {
			const mount = world.mountOf(node, to);
			const connected = (): boolean =>
				step.need === 'all'
					? countOf(world.live(mount)) === mount.servers.length
					: world.hasQuorum(mount, world.live(mount));
			yield {until: connected};
			if (!connected()) throw new Failed('not connected');
			context.maintenance = mount;
			if (!world.tryLock(mount)) throw new Failed('locked');
			break;
		}
		case 'decide': {
			const question = {kind: 'accept', ballot: 0, word: 'go'} as const;
			const answers = yield* ask(world, node, change, question, step.servers);
			const outcome = afterAccepts(change, 'go', answers);
			const isGo = outcome.kind === 'decided' && outcome.word === 'go';
			const isEnough = world.defects.oneDecides === true && [...answers.values()].some(a => a.kind === 'yes');
			if (!isGo && !isEnough) throw new Failed('not decided');
			break;
		}
		case 'writeRecord':
			record(context, to);
			break;
		case 'writeMarker':
			write(context, maintenanceOf(context), markerPath(world.nodeOf(step.marker.uuid).index), 1);
			break;
		case 'removeMarker':
			write(context, maintenanceOf(context), markerPath(world.nodeOf(step.uuid).index), 0);
			break;
		case 'matchMarkers': {
			const mount = maintenanceOf(context);
			const given = world.defects.wordKeepsMarkers === true ? [world.nodeOf(change.subject)] : world.nodes;
			for (const {index, uuid} of given) {
				const wanted = hasServer(step.set, uuid) ? 1 : 0;
				if (world.read(mount, markerPath(index), world.live(mount)) !== wanted)
					write(context, mount, markerPath(index), wanted);
			}
			break;
		}
		case 'adopt': {
			const mount = maintenanceOf(context);
			const verdict = judgeMount(world, mount);
			if (verdict?.kind !== 'agreed')
				throw new Failed(`not agreed: ${verdict?.reasons.map(r => r.text).join('; ') ?? 'no quorum'}`);
			switchTo(world, node, mount);
			startBrick(world, node);
			if (hasServer(to, node.uuid)) node.selfHeal = serving(to);
			node.switching = false;
			break;
		}
		case 'tellMembersAdopt':
			for (const uuid of step.members) {
				const member = world.nodeOf(uuid);
				const deliver = (): void => {
					if ((member.heard?.epoch ?? 0) < to.epoch) member.heard = to;
					member.switching = false;
				};
				world.messages.push({from: node, to: member, deliver});
			}
			break;
		case 'unlock':
			if (world.defects.markerBeforeMark === true && change.kind === 'join') mark(context);
			world.unlock(node);
			break;
		case 'setBrickAside':
		case 'writeChange':
		case 'removeChange':
		case 'writeSecret':
		case 'waitHealed':
			// What is left of a brick that leaves is the loop's; nothing here depends on the others.
			break;
	}
	yield undefined;
}
