/** A machine of a simulated cluster: disks and state files that outlive every crash, processes that don't. */
import {formatNodeState, type NodeState, parseNodeState} from '../../src/membership/node-state.ts';
import {type NodeUuid} from '../../src/membership/ids.ts';
import {type ServerSet} from '../../src/membership/server-set.ts';
import {type Bricks, type Heals} from '../../src/heal/ports.ts';
import {type StateStore} from '../../src/heal/node-state-store.ts';
import {
	BrickDisk,
	type BrickProcess,
	countBlame,
	healPass,
	markNew,
	type ReplicaClient,
} from './memory-bricks.ts';
import {type Carry} from './memory-store.ts';

/** What a planted bug changes; the rules as they are when nothing is given. */
export interface Defects {
	/** Every set is exported and asked for under one name. */
	readonly noFence?: boolean;
	/** Clients don't need a majority of the set. */
	readonly noQuorum?: boolean;
	/** What the state file loses. */
	readonly forgets?: (state: NodeState) => NodeState;
	/** The mark of a joining brick is set this much later. */
	readonly markDelayMs?: number;
	/** A joining brick begins with what an earlier one held. */
	readonly reusesBricks?: boolean;
}

export interface MachineWorld {
	readonly now: () => number;
	readonly after: (ms: number, action: () => void) => void;
	/** A client on this machine. */
	readonly client: (set: ServerSet, local: NodeUuid, under?: ServerSet) => ReplicaClient;
	readonly nameOf: (set: ServerSet) => string;
	/** Something happened that invariants may depend on. */
	readonly changed: () => void;
	readonly defects: Defects;
}

const BRICK_PORT = 24_100;
const HEAL_MS = 1000;
/** Entries that a self-heal daemon heals in one pass. */
const HEALS_PER_PASS = 5;

export class Machine {
	readonly uuid: NodeUuid;
	readonly number: number;
	readonly #world: MachineWorld;
	on = true;
	brick: BrickProcess | undefined;
	selfHeal: {readonly set: ServerSet; readonly under: ServerSet} | undefined;
	readonly directories = new Map<string, BrickDisk>();
	stateFile: string | undefined;
	secret: string | undefined;
	#aside = 0;

	constructor(uuid: NodeUuid, number: number, world: MachineWorld) {
		this.uuid = uuid;
		this.number = number;
		this.#world = world;
		const tick = (): void => {
			this.#heal();
			world.after(HEAL_MS, tick);
		};
		world.after(HEAL_MS, tick);
	}

	powerOff(): void {
		this.on = false;
		this.brick = undefined;
		this.selfHeal = undefined;
		this.#world.changed();
	}

	get state(): NodeState | undefined {
		if (this.stateFile === undefined) return undefined;
		const read = parseNodeState(Buffer.from(this.stateFile));
		if (read.kind !== 'state') throw new Error(`node ${this.number}: its state file can't be read`);
		return read.state;
	}

	/** @param carry runs what is written as the process would, or never */
	stateStore(carry: (what: string, effect: () => void) => void): StateStore {
		const {defects} = this.#world;
		return {
			read: () => this.state,
			write: state =>
				carry('state.json', () => {
					this.stateFile = formatNodeState(defects.forgets?.(state) ?? state);
				}),
			remove: () => carry('state.json', () => (this.stateFile = undefined)),
			readSecret: () => this.secret,
			writeSecret: secret => {
				if (secret !== this.secret) carry('secret', () => (this.secret = secret));
			},
		};
	}

	bricks(carry: Carry): Bricks {
		const {client, changed, after, defects} = this.#world;
		return {
			port: BRICK_PORT,
			prepare: async set => carry('prepare', () => this.#prepare(set)),
			start: async (set, directory) => carry('start brick', () => this.#start(set, directory)),
			stop: async () =>
				carry('stop brick', () => {
					this.brick = undefined;
					changed();
				}),
			running: async (set, directory) =>
				// eslint-disable-next-line @typescript-eslint/require-await -- a look
				(async () => this.brick?.name === this.#world.nameOf(set) && this.brick.directory === directory)(),
			setAside: async directory => carry('set aside', () => this.#setAside(directory)),
			startSelfHeal: async (set, under = set) =>
				carry('start self-heal', () => void (this.selfHeal = {set, under})),
			stopSelfHeal: async () => carry('stop self-heal', () => void (this.selfHeal = undefined)),
			markNew: async (set, joining) =>
				carry('mark', () => {
					const mark = (): void => markNew(client(set, this.uuid), set, joining);
					if (defects.markDelayMs === undefined) mark();
					else
						after(defects.markDelayMs, () => {
							try {
								mark();
							} catch {
								// Not all bricks can be reached by now.
							}
						});
				}),
			// eslint-disable-next-line @typescript-eslint/require-await -- a look
			countHeals: async (set, only, under): Promise<Heals> =>
				countBlame(client(set, this.uuid, under), set, only),
		};
	}

	#prepare(set: ServerSet): string {
		const directory = `/bricks/${this.#world.nameOf(set)}`;
		this.#setAside(directory);
		const old = this.#world.defects.reusesBricks === true ? [...this.directories.values()].at(-1) : undefined;
		const disk = new BrickDisk();
		for (const [path, entry] of old?.entries ?? []) disk.put(path, entry);
		this.directories.set(directory, disk);
		return directory;
	}

	#start(set: ServerSet, directory: string): void {
		const disk = this.directories.get(directory);
		if (disk === undefined) throw new Error(`there is no brick directory ${directory}`);
		const name = this.#world.nameOf(set);
		if (this.brick?.name === name && this.brick.directory === directory) return;
		this.brick = {name, directory, disk, startedAtMs: this.#world.now(), locks: new Map()};
		this.#world.changed();
	}

	#setAside(directory: string): string {
		const disk = this.directories.get(directory);
		if (disk === undefined) return directory;
		if (this.brick?.directory === directory) throw new Error(`BUG: ${directory} is moved while it is served`);
		const aside = `/retired/${++this.#aside}`;
		this.directories.delete(directory);
		this.directories.set(aside, disk);
		return aside;
	}

	#heal(): void {
		const {brick, selfHeal} = this;
		if (!this.on || selfHeal === undefined || brick?.name !== this.#world.nameOf(selfHeal.under)) return;
		const {set, under} = selfHeal;
		const client = this.#world.client(set, this.uuid, under);
		if (healPass(client, set, brick.disk, HEALS_PER_PASS) > 0) this.#world.changed();
	}
}
