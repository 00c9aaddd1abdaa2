/**
 * A cluster in memory that is cheap enough for a hundred thousand schedules: disks, brick processes, links, and clients that
 * replicate by AFR's rules as observed (quorum with its tie-breaker, blame for who missed a write, none for who is not in the
 * set, the own brick is read first, the largest wins where nobody is blamed). Groups of nodes are bits: node i is 1 << i.
 */
import {type NodeUuid} from '../../src/membership/ids.ts';
import {type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {type Verdict} from '../../src/membership/verdict.ts';
import {SeededRandom} from './fake-clock.ts';
import {type QuickDefects} from './quick-defects.ts';
import {ABSENT, countOf, firstOf, type Mount, QuickNode} from './quick-node.ts';
import {type Tally} from './quick-tally.ts';

/** Paths of the filesystem: some files of users, then the record, then a marker for each node. */
export const FILES = 3;
export const RECORD = FILES;
export const markerPath = (node: number): number => RECORD + 1 + node;

export class Violation extends Error {}
/** The process or the machine dies here. */
export class Crash extends Error {}

export interface Message {
	readonly from: QuickNode;
	readonly to: QuickNode;
	readonly deliver: () => void;
}

export interface WorldOptions {
	readonly seed: number;
	/** How many nodes; at most 8. */
	readonly count: number;
	readonly defects: QuickDefects;
	readonly tally: Tally;
	readonly logging: boolean;
}

/** Versions get sizes that have nothing to do with their age. */
const sizeOf = (value: number): number => (value === ABSENT ? -1 : (value * 7919) % 97);

export class QuickWorld {
	readonly random: SeededRandom;
	readonly nodes: readonly QuickNode[];
	readonly paths: number;
	readonly defects: QuickDefects;
	readonly tally: Tally;
	messages: Message[] = [];
	/** By node: whom it reaches, itself among them. */
	readonly reach: number[];
	/** How likely a call is the one over which its process dies; 0 while everything is to come to rest. */
	crashes = 0;
	/** Grows with everything that may change what a client reads or writes. */
	version = 0;
	/** Every set that was planned, so that a record can be a number: 0 is none. */
	readonly sets: (ServerSet | undefined)[] = [undefined];
	recordedEpoch = 0;
	/**
	 * Paths in which bricks may stay different although nobody is blamed: a client died in the middle of a write, and AFR
	 * healed what that left while a server was away. What they hold was not acknowledged; the next write makes them equal.
	 */
	uneven = 0;
	/** Called when a set is recorded on the operator's word: what only the one given up had is given up, too. */
	givenUp: (remaining: number) => void = () => undefined;
	/** What was judged, by what it depends on. */
	readonly verdicts = new Map<ServerSet, Map<number, Verdict>>();
	readonly log: string[] = [];
	readonly #logging: boolean;
	readonly #byUuid: ReadonlyMap<NodeUuid, QuickNode>;

	constructor({seed, count, defects, tally, logging}: WorldOptions) {
		this.random = new SeededRandom(seed);
		this.defects = defects;
		this.tally = tally;
		this.#logging = logging;
		this.nodes = Array.from({length: count}, (_, i) => new QuickNode(i));
		this.#byUuid = new Map(this.nodes.map(node => [node.uuid, node]));
		this.reach = this.nodes.map(() => this.#everybody());
		this.paths = RECORD + 1 + count;
	}

	#everybody(): number {
		return (1 << this.nodes.length) - 1;
	}

	note(text: () => string): void {
		if (this.#logging) this.log.push(text());
	}

	nodeOf(uuid: NodeUuid): QuickNode {
		return this.#byUuid.get(uuid)!;
	}

	setNumber(set: ServerSet): number {
		const known = this.sets.indexOf(set);
		if (known > 0) return known;
		return this.sets.push(set) - 1;
	}

	reaches(a: QuickNode, b: QuickNode): boolean {
		return (this.reach[a.index]! & b.bit) !== 0;
	}

	/** The link between two groups of nodes: no message, no client gets through. */
	cut(some: number, others: number): void {
		this.version++;
		for (const {index, bit} of this.nodes) {
			if ((some & bit) !== 0) this.reach[index]! &= ~others | bit;
			if ((others & bit) !== 0) this.reach[index]! &= ~some | bit;
		}
	}

	mendLinks(): void {
		this.version++;
		this.reach.fill(this.#everybody());
	}

	nameOf(set: ServerSet): string {
		return this.defects.noFence === true ? 'conf' : setIdOf(set);
	}

	/** Between two effects of one process. */
	point(node: QuickNode): void {
		if (this.crashes === 0 || !this.random.chance(this.crashes)) return;
		if (this.random.chance(0.3)) this.powerOff(node);
		else this.kill(node);
		throw new Crash();
	}

	kill(node: QuickNode): void {
		if (!node.alive) return;
		this.note(() => `${node.index}: hekafsd dies`);
		this.version++;
		this.tally.crashes++;
		this.unlock(node);
		node.die();
	}

	powerOff(node: QuickNode): void {
		this.kill(node);
		if (!node.on) return;
		this.note(() => `${node.index}: power off`);
		this.tally.powerOffs++;
		node.on = false;
		this.stopBrick(node);
		node.selfHeal = undefined;
	}

	stopBrick(node: QuickNode): void {
		this.version++;
		if (node.served !== undefined) node.served.brick.lock = undefined;
		node.served = undefined;
	}

	serve(node: QuickNode, served: NonNullable<QuickNode['served']>): void {
		this.stopBrick(node);
		node.served = served;
	}

	/** The locks of a node go with its mounts. */
	unlock(node: QuickNode): void {
		for (const {served} of this.nodes) if (served?.brick.lock?.node === node) served.brick.lock = undefined;
	}

	/** hekafsd, after a power cut the machine with it. A planted bug loses what is pending over a restart. */
	start(node: QuickNode): void {
		if (node.alive || node.gone) return;
		this.note(() => `${node.index}: starts`);
		this.tally.returns++;
		node.on = true;
		node.alive = true;
		if (this.defects.forgetsPending === true && node.state !== undefined)
			node.state = {...node.state, pending: null};
	}

	mountOf(node: QuickNode, set: ServerSet, under = set): Mount {
		const servers = set.servers.map(server => this.nodeOf(server.uuid).index);
		return {node, set, name: this.nameOf(under), servers, ended: false};
	}

	bitsOf(uuids: Iterable<NodeUuid>): number {
		let bits = 0;
		for (const uuid of uuids) bits |= this.nodeOf(uuid).bit;
		return bits;
	}

	/** The bricks that a client is connected to. */
	live({node, servers, name}: Mount): number {
		const reach = this.reach[node.index]!;
		let live = 0;
		for (const index of servers)
			if ((reach & (1 << index)) !== 0 && this.nodes[index]!.served?.name === name) live |= 1 << index;
		return live;
	}

	hasQuorum({servers}: Mount, live: number): boolean {
		const twice = countOf(live) * 2;
		return twice > servers.length || (twice === servers.length && (live & (1 << servers[0]!)) !== 0);
	}

	/** What a client reads; undefined: ENOTCONN. Its own brick first, if nobody blames it; else one that the path decides. */
	read(mount: Mount, path: number, live: number): number | undefined {
		if (!this.hasQuorum(mount, live)) return undefined;
		let sources = this.sources(live, path);
		const own = mount.node;
		if ((sources & own.bit) !== 0) return own.served!.brick.data[path];
		if (sources === 0) return undefined;
		for (let skip = path % countOf(sources); skip > 0; skip--) sources &= sources - 1;
		return this.nodes[firstOf(sources)]!.served!.brick.data[path];
	}

	/** Who of these is blamed by nobody. */
	sources(live: number, path: number): number {
		let blamed = 0;
		for (let rest = live; rest !== 0; rest &= rest - 1)
			blamed |= this.nodes[firstOf(rest)]!.served!.brick.blame[path]!;
		return live & ~blamed;
	}

	/**
	 * Writes to all that are connected, and blames the others of the set.
	 * @param torn the client dies over it: some may not have it, and nobody is blamed
	 * @returns whether it is acknowledged
	 */
	write(mount: Mount, path: number, value: number, torn = false): boolean {
		const live = this.live(mount);
		if (!this.hasQuorum(mount, live) || this.sources(live, path) === 0) return false;
		this.version++;
		let missing = 0;
		for (const index of mount.servers) missing |= 1 << index;
		missing &= ~live;
		for (let rest = live; rest !== 0; rest &= rest - 1) {
			const {brick} = this.nodes[firstOf(rest)]!.served!;
			brick.blame[path]! |= missing;
			if (torn) brick.dirty |= 1 << path;
			if (!torn || this.random.chance(0.5)) brick.data[path] = value;
		}
		if (!torn) this.uneven &= ~(1 << path);
		return !torn;
	}

	tryLock(mount: Mount): boolean {
		const live = this.live(mount);
		if (!this.hasQuorum(mount, live)) return false;
		const bricks = this.nodes.filter(({bit}) => (live & bit) !== 0).map(({served}) => served!.brick);
		if (bricks.some(({lock}) => (lock ?? mount) !== mount)) return false;
		for (const brick of bricks) brick.lock = mount;
		return true;
	}

	/** Pending heals among these servers, as glfsheal counts them; undefined when one can't be asked. */
	pending(mount: Mount, among: number): number | undefined {
		if ((among & ~this.live(mount)) !== 0) return undefined;
		let count = 0;
		for (let rest = among; rest !== 0; rest &= rest - 1) {
			const {brick} = this.nodes[firstOf(rest)]!.served!;
			for (const blame of brick.blame) if ((blame & among) !== 0) count++;
			count += countOf(brick.dirty & 0xff) + countOf(brick.dirty >> 8);
		}
		return count;
	}

	/** One path, healed from who is a source to who is not, as this node's self-heal daemon does it. */
	heal(node: QuickNode, path: number): void {
		const {served, selfHeal} = node;
		if (served === undefined || selfHeal === undefined || served.name !== this.nameOf(selfHeal.under)) return;
		const mask = 1 << path;
		if (served.brick.blame[path] === 0 && (served.brick.dirty & mask) === 0) return;
		const mount = this.mountOf(node, selfHeal.servers, selfHeal.under);
		let known = 0;
		for (const index of mount.servers) known |= 1 << index;
		this.version++;
		// Blame of who is not in the set is dropped from the index.
		served.brick.blame[path]! &= known;
		const live = this.live(mount);
		const bricks = this.nodes.filter(({bit}) => (live & bit) !== 0).map(one => one.served!.brick);
		const isDirty = bricks.some(({dirty}) => (dirty & mask) !== 0);
		// AFR heals with two at least.
		if (bricks.length < 2 || (served.brick.blame[path] === 0 && !isDirty)) return;
		const sources = this.sources(live, path);
		if (sources === 0) return;
		let best: number | undefined;
		for (let rest = sources; rest !== 0; rest &= rest - 1) {
			const value = this.nodes[firstOf(rest)]!.served!.brick.data[path]!;
			if (best === undefined || sizeOf(value) > sizeOf(best)) best = value;
		}
		this.note(() => `${node.index}: heals ${path} to ${best} on ${live.toString(2)}`);
		if (isDirty && live !== known) this.uneven |= mask;
		for (const brick of bricks) {
			brick.data[path] = best!;
			brick.blame[path]! &= ~live;
			brick.dirty &= ~mask;
		}
	}
}
