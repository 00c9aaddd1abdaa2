/**
 * Bricks in memory, and the client that replicates over them by the rules that GlusterFS follows (GLUSTER.md): the name
 * asked for, quorum with its tie-breaker, blame for who missed a write, no blame for who is not in the set.
 */
import {type NodeUuid} from '../../src/membership/ids.ts';
import {type ServerSet} from '../../src/membership/server-set.ts';

export type Entry =
	| {readonly kind: 'dir'}
	| {readonly kind: 'file'; readonly data: string}
	| {readonly kind: 'symlink'; readonly target: string};

/** A brick directory: what survives every crash. */
export class BrickDisk {
	readonly entries = new Map<string, Entry>();
	/** Who missed what, as this brick knows it: `trusted.afr.cfs-<uuid>` with its index. */
	readonly blame = new Map<NodeUuid, Set<string>>();

	blames(server: NodeUuid, path: string): boolean {
		return this.blame.get(server)?.has(path) ?? false;
	}

	addBlame(server: NodeUuid, path: string): void {
		const paths = this.blame.get(server);
		if (paths === undefined) this.blame.set(server, new Set([path]));
		else paths.add(path);
	}

	put(path: string, entry: Entry | undefined): void {
		if (entry === undefined) this.entries.delete(path);
		else this.entries.set(path, entry);
	}
}

/** A running glusterfsd. */
export interface BrickProcess {
	/** What it exports. */
	readonly name: string;
	readonly directory: string;
	readonly disk: BrickDisk;
	readonly startedAtMs: number;
	/** Path to the mount that holds the lock: lost with the process. */
	readonly locks: Map<string, object>;
}

export interface ReplicaOptions {
	readonly set: ServerSet;
	/** The name that the client asks bricks for. */
	readonly name: string;
	/** The server on whose machine the client is, whose brick it reads first. */
	readonly local: NodeUuid;
	/** The brick of a server, when it runs and can be reached from here. */
	readonly brickOf: (server: NodeUuid) => BrickProcess | undefined;
	readonly now: () => number;
	/** False only for a planted bug. */
	readonly needsQuorum: boolean;
}

/** An existing client takes this long until it is connected to a brick that was started again. */
const RECONNECT_MS = 800;

export class NotConnected extends Error {
	readonly errno = 'ENOTCONN';
}

export interface Live {
	readonly uuid: NodeUuid;
	readonly brick: BrickProcess;
}

export class ReplicaClient {
	readonly #o: ReplicaOptions;
	readonly #sinceMs: number;

	constructor(options: ReplicaOptions) {
		this.#o = options;
		this.#sinceMs = options.now();
	}

	/** The bricks that it is connected to, in the order of the set. */
	live(): readonly Live[] {
		const {set, name, brickOf, now} = this.#o;
		return set.servers.flatMap(({uuid}) => {
			const brick = brickOf(uuid);
			if (brick?.name !== name) return [];
			const connected = brick.startedAtMs <= this.#sinceMs || now() - brick.startedAtMs >= RECONNECT_MS;
			return connected ? [{uuid, brick}] : [];
		});
	}

	/** AFR `quorum-type auto`: more than half, or half with the first. */
	hasQuorum(): boolean {
		const {set, needsQuorum} = this.#o;
		const live = this.live();
		if (!needsQuorum) return live.length > 0;
		const total = set.servers.length;
		return (
			live.length * 2 > total ||
			(live.length * 2 === total && live.some(l => l.uuid === set.servers[0]!.uuid))
		);
	}

	read(path: string): Entry | undefined {
		return this.#source(path, this.#quorum()).brick.disk.entries.get(path);
	}

	/** Undefined when there is no such directory. */
	list(directory: string): readonly string[] | undefined {
		const live = this.#quorum();
		if (directory !== '' && this.read(directory)?.kind !== 'dir') return undefined;
		const prefix = directory === '' ? '' : `${directory}/`;
		const names = new Set<string>();
		for (const {brick} of live) {
			for (const path of brick.disk.entries.keys()) {
				if (!path.startsWith(prefix) || path.includes('/', prefix.length)) continue;
				if (this.read(path) !== undefined) names.add(path.slice(prefix.length));
			}
		}
		return [...names];
	}

