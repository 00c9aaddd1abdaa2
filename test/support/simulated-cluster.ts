/**
 * A cluster in memory that runs the real heal/ code: machines, their daemons, the network between them, and writers on
 * every node. What the writers are told and what they read back is checked as it happens.
 */
import {type Findings} from '../../src/heal/changes.ts';
import {HekafsError} from '../../src/errors.ts';
import {type NodeUuid} from '../../src/membership/ids.ts';
import {type PeerAnswer} from '../../src/membership/peer-answer.ts';
import {type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {EPOCH, layOut} from './founded-cluster.ts';
import {FakeClock, SeededRandom} from './fake-clock.ts';
import {ReplicaClient} from './memory-bricks.ts';
import {serverOf, setOf, uuidOf} from './sets.ts';
import {answerOf, Daemon, type DaemonWorld, type Message} from './simulated-daemon.ts';
import {type Defects, Machine} from './simulated-machine.ts';

export type Fate = 'delivered' | 'lost' | 'answer lost' | {readonly delayMs: number};

export interface ClusterOptions {
	readonly nodes: number;
	readonly seed: number;
	readonly defects?: Defects;
	/** A filesystem that these nodes serve from the start. */
	readonly servers?: readonly number[];
}

const WAY_MS = 3;
/** A peer that does not answer is given up after this. */
const REFUSED_MS = 500;
const REQUEST_TIMEOUT_MS = 40_000;

export class SimulatedCluster {
	readonly clock = new FakeClock();
	readonly random: SeededRandom;
	readonly machines: readonly Machine[];
	readonly daemons = new Map<NodeUuid, Daemon>();
	readonly log: string[] = [];
	readonly #cuts = new Set<string>();
	readonly #defects: Defects;
	readonly #setIds = new WeakMap<ServerSet, string>();
	/** Counts everything that an invariant may depend on. */
	version = 0;
	/** Whether a call of a daemon is where it dies, and how. */
	dies: (daemon: Daemon, what: string, phase: 'before' | 'after') => 'process' | 'power' | undefined = () =>
		undefined;
	fateOf: (from: Daemon, to: NodeUuid, request: Message) => Fate = () => 'delivered';
	/** Called with each line that a daemon logs. */
	onLog: (daemon: Daemon, text: string) => void = () => undefined;

	constructor({nodes, seed, defects = {}, servers = []}: ClusterOptions) {
		this.random = new SeededRandom(seed);
		this.#defects = defects;
		this.machines = Array.from(
			{length: nodes},
			(_, i) =>
				new Machine(uuidOf(i + 1), i + 1, {
					now: this.clock.now,
					after: this.clock.after,
					client: (set, local, under) => this.#client(set, local, under),
					nameOf: set => this.#nameOf(set),
					changed: () => this.version++,
					defects,
				}),
		);
		if (servers.length > 0) layOut(this.machines, setOf(EPOCH, servers));
		for (const machine of this.machines) this.startDaemon(machine);
	}

	machine(number: number): Machine {
		return this.machines[number - 1]!;
	}

	/** The running daemon of a node. Throws when there is none. */
	daemon(number: number): Daemon {
		const daemon = this.daemons.get(uuidOf(number));
		if (daemon?.alive !== true) throw new Error(`no daemon runs on node ${number}`);
		return daemon;
	}

	isUp(number: number): boolean {
		return this.daemons.get(uuidOf(number))?.alive === true;
	}

	startDaemon(machine: Machine): void {
		machine.on = true;
		if (this.daemons.get(machine.uuid)?.alive === true) return;
		this.version++;
		this.daemons.set(machine.uuid, new Daemon(machine, this.#world()));
	}

	crash(number: number): void {
		this.note(`node ${number}: hekafsd is killed`);
		this.daemons.get(uuidOf(number))?.crash();
	}

	powerOff(number: number): void {
		this.note(`node ${number}: power off`);
		this.machine(number).powerOff();
		this.daemons.get(uuidOf(number))?.crash();
	}

	/** kill -9 of a brick. */
	killBrick(number: number): void {
		this.note(`node ${number}: its brick is killed`);
		this.machine(number).brick = undefined;
		this.version++;
	}

	cut(a: number, b: number): void {
		this.note(`cut ${a}-${b}`);
		this.#cuts.add(`${Math.min(a, b)}-${Math.max(a, b)}`);
		this.version++;
		// A server drops the locks of a client that it has lost.
		for (const [holder, host] of [
			[a, b],
			[b, a],
		] as const) {
			const daemon = this.daemons.get(uuidOf(holder));
			const holders = new Set([...(daemon?.mounts ?? [])].map(mount => mount.holder));
			this.#drop([this.machine(host)], holders);
		}
	}

	mend(): void {
		this.note('the network is whole');
		this.#cuts.clear();
		this.version++;
	}

	note(text: string): void {
		this.log.push(`${(this.clock.now() / 1000).toFixed(3)} ${text}`);
	}

	reaches(a: Machine, b: Machine): boolean {
		const [low, high] = a.number < b.number ? [a.number, b.number] : [b.number, a.number];
		return a === b || !this.#cuts.has(`${low}-${high}`);
	}

	#byUuid(uuid: NodeUuid): Machine | undefined {
		return this.machines.find(machine => machine.uuid === uuid);
	}

	#nameOf(set: ServerSet): string {
		if (this.#defects.noFence === true) return 'conf';
		const known = this.#setIds.get(set);
		if (known !== undefined) return known;
		const name = `conf-${setIdOf(set)}`;
		this.#setIds.set(set, name);
		return name;
	}

	#client(set: ServerSet, local: NodeUuid, under = set): ReplicaClient {
		const from = this.#byUuid(local)!;
		return new ReplicaClient({
			set,
			name: this.#nameOf(under),
			local,
			brickOf: server => {
				const machine = this.#byUuid(server);
				return machine !== undefined && this.reaches(from, machine) ? machine.brick : undefined;
			},
			now: this.clock.now,
			needsQuorum: this.#defects.noQuorum !== true,
		});
	}

	#drop(hosts: readonly Machine[], holders: ReadonlySet<object>): void {
		for (const {brick} of hosts)
			for (const [path, holder] of brick?.locks ?? []) if (holders.has(holder)) brick!.locks.delete(path);
	}

	#world(): DaemonWorld {
		return {
			now: this.clock.now,
			after: this.clock.after,
			latencyMs: () => 1 + this.random.below(12),
			client: (set, local) => this.#client(set, local),
			reachable: (set, from) =>
				new Set(
					set.servers
						.map(server => this.#byUuid(server.uuid))
						.filter(machine => machine?.brick !== undefined && this.reaches(this.#byUuid(from)!, machine))
						.map(machine => machine!.uuid),
				),
			post: async (from, to, request, secret) => this.#post(from, to, request, secret),
			ask: from => this.#ask(from),
			dies: (daemon, what, phase) => {
				const how = this.dies(daemon, what, phase);
				if (how === undefined) return false;
				this.note(`node ${daemon.machine.number}: dies (${how}) ${phase} ${what}`);
				if (how === 'power') daemon.machine.powerOff();
				return true;
			},
			changed: () => this.version++,
			log: (daemon, text) => {
				this.note(`node ${daemon.machine.number}: ${text}`);
				this.onLog(daemon, text);
			},
			drop: holders => this.#drop(this.machines, holders),
		};
	}

	/** The other daemon, when it runs and the network is whole between them. */
	#reached(from: Daemon, to: NodeUuid): Daemon | undefined {
		const daemon = this.daemons.get(to);
		return daemon?.alive === true && this.reaches(from.machine, daemon.machine) ? daemon : undefined;
	}

	#ask(from: Daemon): Findings {
		const others = this.machines.filter(machine => machine !== from.machine);
		return {
			members: others.map(({uuid, number}) => ({
				uuid,
				addresses: [serverOf(number).address],
				connected: this.#reached(from, uuid) !== undefined,
			})),
			unidentified: [],
			answers: new Map(
				others.map(({uuid}) => {
					const daemon = this.#reached(from, uuid);
					const answer: PeerAnswer =
						daemon === undefined ? {kind: 'silent', problem: 'connection refused'} : answerOf(daemon);
					return [uuid, answer];
				}),
			),
		};
	}

	async #post(from: Daemon, to: NodeUuid, request: Message, secret: string): Promise<unknown> {
		const fate = this.fateOf(from, to, request);
		if (fate !== 'delivered')
			this.note(
				`${request.kind} from node ${from.machine.number} to ${to.slice(7, 8)}: ${JSON.stringify(fate)}`,
			);
		const unreachable = (): HekafsError =>
			new HekafsError('HEKAFS_PEER_UNREACHABLE', `node ${to} does not answer`);
		return new Promise((resolve, reject) => {
			if (fate === 'lost') {
				this.clock.after(REFUSED_MS, () => reject(unreachable()));
				return;
			}
			this.clock.after(REQUEST_TIMEOUT_MS, () => reject(unreachable()));
			this.clock.after(typeof fate === 'object' ? fate.delayMs : WAY_MS, () => {
				const peer = this.#reached(from, to);
				if (peer === undefined) {
					this.clock.after(REFUSED_MS, () => reject(unreachable()));
					return;
				}
				if (peer.machine.secret !== secret) {
					reject(new HekafsError('HEKAFS_UNAUTHENTICATED', `node ${to} has another secret`));
					return;
				}
				const back = (settle: () => void): void => {
					if (fate === 'answer lost' || !this.reaches(from.machine, peer.machine)) return;
					this.clock.after(WAY_MS, settle);
				};
				peer.handle(request).then(
					answer => back(() => resolve(answer)),
					(error: unknown) => back(() => reject(error instanceof Error ? error : new Error('rejected'))),
				);
			});
		});
	}
}
