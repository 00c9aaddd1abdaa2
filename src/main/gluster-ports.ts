/** GlusterFS as heal/ wants it: volfiles made from server sets, processes from gluster/, I/O through backing/. */
import {lookup} from 'node:dns/promises';
import {connect} from 'node:net';
import path from 'node:path';
import {openBacking} from '../backing/backing.ts';
import {markNewBrick} from '../gluster/add-brick-mark.ts';
import {type BrickOptions, startBrick, stopBrick} from '../gluster/brick.ts';
import {prepareBrick, setBrickAside} from '../gluster/brick-directory.ts';
import {mountGeneration} from '../gluster/client-mount.ts';
import {countHeals} from '../gluster/glfsheal.ts';
import {parseReplicateState, REPLICATE_META} from '../gluster/meta.ts';
import {runningWith} from '../gluster/daemon.ts';
import {startShd, stopShd} from '../gluster/shd.ts';
import {type Bricks, type GenerationMount, type Heals, type Mounts} from '../heal/ports.ts';
import {HekafsError} from '../errors.ts';
import {type Epoch, type Generation, type NodeUuid} from '../membership/ids.ts';
import {type Server, type ServerSet, setIdOf} from '../membership/server-set.ts';
import {brickVolfile} from '../volfile/brick.ts';
import {clientVolfile, shdVolfile, singleBrickVolfile} from '../volfile/client.ts';
import {clientName} from '../volfile/names.ts';
import {backingStore} from './backing-store.ts';

export interface GlusterPortsOptions {
	readonly self: NodeUuid;
	readonly runDirectory: string;
	readonly logDirectory: string;
	readonly brickDirectory: string;
	readonly retiredDirectory: string;
	readonly brickPort: number;
	/** Names and addresses of all members, which the brick admits. */
	readonly memberAddresses: () => readonly string[];
	/** What this node's glusterd calls a member; undefined when it does not know it. */
	readonly addressOf: (node: NodeUuid) => string | undefined;
}

/** A look through a mount that takes longer than this counts as silent. */
const LOOK_TIMEOUT_MS = 2000;
const CONNECT_TIMEOUT_MS = 500;
const META_MAX_BYTES = 64 * 1024;
/** Between the restarts of two servers' bricks for a new member: longer than a client takes to connect again. */
const ADMIT_STAGGER_MS = 6000;

/** IP addresses behind names; a name that does not resolve now is left out. */
const resolveAll = async (names: readonly string[]): Promise<readonly string[]> => {
	const found = await Promise.all(
		names.map(async name => lookup(name, {all: true, family: 4}).catch(() => [] as {address: string}[])),
	);
	return [...new Set(['127.0.0.1', ...found.flat().map(entry => entry.address)])].toSorted();
};

/** Servers whose brick takes a TCP connection. */
const reachableServers = async (
	set: ServerSet,
	addressOf: (server: Server) => string,
): Promise<ReadonlySet<NodeUuid>> => {
	const open = await Promise.all(
		set.servers.map(
			async server =>
				new Promise<boolean>(resolve => {
					const socket = connect({host: addressOf(server), port: server.port, timeout: CONNECT_TIMEOUT_MS});
					const done = (result: boolean) => {
						socket.destroy();
						resolve(result);
					};
					socket
						.once('connect', () => done(true))
						.once('error', () => done(false))
						.once('timeout', () => done(false));
				}),
		),
	);
	return new Set(set.servers.filter((_, i) => open[i]).map(server => server.uuid));
};

export class GlusterPorts implements Mounts, Bricks {
	readonly #o: GlusterPortsOptions;
	#generation = 0;
	#admitted: {readonly epoch: Epoch; readonly addresses: readonly string[]} | undefined;
	#outdatedSinceMs: number | undefined;

	constructor(options: GlusterPortsOptions) {
		this.#o = options;
	}

	/**
	 * A server reaches its own brick without leaving the machine: no name needs to resolve for that. Others are reached by
	 * what glusterd calls them now; what the set records counts only for a server that glusterd does not know.
	 */
	readonly #addressOf = ({uuid, address}: Server): string =>
		uuid === this.#o.self ? '127.0.0.1' : (this.#o.addressOf(uuid) ?? address);

