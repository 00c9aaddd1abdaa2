/** One random schedule over the fast model: changes, faults and writes in any order, P1 to P3 after each event, then rest. */
import {hasServer, sameSet, setIdOf} from '../../src/membership/server-set.ts';
import {hear, join, retire, turn} from './quick-daemon.ts';
import {type QuickDefects} from './quick-defects.ts';
import {forgetVerdicts, judgeMount} from './quick-steps.ts';
import {
	ABSENT,
	Brick,
	Crash,
	FILES,
	markerPath,
	type Mount,
	type QuickNode,
	QuickWorld,
	RECORD,
	Violation,
} from './quick-world.ts';
import {setOf} from './sets.ts';

const EVENTS = 220;
/** Rounds in which everybody gets a turn, until all is well. */
const REST_ROUNDS = 120;

export interface Tally {
	writes: number;
	crashes: number;
	changes: number;
}

class Schedule {
	readonly world: QuickWorld;
	readonly tally: Tally;
	/** By file: what a reader may see. */
	readonly allowed: Set<number>[] = [];
	#value = 1;

	constructor(seed: number, defects: QuickDefects, tally: Tally) {
		const world = new QuickWorld(seed, 3, defects);
		this.world = world;
		this.tally = tally;
		const {random} = world;
		const numbers = [1, 2, 3].filter(n => n === 1 || random.chance(0.6));
		if (random.chance(0.5)) numbers.reverse();
		const set = setOf(5, numbers);
		world.recordedEpoch = set.epoch;
		const number = world.setNumber(set);
		for (let path = 0; path < FILES; path++) this.allowed.push(new Set([ABSENT]));
		world.givenUp = remaining => {
			for (const {served} of remaining)
				for (let path = 0; path < FILES; path++) this.allowed[path]!.add(served!.brick.data[path]!);
		};
		for (const node of world.nodes) {
			const serves = hasServer(set, node.uuid);
			node.state = {
				format: 2,
				filesystemId: set.filesystemId,
				set,
				closed: 0,
				pending: null,
				brick: serves ? {directory: '/0', port: 1, setId: '0'.repeat(16) as never} : null,
				founding: false,
				retired: null,
			};
			if (!serves) continue;
			const brick = new Brick(world.paths);
			brick.data[RECORD] = number;
			for (const n of numbers) brick.data[markerPath(n - 1)] = 1;
			node.bricks.set('/0', brick);
		}
	}

