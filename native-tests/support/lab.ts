/** Several hosts on one machine, for tests: `await using lab = await Lab.up(3, {glusterd: true})`. Disposal leaves nothing. */
import {randomInt} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Host} from './lab-host.ts';
import {startNetwork, type LabNetwork} from './lab-network.ts';
import {waitFor} from './wait-for.ts';

const PEERS_DEADLINE_MS = 60_000;
/** Names that every host knows in advance, so that hosts can be added. */
const KNOWN_HOSTS = 20;

export interface LabOptions {
	/** Start glusterd on each host and make them one pool; default false. */
	readonly glusterd?: boolean;
}

/** How many peers the host's glusterd is connected with. */
export const connectedPeers = async (host: Host): Promise<number> => {
	const {stdout} = await host.exec(['gluster', '--mode=script', 'peer', 'status']);
	return stdout.split('Peer in Cluster (Connected)').length - 1;
};

const waitForPeers = async (hosts: readonly Host[]): Promise<void> => {
	for (const host of hosts) {
		await waitFor(async () => (await connectedPeers(host)) === hosts.length - 1, {
			deadlineMs: PEERS_DEADLINE_MS,
			what: `${host.name} sees ${hosts.length - 1} connected peers`,
			intervalMs: 100,
		});
	}
};

/** Makes the hosts' glusterds one pool in which each is known by its name. */
export const probePeers = async (hosts: readonly Host[]): Promise<void> => {
	const [first, second, ...rest] = hosts;
	if (first === undefined || second === undefined) return;
	for (const host of [second, ...rest]) {
		await first.run(['gluster', '--mode=script', 'peer', 'probe', host.name], {timeoutMs: 30_000});
	}
	await waitForPeers(hosts);
	// The others know the first prober by its address until one of them probes it by its name.
	await second.run(['gluster', '--mode=script', 'peer', 'probe', first.name], {timeoutMs: 30_000});
	await waitForPeers(hosts);
};

export class Lab implements AsyncDisposable {
	/** Directory on the machine with everything of this lab. */
	readonly directory: string;
	readonly hosts: Host[] = [];
	readonly #network: LabNetwork;
	/** First three bytes of the hosts' addresses, in namespaces of ours only. */
	readonly #subnet = `10.77.${randomInt(1, 255)}`;

	private constructor(directory: string, network: LabNetwork) {
		this.directory = directory;
		this.#network = network;
	}

	/** Starts `count` hosts h1, h2, …; everything that was started is ended when it fails. */
	static async up(count: number, {glusterd = false}: LabOptions = {}): Promise<Lab> {
		const directory = await mkdtemp(join(tmpdir(), 'hekafs-lab-'));
		const lab = new Lab(directory, await startNetwork(join(directory, 'bridge.log')));
		try {
			for (let index = 1; index <= count; index += 1) await lab.addHost();
			if (glusterd) {
				await Promise.all(lab.hosts.map(host => host.startGlusterd()));
				await probePeers(lab.hosts);
			}
			return lab;
		} catch (error) {
			await lab[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** The host with this number, counted from 1 as in its name. */
	host(index: number): Host {
		const found = this.hosts[index - 1];
		if (found === undefined) throw new Error(`the lab has ${this.hosts.length} hosts, no h${index}`);
		return found;
	}

	/** One more host, without glusterd. */
	async addHost(): Promise<Host> {
		const index = this.hosts.length + 1;
		const names = Array.from({length: KNOWN_HOSTS}, (_, i) => `${this.#subnet}.${i + 1} h${i + 1}\n`);
		const plan = {
			name: `h${index}`,
			index,
			address: `${this.#subnet}.${index}`,
			directory: join(this.directory, `h${index}`),
			hosts: `127.0.0.1 localhost\n${names.join('')}`,
		};
		const host = await Host.create(plan, this.#network);
		this.hosts.push(host);
		return host;
	}

	/** Undoes every `partition` and `cut`. */
	async healNet(): Promise<void> {
		for (const host of this.hosts) if (host.isOn()) await host.healNet();
	}

	/** Ends every process and mount of the lab and removes its files; fails when something is left. */
	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all(this.hosts.map(host => host.destroy()));
		await this.#network.namespaces.end();
		await rm(this.directory, {recursive: true, force: true});
		const mounted = readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${this.directory}`);
		if (mounted || existsSync(this.directory)) throw new Error(`the lab left ${this.directory} behind`);
	}
}
