/** One run of hekafsd on a simulated machine: the real Node, Loop, Changes and PeerHandler over fakes that can crash anywhere. */
import {Changes, type Findings} from '../../src/heal/changes.ts';
import {type Knowledge} from '../../src/heal/knowledge.ts';
import {Loop} from '../../src/heal/loop.ts';
import {Node} from '../../src/heal/node.ts';
import {PeerHandler} from '../../src/heal/peer-handler.ts';
import {type GenerationMount, type PeerRequest, type Question} from '../../src/heal/ports.ts';
import {HekafsError} from '../../src/errors.ts';
import {makeReport} from '../../src/main/report.ts';
import {type SetChange} from '../../src/membership/change.ts';
import {Gate} from '../../src/membership/gate.ts';
import {type Generation, type NodeUuid} from '../../src/membership/ids.ts';
import {type PeerAnswer} from '../../src/membership/peer-answer.ts';
import {type StatusReport} from '../../src/membership/report.ts';
import {type ServerSet} from '../../src/membership/server-set.ts';
import {type Answer} from '../../src/membership/vote.ts';
import {NotConnected, type ReplicaClient} from './memory-bricks.ts';
import {type Carry, memoryStore} from './memory-store.ts';
import {type Machine} from './simulated-machine.ts';
import {serverOf} from './sets.ts';

/** What a daemon sees of the world outside its machine. */
export interface DaemonWorld {
	readonly now: () => number;
	readonly after: (ms: number, action: () => void) => () => void;
	/** How long a call that changes something takes. */
	readonly latencyMs: () => number;
	readonly client: (set: ServerSet, local: NodeUuid) => ReplicaClient;
	/** Servers whose brick, whatever it exports, takes a connection from this machine. */
	readonly reachable: (set: ServerSet, from: NodeUuid) => ReadonlySet<NodeUuid>;
	/** Carries a request to another node; rejects when it or its answer is lost. */
	readonly post: (from: Daemon, to: NodeUuid, request: Message, secret: string) => Promise<unknown>;
	/** What asking everybody gives. */
	readonly ask: (from: Daemon) => Findings;
	/** Whether this call of the daemon, before or after its effect, is where it dies. */
	readonly dies: (daemon: Daemon, what: string, phase: 'before' | 'after') => boolean;
	readonly changed: () => void;
	readonly log: (daemon: Daemon, text: string) => void;
	/** The locks of these holders are released. */
	readonly drop: (holders: ReadonlySet<object>) => void;
}

/** What one daemon sends to another. */
export type Message =
	PeerRequest | {readonly kind: 'change'; readonly change: SetChange; readonly question: Question};

const nameOf = (message: Message): string =>
	message.kind === 'change' ? message.question.kind : message.kind;

export class Crash extends Error {}

/** What a mount of a dead process answers to its (equally dead) callers: nothing. */
const never = async <T>(): Promise<T> => new Promise<T>(() => undefined);

const ASK_MS = 2000;
const ASK_TAKES_MS = 5;
const LOOK_TAKES_MS = 2;

export interface SimulatedMount extends GenerationMount {
	readonly set: ServerSet;
	readonly client: ReplicaClient;
	/** By what its locks are known. */
	readonly holder: object;
	readonly ended: boolean;
}

export class Daemon {
	readonly machine: Machine;
	readonly #world: DaemonWorld;
	readonly node: Node;
	readonly loop: Loop;
	readonly changes: Changes;
	readonly peers: PeerHandler;
	readonly gate: Gate;
	/** The mount that the overlay's operations go to. */
	overlay: SimulatedMount | undefined;
	alive = true;
	readonly mounts = new Set<SimulatedMount>();
	#generation = 0;
	#latest: Findings | undefined;