	/** Every path below a directory that any brick has. */
	below(directory: string): readonly string[] {
		const paths = new Set<string>();
		for (const {brick} of this.#quorum())
			for (const path of brick.disk.entries.keys()) if (path.startsWith(`${directory}/`)) paths.add(path);
		return [...paths];
	}

	/** Writes to all that are connected; the others of the set are blamed. Nobody else is. */
	write(path: string, entry: Entry | undefined): void {
		const live = this.#quorum();
		this.#source(path, live);
		const missing = this.#o.set.servers.filter(server => !live.some(l => l.uuid === server.uuid));
		for (const {brick} of live) {
			brick.disk.put(path, entry);
			for (const {uuid} of missing) brick.disk.addBlame(uuid, path);
		}
	}

	/** @returns false when another mount holds it on a brick */
	tryLock(path: string, holder: object): boolean {
		const live = this.#quorum();
		if (this.read(path) === undefined) this.write(path, {kind: 'file', data: ''});
		if (live.some(({brick}) => (brick.locks.get(path) ?? holder) !== holder)) return false;
		for (const {brick} of live) brick.locks.set(path, holder);
		return true;
	}

	unlock(path: string, holder: object): boolean {
		let held = false;
		for (const {brick} of this.live()) {
			if (brick.locks.get(path) !== holder) continue;
			brick.locks.delete(path);
			held = true;
		}
		return held;
	}

	/** Those that nobody blames for the path. None: split brain. */
	sources(path: string, live: readonly Live[]): readonly Live[] {
		return live.filter(({uuid}) => !live.some(({brick}) => brick.disk.blames(uuid, path)));
	}

	#quorum(): readonly Live[] {
		if (!this.hasQuorum()) throw new NotConnected('ENOTCONN: too few servers');
		return this.live();
	}

	#source(path: string, live: readonly Live[]): Live {
		const sources = this.sources(path, live);
		const source = sources.find(l => l.uuid === this.#o.local) ?? sources[0];
		if (source === undefined) throw new NotConnected(`ENOTCONN: split brain of ${path}`);
		return source;
	}
}

export interface Counts {
	readonly pending: number;
	readonly splitBrain: number;
	readonly unreachable: number;
}

/** What glfsheal counts. */
export const countBlame = (
	client: ReplicaClient,
	set: ServerSet,
	only: ReadonlySet<NodeUuid> = new Set(set.servers.map(s => s.uuid)),
): Counts => {
	const live = client.live().filter(l => only.has(l.uuid));
	if (live.length === 0) throw new NotConnected('no brick could count its heals');
	const pending = new Set<string>();
	let entries = 0;
	for (const {brick} of live) {
		const own = new Set<string>();
		for (const uuid of only) for (const path of brick.disk.blame.get(uuid) ?? []) own.add(path);
		entries += own.size;
		for (const path of own) pending.add(path);
	}
	return {
		pending: entries,
		splitBrain: [...pending].filter(path => client.sources(path, live).length === 0).length,
		unreachable: only.size - live.length,
	};
};

/** One pass of a self-heal daemon: what the brick of its machine blames others for is copied to them. */
export const healPass = (client: ReplicaClient, set: ServerSet, own: BrickDisk, limit: number): number => {
	const live = client.live();
	let healed = 0;
	for (const [uuid, paths] of own.blame) {
		if (!set.servers.some(server => server.uuid === uuid)) {
			own.blame.delete(uuid);
			continue;
		}
		const sink = live.find(l => l.uuid === uuid);
		if (sink === undefined || live.length < 2) continue;
		for (const path of [...paths]) {
			if (healed >= limit) return healed;
			const source = client.sources(path, live)[0];
			if (source === undefined) continue;
			sink.brick.disk.put(path, source.brick.disk.entries.get(path));
			for (const {brick} of live) brick.disk.blame.get(uuid)?.delete(path);
			healed++;
		}
	}
	return healed;
};

/** `trusted.add-brick`: everything that the bricks of the set have is missing on the one that joins. */
export const markNew = (client: ReplicaClient, set: ServerSet, joining: NodeUuid): void => {
	const live = client.live();
	if (live.length !== set.servers.length) throw new NotConnected('not all bricks can be reached');
	for (const {uuid, brick} of live) {
		if (uuid === joining) continue;
		for (const path of brick.disk.entries.keys()) brick.disk.addBlame(joining, path);
	}
};