	/** The client volfile of a set as this node uses it; also what `hfs_config volfile` prints. */
	volfile(set: ServerSet): string {
		return clientVolfile({set, addressOf: this.#addressOf});
	}

	get port(): number {
		return this.#o.brickPort;
	}

	async mount(set: ServerSet): Promise<GenerationMount> {
		const {runDirectory, logDirectory} = this.#o;
		const generation = ++this.#generation as Generation;
		const mount = await mountGeneration({
			volfile: this.volfile(set),
			directory: path.join(runDirectory, 'gen', String(generation)),
			runDirectory,
			name: `gen-${generation}`,
			logFile: path.join(logDirectory, 'client.log'),
		});
		const {connection} = mount;
		// Two threads: a look must not wait behind a change that takes its time.
		const looking = openBacking({root: mount.directory, connection});
		const changing = openBacking({root: mount.directory, connection});
		const up = async (): Promise<ReadonlySet<NodeUuid>> => {
			const text = (
				await looking.call('read', [REPLICATE_META, META_MAX_BYTES], {timeoutMs: LOOK_TIMEOUT_MS})
			)?.toString('latin1');
			const state = text === undefined ? undefined : parseReplicateState(text);
			if (state === undefined)
				throw new HekafsError(
					'HEKAFS_MOUNT_LOST',
					`${mount.directory} does not show the state of its servers`,
				);
			return new Set(
				set.servers
					.filter(
						server => state.up[state.pendingKeys.indexOf(`trusted.afr.${clientName(server.uuid)}`)] === true,
					)
					.map(server => server.uuid),
			);
		};
		return {
			generation,
			set,
			path: mount.directory,
			connection,
			looking: backingStore(looking),
			store: backingStore(changing),
			up,
			reachable: async () => reachableServers(set, this.#addressOf),
			alive: async () => mount.alive(),
			end: async () => {
				await Promise.all([looking[Symbol.asyncDispose](), changing[Symbol.asyncDispose]()]);
				await mount.unmount().catch(() => undefined);
			},
		};
	}

	async prepare(set: ServerSet): Promise<string> {
		const directory = path.join(this.#o.brickDirectory, setIdOf(set));
		await this.setAside(directory);
		await prepareBrick(directory, set.filesystemId);
		return directory;
	}

	async start(set: ServerSet, directory: string): Promise<void> {
		const wanted = await this.#wantedAddresses(set);
		this.#admitted = {epoch: set.epoch, addresses: wanted};
		await startBrick(this.#brick(set, directory, wanted));
	}

	async stop(): Promise<void> {
		await stopBrick(this.#o.runDirectory);
	}

	async running(set: ServerSet, directory: string): Promise<boolean> {
		const {volfile} = this.#brick(set, directory, await this.#admittedNow(set));
		return (await runningWith({runDirectory: this.#o.runDirectory, name: 'brick'}, volfile)) !== undefined;
	}

	async setAside(directory: string): Promise<string> {
		return (await setBrickAside(directory, this.#o.retiredDirectory)) ?? directory;
	}

	async startSelfHeal(set: ServerSet, under: ServerSet = set): Promise<void> {
		await startShd({
			volfile: shdVolfile({set, under, addressOf: this.#addressOf}),
			runDirectory: this.#o.runDirectory,
			logFile: path.join(this.#o.logDirectory, 'self-heal.log'),
		});
	}

	async stopSelfHeal(): Promise<void> {
		await stopShd(this.#o.runDirectory);
	}

	async markNew(set: ServerSet, joining: NodeUuid): Promise<void> {
		const {runDirectory, logDirectory} = this.#o;
		const addressOf = this.#addressOf;
		await markNewBrick({
			volfile: clientVolfile({set, addressOf}),
			singleBrickVolfiles: set.servers
				.filter(server => server.uuid !== joining)
				.map(server => singleBrickVolfile({set, addressOf, server})),
			newClientName: clientName(joining),
			childCount: set.servers.length,
			tmpDirectory: path.join(runDirectory, 'mark'),
			logFile: path.join(logDirectory, 'mark.log'),
		});
	}

	async countHeals(set: ServerSet, wanted?: ReadonlySet<NodeUuid>, under: ServerSet = set): Promise<Heals> {
		const reachable = await reachableServers(set, this.#addressOf);
		const only = new Set([...reachable].filter(uuid => wanted?.has(uuid) ?? true));
		if (only.size === 0)
			throw new HekafsError('HEKAFS_PEER_UNREACHABLE', 'no brick can be asked for its heals');
		const {pending, splitBrain, bricks} = await countHeals({
			volfile: clientVolfile({set, under, addressOf: this.#addressOf, only}),
			tmpDirectory: this.#o.runDirectory,
		});
		if (pending === null || splitBrain === null)
			throw new HekafsError('HEKAFS_PROGRAM_FAILED', 'no brick could count its heals');
		const connected = bricks.filter(brick => brick.connected).length;
		return {pending, splitBrain, unreachable: (wanted?.size ?? set.servers.length) - connected};
	}

	/** Only grows within an epoch: a name that does not resolve for a moment must not shut a member out. */
	async #wantedAddresses(set: ServerSet): Promise<readonly string[]> {
		const known = this.#admitted?.epoch === set.epoch ? this.#admitted.addresses : [];
		const now = await resolveAll([
			...this.#o.memberAddresses(),
			...set.servers.map(server => server.address),
		]);
		return [...new Set([...known, ...now])].toSorted();
	}

	/**
	 * The addresses that the running brick ought to admit. A new member needs a restart of every brick; the servers take
	 * their turns, so that the filesystem keeps its quorum.
	 */
	async #admittedNow(set: ServerSet): Promise<readonly string[]> {
		const wanted = await this.#wantedAddresses(set);
		const admitted = this.#admitted;
		if (
			admitted === undefined ||
			admitted.epoch !== set.epoch ||
			wanted.length === admitted.addresses.length
		) {
			this.#outdatedSinceMs = undefined;
			return wanted;
		}
		this.#outdatedSinceMs ??= performance.now();
		const place = set.servers.findIndex(server => server.uuid === this.#o.self);
		return performance.now() - this.#outdatedSinceMs > place * ADMIT_STAGGER_MS ? wanted : admitted.addresses;
	}

	#brick(set: ServerSet, directory: string, allowAddresses: readonly string[]): BrickOptions {
		const {self, brickPort, runDirectory, logDirectory} = this.#o;
		return {
			volfile: brickVolfile({set, self, brickDirectory: directory, port: brickPort, allowAddresses}),
			directory,
			port: brickPort,
			runDirectory,
			logFile: path.join(logDirectory, 'brick.log'),
		};
	}
}