	constructor(machine: Machine, world: DaemonWorld) {
		this.machine = machine;
		this.#world = world;
		this.gate = new Gate(undefined, world.now);
		this.node = new Node(machine.uuid, {
			gate: this.gate,
			stateStore: machine.stateStore((what, effect) => this.#now(what, effect)),
			mounts: {mount: async set => this.#mount(set)},
			bricks: machine.bricks(this.#carry),
			overlay: {
				switchTo: async generation => this.#carry('switch', () => this.#switchTo(generation)),
				detach: () => (this.overlay = undefined),
				gateChanged: () => world.changed(),
				serveCopy: () => undefined,
				serveMount: () => undefined,
				mountAnsweredMsAgo: () => undefined,
				copies: () => ({copy: undefined, problem: undefined, complete: false}),
			},
			peers: {
				post: async (peer, request, secret) => {
					await this.#post(peer, request, secret);
				},
				ask: async (peer, change, question, secret) =>
					(await this.#post(peer, {kind: 'change', change, question}, secret)) as Answer,
			},
			log: text => world.log(this, text),
			now: world.now,
			after: (ms, action) => this.after(ms, action),
		});
		this.peers = new PeerHandler(this.node, () => this.loop.nudge());
		this.loop = new Loop({
			node: this.node,
			knowledge: () => this.#knowledge(),
			afterTurn: () => undefined,
		});
		this.changes = new Changes({
			node: this.node,
			loop: this.loop,
			discover: async () => this.#ask(),
			// eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
			addressOfSelf: async () => `h${machine.number}`,
		});
		this.loop.start();
		void this.#round();
	}

	/** A timer that dies with the process. */
	after(ms: number, action: () => void): () => void {
		return this.#world.after(ms, () => {
			if (this.alive) action();
		});
	}

	/** kill -9 of hekafsd: its brick and self-heal daemon live on, its mounts and locks are gone. */
	crash(): void {
		this.alive = false;
		this.#world.drop(new Set([...this.mounts].map(mount => mount.holder)));
		this.#world.changed();
	}

	report(): StatusReport {
		return makeReport({
			node: this.node,
			loop: this.loop,
			backend: 'gluster',
			copy: () => null,
			mountpoint: '/etc/hekafs',
			members: () => this.#latest?.members ?? [],
			gateSince: new Date(0),
		});
	}

	/** What the HTTP server does with a request whose signature is right. */
	async handle(message: Message): Promise<unknown> {
		switch (message.kind) {
			case 'switching':
				return this.peers.switching({set: message.set, reason: 'a change'});
			case 'change':
				return this.peers.change({...message, reason: 'a change'});
			case 'adopt':
				return this.peers.adopt({set: message.set, reason: 'a change'});
		}
	}

	#dies(what: string, phase: 'before' | 'after'): boolean {
		if (this.alive && this.#world.dies(this, what, phase)) this.crash();
		return !this.alive;
	}

	/** A call that is over at once: state files. */
	#now(what: string, effect: () => void): void {
		if (this.#dies(what, 'before')) throw new Crash(what);
		effect();
		if (this.#dies(what, 'after')) throw new Crash(what);
	}

	readonly #carry: Carry = async (what, effect) => {
		if (!this.alive) return never();
		return new Promise((resolve, reject) => {
			this.after(this.#world.latencyMs(), () => {
				if (this.#dies(what, 'before')) return;
				try {
					const result = effect();
					if (!this.#dies(what, 'after')) resolve(result);
				} catch (error) {
					reject(error instanceof Error ? error : new Error('not an error', {cause: error}));
				}
			});
		});
	};

	async #post(peer: NodeUuid, message: Message, secret: string): Promise<unknown> {
		const what = `post ${nameOf(message)}`;
		if (!this.alive || this.#dies(what, 'before')) return never();
		try {
			return await this.#world.post(this, peer, message, secret);
		} finally {
			if (this.#dies(what, 'after')) await never();
		}
	}

	async #mount(set: ServerSet): Promise<SimulatedMount> {
		const mount = await this.#carry(`mount ${set.epoch}`, () => this.#makeMount(set));
		this.mounts.add(mount);
		return mount;
	}

	#makeMount(set: ServerSet): SimulatedMount {
		const world = this.#world;
		const {uuid} = this.machine;
		const client = world.client(set, uuid);
		const generation = ++this.#generation as Generation;
		let ended = false;
		const usable = <T>(effect: () => T): T => {
			if (ended) throw new NotConnected('ENOTCONN: it is unmounted');
			return effect();
		};
		// eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not an exception, is what callers get
		const look: Carry = async (_what, effect) => usable(effect);
		const change: Carry = async (what, effect) =>
			this.#carry(what, () => {
				const result = usable(effect);
				world.changed();
				return result;
			});
		const holder = {};
		const mount: SimulatedMount = {
			generation,
			set,
			client,
			holder,
			get ended() {
				return ended;
			},
			path: `/gen/${generation}`,
			looking: memoryStore(client, holder, look),
			store: memoryStore(client, holder, change, look),
			up: async () => {
				await this.#pause(LOOK_TAKES_MS);
				// Without quorum the state of the servers can't be read either (GLUSTER.md 3).
				return usable(() => {
					if (!client.hasQuorum()) throw new NotConnected('ENOTCONN: too few servers');
					return new Set(client.live().map(l => l.uuid));
				});
			},
			// eslint-disable-next-line @typescript-eslint/require-await -- a look
			reachable: async () => world.reachable(set, uuid),
			// eslint-disable-next-line @typescript-eslint/require-await -- a look
			alive: async () => !ended,
			// eslint-disable-next-line @typescript-eslint/require-await -- it never rejects
			end: async () => {
				ended = true;
				this.mounts.delete(mount);
				world.drop(new Set([holder]));
			},
		};
		return mount;
	}

	async #pause(ms: number): Promise<void> {
		if (!this.alive) return never();
		return new Promise(resolve => {
			this.after(ms, resolve);
		});
	}

	#switchTo(generation: number): void {
		this.overlay = [...this.mounts].find(mount => mount.generation === generation);
		if (this.overlay === undefined) throw new HekafsError('HEKAFS_MOUNT_LOST', `no generation ${generation}`);
		this.#world.changed();
	}

	async #ask(): Promise<Findings> {
		await this.#pause(ASK_TAKES_MS);
		this.#latest = this.#world.ask(this);
		return this.#latest;
	}

	async #round(): Promise<void> {
		await this.#ask();
		this.loop.learnt();
		this.after(ASK_MS, () => void this.#round());
	}

	#knowledge(): Knowledge {
		const answers: ReadonlyMap<NodeUuid, PeerAnswer> = this.#latest?.answers ?? new Map();
		return {
			asked: this.#latest !== undefined,
			alone: false,
			sets: [...answers].flatMap(([node, answer]) =>
				answer.kind === 'report' && answer.report.set !== null ? [{node, set: answer.report.set}] : [],
			),
			acting: [...answers.values()].flatMap(answer =>
				answer.kind === 'report' && answer.report.acting !== undefined ? [answer.report.acting] : [],
			),
			hints: [],
		};
	}
}

/** How a node shows itself to those that ask. */
export const answerOf = (daemon: Daemon): PeerAnswer => ({
	kind: 'report',
	report: daemon.report(),
	address: serverOf(daemon.machine.number).address,
	elapsedMs: 1,
});
