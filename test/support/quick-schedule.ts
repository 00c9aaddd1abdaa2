/** One random schedule over the fast model: changes, faults and writes in any order, P1 to P3 after each event, then rest. */
import {hasServer, setIdOf} from '../../src/membership/server-set.ts';
import {QuickChecks} from './quick-checks.ts';
import {hear, join, retire, turn} from './quick-daemon.ts';
import {type QuickDefects} from './quick-defects.ts';
import {ABSENT, Brick, type QuickNode} from './quick-node.ts';
import {type Tally} from './quick-tally.ts';
import {Crash, FILES, markerPath, QuickWorld, RECORD, Violation} from './quick-world.ts';
import {setOf} from './sets.ts';
import {type SeededRandom} from './fake-clock.ts';

const EVENTS = 600;
/** Rounds in which everybody gets a turn, until all is well. */
const REST_ROUNDS = 200;
/** Until the first mounts are there. */
const START_ROUNDS = 6;
/** How likely a wait runs into its limit when its node is looked at. */
const GIVE_UP = 0.004;

/** What a schedule has much of differs from one to the next: what is rare in the mean is common in some. */
const mixOf = (random: SeededRandom): Mix => ({
	fault: random.pick([0.003, 0.01, 0.02, 0.05]),
	request: random.pick([0.02, 0.04, 0.08]),
	crash: random.pick([0, 0.001, 0.004, 0.02]),
	late: random.pick([0.05, 0.3, 1]),
	lost: random.pick([0, 0.01, 0.05]),
	twice: random.pick([0, 0.02, 0.08]),
	news: random.pick([0.1, 0.3, 1]),
});

/** What else happens; as often as it stands here. */
const EVENTS_BY_WEIGHT = [
	...(['message', 'message', 'message', 'message'] as const),
	...(['task', 'task', 'task', 'task'] as const),
	...(['turn', 'turn', 'turn'] as const),
	...(['write', 'write', 'write', 'write'] as const),
	'heal' as const,
];

interface Mix {
	readonly fault: number;
	readonly request: number;
	/** Over one effect of a process. */
	readonly crash: number;
	readonly late: number;
	readonly lost: number;
	readonly twice: number;
	/** That a turn comes after a round of discovery. */
	readonly news: number;
}

class Schedule {
	readonly world: QuickWorld;
	readonly checks: QuickChecks;
	readonly mix: Mix;
	#value = 1;

	constructor(world: QuickWorld) {
		this.world = world;
		this.checks = new QuickChecks(world);
		const {random, nodes} = world;
		this.mix = mixOf(random);
		const numbers = nodes.map(({index}) => index + 1).filter(n => n === 1 || random.chance(0.6));
		// Where two serve, it is about ties, and about the operator's word.
		if (random.chance(0.25)) numbers.splice(2);
		if (random.chance(0.5)) numbers.reverse();
		const set = setOf(5, numbers);
		world.recordedEpoch = set.epoch;
		const number = world.setNumber(set);
		for (const node of nodes) {
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
		}
	}

