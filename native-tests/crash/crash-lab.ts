/** Three hosts on which one crash after another is tried; between two of them the server set is put back. */
import {Cluster, config, ROOT, statusOf, untilSentinel, type Status} from '../support/cluster.ts';
import {type Host} from '../support/lab-host.ts';
import {waitFor} from '../support/wait-for.ts';
import {type ChangeName, type Plans, stepsInLog} from './cases.ts';

/** On each host; see src/main/pause-point.ts. */
export const PAUSE_DIRECTORY = '/run/pause';
const RESTORE_DEADLINE_MS = 60_000;
/** Of each host, when a case has failed. */
const LOGGED_LINES = 60;

const sameUuids = (a: Status, b: Status): boolean =>
	a.set?.epoch === b.set?.epoch &&
	JSON.stringify(a.set?.servers.map(s => s.uuid)) === JSON.stringify(b.set?.servers.map(s => s.uuid));

/** The set that all of them report, if it is one: null when none has any. */
export const commonSet = (statuses: readonly Status[]): Status['set'] | undefined =>
	statuses.every(status => sameUuids(status, statuses[0]!)) ? statuses[0]!.set : undefined;

export class CrashLab implements AsyncDisposable {
	readonly cluster: Cluster;

	private constructor(cluster: Cluster) {
		this.cluster = cluster;
	}

	/** @param env further environment of each hekafsd */
	static async up(env: Readonly<Record<string, string>> = {}): Promise<CrashLab> {
		const lab = new CrashLab(await Cluster.up(3, {...env, HEKAFS_PAUSE_DIR: PAUSE_DIRECTORY}));
		for (const host of lab.hosts) await host.run(['mkdir', '-p', PAUSE_DIRECTORY]);
		return lab;
	}

	get hosts(): readonly Host[] {
		return this.cluster.lab.hosts;
	}

	host(number: number): Host {
		return this.cluster.host(number);
	}

	/** Carries each change out once, undisturbed. @returns the steps that hekafsd says it took */
	async learnPlans(): Promise<Plans> {
		const [h1, h2, h3] = [this.host(1), this.host(2), this.host(3)];
		const logOf = (host: Host): string => this.cluster.daemon(host).output();
		await config(h1, 'serve');
		const found = stepsInLog(logOf(h1));
		await config(h1, 'init');
		await untilSentinel(h2, 'healthy', true);
		await config(h2, 'serve');
		await untilSentinel(h3, 'healthy', true);
		await config(h3, 'serve');
		const join = stepsInLog(logOf(h3));
		await config(h3, 'retire');
		return {found, join, retire: stepsInLog(logOf(h3))};
	}

	/** Brings the cluster into the state before a change, by undisturbed changes. */
	async prepareFor(change: ChangeName): Promise<void> {
		if (change === 'found') {
			await this.#forgetEverything();
			return;
		}
		const [h1, h2, h3] = [this.host(1), this.host(2), this.host(3)];
		if ((await statusOf(h1)).set === null) {
			await config(h1, 'serve');
			await config(h1, 'init');
			await untilSentinel(h2, 'healthy', true);
		}
		if (!(await statusOf(h2)).serving) await config(h2, 'serve');
		await untilSentinel(h3, 'healthy', true, RESTORE_DEADLINE_MS);
		const isServing = (await statusOf(h3)).serving;
		if (change === 'join' && isServing) await config(h3, 'retire');
		if (change === 'retire' && !isServing) await config(h3, 'serve');
		for (const host of this.hosts) await untilSentinel(host, 'healthy', true, RESTORE_DEADLINE_MS);
	}

	/** Whether the cluster is in the state before a change already. */
	async isPreparedFor(change: ChangeName): Promise<boolean> {
		const set = commonSet(await this.statuses());
		if (change === 'found') return set === null;
		return set?.servers.length === (change === 'join' ? 2 : 3);
	}

	/** The decisions that each hekafsd has logged lately. */
	logs(): string {
		return this.hosts
			.map(host => {
				const lines = this.cluster.daemon(host).output().split('\n');
				return `--- ${host.name}\n${lines
					.filter(line => line.includes(' hekafsd: '))
					.slice(-LOGGED_LINES)
					.join('\n')}`;
			})
			.join('\n');
	}

	async statuses(): Promise<Status[]> {
		return Promise.all(this.hosts.map(statusOf));
	}

	async killDaemon(host: Host): Promise<void> {
		const daemon = this.cluster.daemon(host);
		daemon.signal('SIGKILL');
		await daemon.exited;
	}

	async startDaemon(host: Host): Promise<void> {
		await host.run(['rm', '-rf', PAUSE_DIRECTORY]);
		await host.run(['mkdir', '-p', PAUSE_DIRECTORY]);
		await this.cluster.start(host);
	}

	/** Off and on again, with glusterd and hekafsd. */
	async powerCycle(host: Host, whileOff: () => Promise<void>): Promise<void> {
		await host.powerOff();
		await whileOff();
		await host.powerOn();
		await host.startGlusterd();
		await this.startDaemon(host);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.cluster[Symbol.asyncDispose]();
	}

	/** No config filesystem, as on the first day. */
	async #forgetEverything(): Promise<void> {
		for (const host of this.hosts) {
			await this.killDaemon(host);
			for (const text of ['--process-name brick', '--process-name glustershd', '--process-name fuse'])
				for (const process of host.processes(text)) host.kill(process.pid);
			await waitFor(() => host.processes('--process-name').length === 0, {
				deadlineMs: 10_000,
				what: `no GlusterFS process of hekafsd is left on ${host.name}`,
			});
			await host.shell('rm -rf /var/lib/hekafs/*');
		}
		for (const host of this.hosts) await this.startDaemon(host);
	}
}

/** Every file below a directory of the overlay: name and first line. */
export const linesOf = async (host: Host, directory: string): Promise<ReadonlyMap<string, string>> => {
	const {stdout} = await host.exec(['sh', '-c', 'cd "$1" && grep -H "" *', 'sh', `${ROOT}/${directory}`], {
		timeoutMs: 60_000,
	});
	return new Map(
		stdout
			.split('\n')
			.filter(line => line !== '')
			.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
	);
};
