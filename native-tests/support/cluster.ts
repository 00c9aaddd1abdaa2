/** A cluster of hosts with real glusterds and hekafsds, and what tests want to know of it. */
import {type HostProcess} from './host-process.ts';
import {type Host} from './lab-host.ts';
import {Lab} from './lab.ts';
import {waitFor} from './wait-for.ts';

export const ROOT = '/etc/hekafs';
export const SENTINELS = `${ROOT}/.hekafs`;

/** What `hfs_config status --json` says, as far as tests look at it. */
export interface Status {
	readonly node: {readonly uuid: string};
	readonly health: 'healthy' | 'degraded' | 'refusing';
	readonly serving: boolean;
	readonly set: {
		readonly epoch: number;
		readonly servers: ReadonlyArray<{readonly uuid: string; readonly address: string}>;
	} | null;
	readonly copy: {
		readonly serving: boolean;
		readonly checkedAt: string | null;
		readonly updatedAt: string | null;
	} | null;
	readonly gate: {readonly state: string; readonly generation: number};
	readonly reasons: ReadonlyArray<{readonly code: string; readonly text: string; readonly remedy: string}>;
}

export const statusOf = async (host: Host): Promise<Status> => {
	const {stdout} = await host.hfs(['status', '--json']);
	return JSON.parse(stdout) as Status;
};

/** Waits until a sentinel exists (or not), as a health check would see it. */
export const untilSentinel = async (
	host: Host,
	name: string,
	exists: boolean,
	deadlineMs = 20_000,
): Promise<void> => {
	await waitFor(
		async () => (await host.exec(['stat', `${SENTINELS}/${name}`])).exitCode === (exists ? 0 : 1),
		{
			deadlineMs,
			intervalMs: 50,
			what: `${name} ${exists ? 'exists' : 'is gone'} on ${host.name}; reason: ${(await host.exec(['cat', `${SENTINELS}/reason`])).stdout}`,
		},
	);
};

/** Runs hfs_config, which must succeed. @returns its output */
export const config = async (host: Host, ...args: readonly string[]): Promise<string> => {
	const result = await host.hfs(args, {timeoutMs: 120_000});
	if (result.exitCode !== 0)
		throw new Error(
			`${host.name}: hfs_config ${args.join(' ')}: exit ${result.exitCode ?? 'none'}\n${result.stdout}${result.stderr}`,
		);
	return result.stdout;
};

/** Names, types, modes, owners, links and content of everything on a host's brick, as one text. */
export const brickContent = async (host: Host): Promise<string> =>
	host.shell(
		`cd /var/lib/hekafs/bricks/*/.hekafs/.. && find . \\( -name .glusterfs -o -name '.glusterfs-anonymous-inode-*' \\) -prune -o ` +
			`\\( -printf '%y %m %U %G %p %l\\n' \\) | sort && find . \\( -name .glusterfs -o -name '.glusterfs-anonymous-inode-*' \\) -prune -o -type f -exec md5sum {} + | sort -k2`,
		[],
		{timeoutMs: 60_000},
	);

export class Cluster implements AsyncDisposable {
	readonly lab: Lab;
	readonly #env: Readonly<Record<string, string>>;
	readonly #daemons = new Map<string, HostProcess>();

	private constructor(lab: Lab, env: Readonly<Record<string, string>>) {
		this.lab = lab;
		this.#env = env;
	}

	/**
	 * Hosts h1 … hN with glusterd in one pool and a hekafsd each; nothing is served yet.
	 * @param env environment of each hekafsd
	 */
	static async up(count: number, env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
		const cluster = new Cluster(await Lab.up(count, {glusterd: true}), env);
		try {
			await Promise.all(cluster.lab.hosts.map(async host => cluster.start(host)));
		} catch (error) {
			await cluster[Symbol.asyncDispose]();
			throw error;
		}
		return cluster;
	}

	/** A healthy, initialised filesystem on `servers` of the hosts. */
	static async serving(
		count: number,
		servers = count,
		env: Readonly<Record<string, string>> = {},
	): Promise<Cluster> {
		const cluster = await Cluster.up(count, env);
		try {
			for (const host of cluster.lab.hosts.slice(0, servers)) await config(host, 'serve');
			await config(cluster.host(1), 'init');
			for (const host of cluster.lab.hosts) await untilSentinel(host, 'healthy', true, 60_000);
		} catch (error) {
			await cluster[Symbol.asyncDispose]();
			throw error;
		}
		return cluster;
	}

	host(number: number): Host {
		return this.lab.host(number);
	}

	async start(host: Host): Promise<void> {
		this.#daemons.set(host.name, await host.startHekafsd({env: {DEBUG: 'hekafs:*', ...this.#env}}));
	}

	daemon(host: Host): HostProcess {
		const daemon = this.#daemons.get(host.name);
		if (daemon === undefined) throw new Error(`no hekafsd was started on ${host.name}`);
		return daemon;
	}

	/** All bricks hold the same, and nothing waits for a heal. */
	async untilIdentical(hosts: readonly Host[], deadlineMs = 60_000): Promise<void> {
		await waitFor(
			async () => {
				const contents = await Promise.all(hosts.map(brickContent));
				return contents.every(content => content === contents[0]);
			},
			{deadlineMs, intervalMs: 500, what: 'the bricks are identical'},
		);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.lab[Symbol.asyncDispose]();
	}
}