	/** @returns whether it went on */
	#resume(node: QuickNode, giveUp: boolean): boolean {
		const {task} = node;
		if (task === undefined || (node.waits !== undefined && !giveUp && !node.waits.until())) return false;
		this.#run(() => {
			node.waits = undefined;
			const next = task.next();
			if (node.task !== task) return;
			if (next.done === true) node.task = undefined;
			else node.waits = next.value;
		});
		return true;
	}

	/** Any task that can go on. */
	#resumeAny(): boolean {
		const {random, nodes} = this.world;
		for (let i = 0, at = random.below(nodes.length); i < nodes.length; i++, at = (at + 1) % nodes.length) {
			const node = nodes[at]!;
			if (node.task !== undefined && this.#resume(node, random.chance(GIVE_UP))) return true;
		}
		return false;
	}

	/** @returns whether there was a message */
	#deliver({late, lost, twice}: Pick<Mix, 'late' | 'lost' | 'twice'>): boolean {
		const {messages, random, tally, reach} = this.world;
		if (messages.length === 0) return false;
		const at = random.chance(late) ? random.below(messages.length) : 0;
		if (at > 0) tally.late++;
		const message = messages[at]!;
		if (random.chance(twice)) tally.twice++;
		else messages.splice(at, 1);
		if (random.chance(lost)) {
			tally.lost++;
			return true;
		}
		if (!message.to.alive || (reach[message.from.index]! & message.to.bit) === 0) return true;
		this.#run(message.deliver);
		return true;
	}

	/** Discovery, then a turn of the loop. */
	#turn(): void {
		const {world, mix} = this;
		const {random, nodes} = world;
		const node = random.pick(nodes);
		const peer = random.pick(nodes);
		if (!node.alive) return;
		if (peer.alive && world.reaches(node, peer) && (!node.asked || random.chance(mix.news))) hear(node, peer);
		const {pending} = node.state!;
		this.#run(() => turn(world, node, pending !== null && random.chance(0.2)));
		if (node.switching && node.task === undefined && random.chance(0.1)) node.switching = false;
	}

	/** Begins a write through an open gate, or ends one: it may have begun before the gate was closed. */
	#write(): void {
		const {random, nodes} = this.world;
		const node = random.pick(nodes);
		const {mount} = node;
		if (node.write !== undefined) {
			this.#endWrite(node);
			return;
		}
		if (mount === undefined || !node.gateOpen) return;
		node.write = {mount, path: random.below(FILES), value: random.chance(0.2) ? ABSENT : this.#value++};
	}

	#endWrite(node: QuickNode): void {
		const {write} = node;
		if (write === undefined) return;
		const {world, checks} = this;
		const {mount, path, value} = write;
		node.write = undefined;
		if (mount.ended || !node.on) return;
		const torn = world.crashes > 0 && world.random.chance(0.01);
		if (torn) checks.torn(path, value);
		const acknowledged = world.write(mount, path, value, torn);
		if (torn) world.kill(node);
		if (!acknowledged) return;
		world.note(() => `${node.index}: writes ${value} to ${path} on ${world.live(mount).toString(2)}`);
		world.tally.writes++;
		checks.acknowledged(mount, path, value);
	}

	#fault(): void {
		const {world} = this;
		const {random, nodes, tally} = world;
		const node = random.pick(nodes);
		const other = random.pick(nodes);
		switch (random.below(10)) {
			case 0:
				world.kill(node);
				break;
			case 1:
				world.powerOff(node);
				break;
			case 2:
				if (node.served === undefined) break;
				tally.bricksKilled++;
				world.stopBrick(node);
				break;
			case 3:
				if (node === other) break;
				tally.cuts++;
				world.cut(node.bit, other.bit);
				break;
			case 4: {
				tally.partitions++;
				const side = 1 + random.below((1 << nodes.length) - 2);
				world.cut(side, ((1 << nodes.length) - 1) & ~side);
				break;
			}
			case 5:
				world.mendLinks();
				break;
			default:
				for (const one of nodes) if (!one.alive && random.chance(0.6)) world.start(one);
		}
	}

	#request(): void {
		const {world} = this;
		const {random, nodes} = world;
		const any = random.pick(nodes);
		const {servers} = any.state!.set;
		const first = world.nodeOf(servers[0]!.uuid);
		// Without the first of two only the other one can go on, on the operator's word.
		const node = !first.on && servers.length === 2 ? world.nodeOf(servers[1]!.uuid) : any;
		if (!node.alive || node.task !== undefined) return;
		// Two at once are tried, too, but mostly one.
		if (nodes.some(other => other.acting !== undefined) && random.chance(0.8)) return;
		const subject = !first.on && random.chance(0.7) ? first : random.pick(nodes);
		const serves = node.state !== undefined && hasServer(node.state.set, node.uuid);
		world.tally.asked++;
		// On the operator's word only a machine that is off is given up.
		if (subject !== node && !subject.on) node.task = retire(world, node, subject.uuid, true);
		else if (!serves) node.task = join(world, node);
		else node.task = retire(world, node, node.uuid, false);
	}

	event(): void {
		const {world, mix} = this;
		const {random, nodes} = world;
		const dice = random.next();
		if (dice < mix.fault) this.#fault();
		else if (dice < mix.fault + mix.request) this.#request();
		else
			switch (random.pick(EVENTS_BY_WEIGHT)) {
				case 'message':
					if (!this.#deliver(mix) && !this.#resumeAny()) this.#turn();
					break;
				case 'task':
					if (!this.#resumeAny() && !this.#deliver(mix)) this.#turn();
					break;
				case 'turn':
					this.#turn();
					break;
				case 'write':
					this.#write();
					break;
				case 'heal':
					world.heal(random.pick(nodes), random.below(world.paths));
					break;
			}
		this.checks.now();
	}

	/** Everybody gets a turn, nothing is lost any more. */
	restRound(): void {
		const {world} = this;
		const {nodes, random} = world;
		// Who was off for good comes back after all, when nobody waits for the operator's word any more.
		if (nodes.every(node => node.state?.pending?.change.forced !== true && node.acting === undefined))
			for (const node of nodes) {
				node.gone = false;
				world.start(node);
			}
		for (let i = world.messages.length; i > 0; i--) this.#deliver({late: 1, lost: 0, twice: 0});
		for (const node of nodes) {
			if (!node.alive) continue;
			for (const peer of nodes) if (peer !== node && peer.alive) hear(node, peer);
			this.#endWrite(node);
			for (let i = 0; i < 6; i++) this.#resume(node, false);
			// A wait has its limit.
			if (node.waits !== undefined && world.messages.length === 0 && random.chance(0.3))
				this.#resume(node, true);
			const pending = node.state?.pending;
			const isActedOn = pending != null && nodes.some(other => other.acting === setIdOf(pending.change.to));
			if (node.task === undefined && nodes.every(other => other.acting === undefined)) node.switching = false;
			this.#run(() => turn(world, node, pending != null && !isActedOn && random.chance(0.4)));
			for (let path = 0; path < world.paths; path++) world.heal(node, path);
		}
		this.checks.resolveSplitBrains();
		this.checks.now();
	}

	run(): void {
		const {world, mix} = this;
		for (let round = 0; round < START_ROUNDS; round++) this.restRound();
		world.crashes = mix.crash;
		for (let event = 0; event < EVENTS; event++) this.event();
		world.tally.events += EVENTS;
		world.crashes = 0;
		world.mendLinks();
		for (const node of world.nodes) world.start(node);
		let why: string | undefined = 'not looked';
		for (let round = 0; round < REST_ROUNDS && why !== undefined; round++) {
			this.restRound();
			why = this.checks.unrest();
		}
		if (why !== undefined) throw new Violation(`no rest: ${why}`);
	}
}

/** Runs one schedule of three to five nodes. Throws a Violation. @param log is filled with what happened */
export const runSchedule = (seed: number, defects: QuickDefects, tally: Tally, log?: string[]): void => {
	const count = 3 + ((Math.imul(seed, 0x9e3779b1) >>> 0) % 3);
	tally.schedules++;
	tally[`nodes${count as 3 | 4 | 5}`]++;
	const world = new QuickWorld({seed, count, defects, tally, logging: log !== undefined});
	try {
		new Schedule(world).run();
	} finally {
		log?.push(...world.log);
	}
};
