/**
 * A cluster in memory that is cheap enough for a hundred thousand schedules: disks, brick processes, links, and clients that
 * replicate by AFR's rules as observed (quorum with its tie-breaker, blame for who missed a write, none for who is not in the
 * set, the largest wins where nobody is blamed).
 */
import {type NodeState} from '../../src/membership/node-state.ts';
import {type NodeUuid, type SetId} from '../../src/membership/ids.ts';
import {type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {SeededRandom} from './fake-clock.ts';
import {type QuickDefects} from './quick-defects.ts';
import {uuidOf} from './sets.ts';

/** Paths of the filesystem: some files of users, then the record, then a marker for each node. */
export const FILES = 3;
export const RECORD = FILES;
export const markerPath = (node: number): number => RECORD + 1 + node;
export const ABSENT = 0;

export class Violation extends Error {}
/** The process or the machine dies here. */
export class Crash extends Error {}

export class Brick {
	/** By path; 0 is absent. A file's value is a version, whose size says which one AFR takes where nobody is blamed. */
	readonly data: number[];
	/** By path: bits of the nodes that missed it. */
	readonly blame: number[];
	/** By path: a write that was cut off may or may not have reached it. */
	readonly dirty: boolean[];
	lock: Mount | undefined;

	constructor(paths: number) {
		this.data = new Array<number>(paths).fill(ABSENT);
		this.blame = new Array<number>(paths).fill(0);
		this.dirty = new Array<boolean>(paths).fill(false);
	}
}

export interface Mount {
	readonly node: QuickNode;
	readonly set: ServerSet;
	readonly name: string;
	/** Indices of the set's servers, in its order. */
	readonly servers: readonly number[];
	ended: boolean;
}

export interface Waiting {
	readonly until: () => boolean;
}

export type Task = Generator<Waiting | undefined, void>;

/** What a node is: first what survives a crash, then what a power cut ends, then what dies with hekafsd. */
export class QuickNode {
	readonly index: number;
	readonly uuid: NodeUuid;
	state: NodeState | undefined;
	readonly bricks = new Map<string, Brick>();

	on = true;
	served: {readonly brick: Brick; readonly set: ServerSet; readonly name: string} | undefined;
	/** The servers that its self-heal daemon knows, and the set under whose name it asks for their bricks. */
	selfHeal: {readonly servers: ServerSet; readonly under: ServerSet} | undefined;

	/** The operator has said that it is off for good. */
	gone = false;
	alive = true;
	mount: Mount | undefined;
	gateOpen = false;
	switching = false;
	asked = false;
	heard: ServerSet | undefined;
	acting: SetId | undefined;
	task: Task | undefined;
	waits: Waiting | undefined;
	write: {readonly mount: Mount; readonly path: number; readonly value: number} | undefined;

	constructor(index: number) {
		this.index = index;
		this.uuid = uuidOf(index + 1);
	}
}

export interface Message {
	readonly from: QuickNode;
	readonly to: QuickNode;
	readonly deliver: () => void;
}

/** Versions get sizes that have nothing to do with their age. */
const sizeOf = (value: number): number => (value === ABSENT ? -1 : (value * 7919) % 97);

export class QuickWorld {
	readonly random: SeededRandom;
	readonly nodes: readonly QuickNode[];
	readonly paths: number;
	readonly defects: QuickDefects;
	messages: Message[] = [];
	/** By pair of nodes. */
	readonly cut = new Set<number>();
	/** How likely a call is the one over which its process dies; 0 while everything is to come to rest. */
	crashes = 0;
	/** Every set that was planned, so that a record can be a number: 0 is none. */
	readonly sets: (ServerSet | undefined)[] = [undefined];
	recordedEpoch = 0;
	/** Called when a set is recorded on the operator's word: what only the one given up had is given up, too. */
	givenUp: (remaining: readonly QuickNode[]) => void = () => undefined;
	readonly log: string[] = [];
	logging = false;

	constructor(seed: number, count: number, defects: QuickDefects) {
		this.random = new SeededRandom(seed);
		this.defects = defects;
		this.nodes = Array.from({length: count}, (_, i) => new QuickNode(i));
		this.paths = RECORD + 1 + count;
	}

	note(text: () => string): void {
		if (this.logging) this.log.push(text());
	}

	nodeOf(uuid: NodeUuid): QuickNode {
		return this.nodes[Number.parseInt(uuid.slice(0, 8), 16) - 1]!;
	}

	setNumber(set: ServerSet): number {
		const known = this.sets.indexOf(set);
		if (known > 0) return known;
		return this.sets.push(set) - 1;
	}

	reaches(a: QuickNode, b: QuickNode): boolean {
		return a === b || !this.cut.has(Math.min(a.index, b.index) * 16 + Math.max(a.index, b.index));
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
		this.note(() => `${node.index}: hekafsd dies`);
		node.alive = false;
		for (const {served} of this.nodes) if (served?.brick.lock?.node === node) served.brick.lock = undefined;
		if (node.mount !== undefined) node.mount.ended = true;
		node.mount = undefined;
		node.gateOpen = false;
		node.switching = false;
		node.asked = false;
		node.heard = undefined;
		node.acting = undefined;
		node.task = undefined;
		node.waits = undefined;
		node.write = undefined;
	}

	powerOff(node: QuickNode): void {
		this.kill(node);
		this.note(() => `${node.index}: power off`);
		node.on = false;
		this.stopBrick(node);
		node.selfHeal = undefined;
	}

	stopBrick(node: QuickNode): void {
		if (node.served !== undefined) node.served.brick.lock = undefined;
		node.served = undefined;
	}

	/** A planted bug loses what is pending over a restart. */
	start(node: QuickNode): void {
		if (node.alive || node.gone) return;
		this.note(() => `${node.index}: starts`);
		node.on = true;
		node.alive = true;
		if (this.defects.forgetsPending === true && node.state !== undefined)
			node.state = {...node.state, pending: null};
	}

	mountOf(node: QuickNode, set: ServerSet, under = set): Mount {
		const servers = set.servers.map(server => this.nodeOf(server.uuid).index);
		return {node, set, name: this.nameOf(under), servers, ended: false};
	}

	/** The bricks that a client is connected to, by node. */
	live({node, servers, name}: Mount): readonly QuickNode[] {
		const live: QuickNode[] = [];
		for (const index of servers) {
			const server = this.nodes[index]!;
			if (server.served?.name === name && this.reaches(node, server)) live.push(server);
		}
		return live;
	}

	hasQuorum(mount: Mount, live = this.live(mount)): boolean {
		const total = mount.servers.length;
		return live.length * 2 > total || (live.length * 2 === total && live[0]?.index === mount.servers[0]);
	}

	/** What a client reads; undefined: ENOTCONN. Its own brick first, if nobody blames it. */
	read(mount: Mount, path: number, live = this.live(mount)): number | undefined {
		if (!this.hasQuorum(mount, live)) return undefined;
		const source = this.sources(live, path);
		const own = source.find(node => node === mount.node) ?? source[0];
		return own?.served?.brick.data[path];
	}

	sources(live: readonly QuickNode[], path: number): readonly QuickNode[] {
		let blamed = 0;
		for (const node of live) blamed |= node.served!.brick.blame[path]!;
		return blamed === 0 ? live : live.filter(node => (blamed & (1 << node.index)) === 0);
	}

	/**
	 * Writes to all that are connected, and blames the others of the set.
	 * @param torn the client dies over it: some may not have it, and nobody is blamed
	 * @returns whether it is acknowledged
	 */
	write(mount: Mount, path: number, value: number, torn = false): boolean {
		const live = this.live(mount);
		if (!this.hasQuorum(mount, live) || this.sources(live, path).length === 0) return false;
		let missing = 0;
		for (const index of mount.servers) if (!live.some(node => node.index === index)) missing |= 1 << index;
		for (const node of live) {
			const {brick} = node.served!;
			brick.blame[path]! |= missing;
			if (torn) brick.dirty[path] = true;
			if (!torn || this.random.chance(0.5)) brick.data[path] = value;
		}
		return !torn;
	}

	tryLock(mount: Mount): boolean {
		const live = this.live(mount);
		if (!this.hasQuorum(mount, live)) return false;
		if (live.some(({served}) => (served!.brick.lock ?? mount) !== mount)) return false;
		for (const {served} of live) served!.brick.lock = mount;
		return true;
	}

	/** Pending heals among these servers (bits), as glfsheal counts them; undefined when one can't be asked. */
	pending(mount: Mount, among: number): number | undefined {
		const live = this.live(mount).filter(node => (among & (1 << node.index)) !== 0);
		let wanted = 0;
		for (let bits = among; bits !== 0; bits &= bits - 1) wanted++;
		if (live.length !== wanted) return undefined;
		let count = 0;
		for (const {served} of live)
			for (let path = 0; path < this.paths; path++)
				if ((served!.brick.blame[path]! & among) !== 0 || served!.brick.dirty[path] === true) count++;
		return count;
	}

	/** One path, healed from who is a source to who is not, as this node's self-heal daemon does it. */
	heal(node: QuickNode, path: number): void {
		const {served, selfHeal} = node;
		if (served === undefined || selfHeal === undefined || served.name !== this.nameOf(selfHeal.under)) return;
		const mount = this.mountOf(node, selfHeal.servers, selfHeal.under);
		const live = this.live(mount);
		let known = 0;
		for (const index of mount.servers) known |= 1 << index;
		// Blame of who is not in the set is dropped from the index.
		served.brick.blame[path]! &= known;
		// AFR heals with two at least.
		if (live.length < 2) return;
		const isDirty = live.some(l => l.served!.brick.dirty[path]);
		if (served.brick.blame[path] === 0 && !isDirty) return;
		const sources = this.sources(live, path);
		if (sources.length === 0) return;
		const values = sources.map(source => source.served!.brick.data[path]!);
		const best = values.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
		let healed = 0;
		for (const {index, served: one} of live) {
			one!.brick.data[path] = best;
			healed |= 1 << index;
		}
		this.note(() => `${node.index}: heals ${path} to ${best} on ${live.map(l => l.index).join()}`);
		for (const {served: one} of live) {
			one!.brick.blame[path]! &= ~healed;
			one!.brick.dirty[path] = false;
		}
	}
}