	/** Runs something of a node's process; it may die over it. */
	#run(action: () => void): void {
		try {
			action();
		} catch (error) {
			if (!(error instanceof Crash)) throw error;
			this.tally.crashes++;
		}
	}

	#resume(node: QuickNode, giveUp: boolean): void {
		const {task} = node;
		if (task === undefined || (node.waits !== undefined && !giveUp && !node.waits.until())) return;
		this.#run(() => {
			node.waits = undefined;
			const next = task.next();
			if (node.task !== task) return;
			if (next.done === true) node.task = undefined;
			else node.waits = next.value;
		});
	}

	#deliver(lost: boolean, twice: boolean): void {
		const {world} = this;
		const {messages, random} = world;
		if (messages.length === 0) return;
		const at = random.below(messages.length);
		const message = messages[at]!;
		if (!twice) {
			messages[at] = messages.at(-1)!;
			messages.pop();
		}
		if (lost || !message.to.alive || !world.reaches(message.from, message.to)) return;
		this.#run(() => message.deliver());
	}

	#beginWrite(node: QuickNode): void {
		const {mount} = node;
		if (mount === undefined || !node.gateOpen || node.write !== undefined) return;
		this.#check(node, mount);
		const {random} = this.world;
		node.write = {mount, path: random.below(FILES), value: random.chance(0.2) ? ABSENT : this.#value++};
	}

	/** P1 and P2 at the moment in which a write is acknowledged. */
	#endWrite(node: QuickNode): void {
		const {write} = node;
		if (write === undefined) return;
		const {world} = this;
		const {mount, path, value} = write;
		node.write = undefined;
		if (mount.ended || !node.on) return;
		const torn = world.crashes > 0 && world.random.chance(0.01);
		if (torn) this.allowed[path]!.add(value);
		const acknowledged = world.write(mount, path, value, torn);
		if (torn) world.kill(node);
		if (!acknowledged) return;
		world.note(
			() =>
				`${node.index}: writes ${value} to ${path} on ${world
					.live(mount)
					.map(l => l.index)
					.join()} of ${mount.servers.join()}`,
		);
		this.tally.writes++;
		if (mount.set.epoch < world.recordedEpoch)
			throw new Violation(
				`P1: a write through epoch ${mount.set.epoch} after ${world.recordedEpoch} was recorded`,
			);
		this.allowed[path] = new Set([value]);
	}

	/** P2: what is read is what was acknowledged last. P3: an open gate and a mount that agrees. */
	#check(node: QuickNode, mount: Mount): void {
		const {world} = this;
		const live = world.live(mount);
		if (!world.hasQuorum(mount, live)) return;
		const verdict = judgeMount(world, mount);
		if (verdict !== undefined && verdict.kind !== 'agreed')
			throw new Violation(
				`P3: the gate of ${node.index} is open, but ${verdict.reasons.map(r => r.text).join('; ')}`,
			);
		for (const [path, allowed] of this.allowed.entries()) {
			const value = world.read(mount, path, live);
			if (value !== undefined && !allowed.has(value))
				throw new Violation(`P2: node ${node.index} reads ${value} from ${path}, not ${[...allowed].join()}`);
		}
	}

	/** P1, after each event: whoever could write now would write to one set. */
	checkSets(): void {
		let admitted: Mount | undefined;
		for (const node of this.world.nodes) {
			const {mount} = node;
			if (mount === undefined || !node.gateOpen || mount === admitted) continue;
			if (!this.world.hasQuorum(mount)) continue;
			if (admitted !== undefined && admitted.set !== mount.set && !sameSet(admitted.set, mount.set))
				throw new Violation(`P1: writes are admitted to epochs ${admitted.set.epoch} and ${mount.set.epoch}`);
			admitted = mount;
			this.#check(node, mount);
		}
	}

	#fault(): void {
		const {world} = this;
		const {random, nodes} = world;
		const node = random.pick(nodes);
		const other = random.pick(nodes);
		const kind = random.below(8);
		if (kind === 0) world.kill(node);
		else if (kind === 1) world.powerOff(node);
		else if (kind === 2) world.stopBrick(node);
		else if (kind === 3 && node !== other)
			world.cut.add(Math.min(node.index, other.index) * 16 + Math.max(node.index, other.index));
		else if (kind === 4) world.cut.clear();
		else world.start(node);
	}

	#request(): void {
		const {world} = this;
		const {random, nodes} = world;
		const node = random.pick(nodes);
		if (!node.alive || node.task !== undefined) return;
		const subject = random.pick(nodes);
		const serves = node.state !== undefined && hasServer(node.state.set, node.uuid);
		this.tally.changes++;
		// On the operator's word only a machine that is off is given up.
		if (subject !== node && !subject.on) node.task = retire(world, node, subject.uuid, true);
		else if (!serves) node.task = join(world, node);
		else node.task = retire(world, node, node.uuid, false);
	}

	event(): void {
		const {world} = this;
		const {random, nodes} = world;
		const node = random.pick(nodes);
		const dice = random.next();
		if (dice < 0.3) this.#deliver(random.chance(0.04), random.chance(0.04));
		else if (dice < 0.58) this.#resume(node, random.chance(0.03));
		else if (dice < 0.68) {
			const peer = random.pick(nodes);
			if (node.alive && peer.alive && world.reaches(node, peer)) hear(node, peer);
			if (node.alive) this.#run(() => turn(world, node, node.state?.pending != null && random.chance(0.2)));
		} else if (dice < 0.77) this.#beginWrite(node);
		else if (dice < 0.87) this.#endWrite(node);
		else if (dice < 0.94) world.heal(node, random.below(world.paths));
		else if (dice < 0.975) this.#request();
		else this.#fault();
		if (node.switching && node.task === undefined && random.chance(0.02)) node.switching = false;
		this.checkSets();
	}

	/** Everybody gets a turn, nothing is lost any more. */
	restRound(): void {
		const {world} = this;
		const {nodes} = world;
		// Who was off for good comes back after all, when nobody waits for the operator's word any more.
		if (nodes.every(node => node.state?.pending?.change.forced !== true && node.acting === undefined))
			for (const node of nodes) {
				node.gone = false;
				world.start(node);
			}
		for (let i = world.messages.length; i > 0; i--) this.#deliver(false, false);
		for (const node of nodes) {
			if (!node.alive) continue;
			for (const peer of nodes) if (peer !== node && peer.alive) hear(node, peer);
			this.#endWrite(node);
			for (let i = 0; i < 6; i++) this.#resume(node, false);
			// A wait has its limit.
			if (node.waits !== undefined && world.messages.length === 0 && world.random.chance(0.1))
				this.#resume(node, true);
			const pending = node.state?.pending;
			const isActedOn = pending != null && nodes.some(other => other.acting === setIdOf(pending.change.to));
			if (node.task === undefined && nodes.every(other => other.acting === undefined)) node.switching = false;
			this.#run(() => turn(world, node, pending != null && !isActedOn && world.random.chance(0.4)));
			for (let path = 0; path < world.paths; path++) world.heal(node, path);
		}
		this.checkSets();
	}

	/** Why not all is well; undefined when it is. */
	unrest(): string | undefined {
		const {world} = this;
		const [first] = world.nodes;
		const set = first?.mount?.set;
		if (set === undefined) return 'nothing is mounted';
		for (const node of world.nodes) {
			if (node.mount === undefined || !sameSet(node.mount.set, set)) return `${node.index} has another set`;
			if (!node.gateOpen) return `the gate of ${node.index} is closed`;
			if (node.state?.pending != null) return `${node.index} has a pending change`;
			const serves = hasServer(set, node.uuid);
			if (serves !== (node.served !== undefined))
				return `${node.index}: its brick ${serves ? 'is down' : 'runs'}`;
			if (serves !== (node.state?.brick != null)) return `${node.index} remembers another brick`;
		}
		const bricks = set.servers.map(server => world.nodeOf(server.uuid).served!.brick);
		for (let path = 0; path < world.paths; path++) {
			const value = bricks[0]!.data[path]!;
			if (bricks.some(brick => brick.data[path] !== value))
				return `bricks differ in ${path}: ${bricks.map(b => `${b.data[path]}/${b.blame[path]}/${b.dirty[path]}`).join(' ')}`;
			if (path < FILES && !this.allowed[path]!.has(value)) throw new Violation(`P2: ${path} has ${value}`);
		}
		return undefined;
	}
}

/** Runs one schedule. Throws a Violation. @param log is filled with what happened */
export const runSchedule = (seed: number, defects: QuickDefects, tally: Tally, log?: string[]): void => {
	forgetVerdicts();
	const schedule = new Schedule(seed, defects, tally);
	const {world} = schedule;
	world.logging = log !== undefined;
	try {
		for (let round = 0; round < 6; round++) schedule.restRound();
		world.crashes = 0.01;
		for (let event = 0; event < EVENTS; event++) schedule.event();
		world.crashes = 0;
		world.cut.clear();
		for (const node of world.nodes) world.start(node);
		let why: string | undefined = 'not looked';
		for (let round = 0; round < REST_ROUNDS && why !== undefined; round++) {
			schedule.restRound();
			why = schedule.unrest();
		}
		if (why !== undefined) throw new Violation(`no rest: ${why}`);
	} finally {
		log?.push(...world.log);
	}
};
