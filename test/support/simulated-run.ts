/** A simulated cluster with writers, checked after every event; what tests tell it to do, and what they expect of it. */
import {type NodeUuid} from '../../src/membership/ids.ts';
import {checkNow, unrest, Violation} from './cluster-checks.ts';
import {type ClusterOptions, SimulatedCluster} from './simulated-cluster.ts';
import {Writers} from './simulated-writers.ts';
import {uuidOf} from './sets.ts';

export type Request =
	| {readonly kind: 'serve'; readonly node: number; readonly found?: boolean}
	| {readonly kind: 'retire'; readonly node: number; readonly subject: number; readonly force?: boolean};

export type Outcome = {readonly done: string} | {readonly failed: string};

/** A request that has not ended by then never will: its daemon is dead. */
const REQUEST_LIMIT_MS = 120_000;
/** From everything being up again until all is well. */
export const REST_LIMIT_MS = 60_000;
/** Heals of a new brick come on top. */
const HEAL_LIMIT_MS = 60_000;

export class SimulatedRun {
	readonly cluster: SimulatedCluster;
	readonly writers: Writers;
	#checked = -1;

	constructor(options: ClusterOptions) {
		this.cluster = new SimulatedCluster(options);
		this.writers = new Writers(this.cluster);
	}

	/** Lets time pass, checking after every event. Throws a Violation. */
	async pass(ms: number, done: () => boolean = () => false): Promise<void> {
		await this.cluster.clock.advance(ms, () => {
			this.check();
			return done();
		});
	}

	check(): void {
		if (this.writers.violation !== undefined) throw this.writers.violation;
		if (this.#checked === this.cluster.version) return;
		this.#checked = this.cluster.version;
		checkNow(this.cluster);
	}

	/** Begins a request. Its outcome never comes when its daemon dies. */
	async begin(request: Request): Promise<Outcome> {
		const {cluster} = this;
		const {changes} = cluster.daemon(request.node);
		cluster.note(`request: ${JSON.stringify(request)}`);
		const progress = (): void => undefined;
		const carriedOut =
			request.kind === 'serve'
				? changes.serve({found: request.found ?? false, wait: false, progress})
				: changes.retire({subject: uuidOf(request.subject), force: request.force ?? false, progress});
		try {
			const done = await carriedOut;
			cluster.note(`done: ${done}`);
			return {done};
		} catch (error) {
			const failed = error instanceof Error ? error.message : String(error);
			cluster.note(`failed: ${failed}`);
			return {failed};
		}
	}

	/** Carries out a request; undefined when its daemon died over it. */
	async request(request: Request): Promise<Outcome | undefined> {
		let outcome: Outcome | undefined;
		const {cluster} = this;
		const daemon = cluster.daemon(request.node);
		void this.begin(request).then(ended => (outcome = ended));
		await this.pass(REQUEST_LIMIT_MS, () => outcome !== undefined || !daemon.alive);
		return outcome;
	}

	/** Carries out a request that must succeed. */
	async require(request: Request): Promise<void> {
		const outcome = await this.request(request);
		if (outcome === undefined || 'failed' in outcome)
			throw new Error(`${JSON.stringify(request)}: ${outcome?.failed ?? 'its daemon died'}`);
	}

	/** A cluster in which these nodes serve, and all is well. */
	async founded(...servers: readonly number[]): Promise<void> {
		for (const node of servers) {
			await this.require({kind: 'serve', node});
			await this.rest();
		}
	}

	/** Everything that is not gone for good is up again. */
	#mend(goneForGood: readonly number[]): void {
		const {cluster} = this;
		cluster.dies = () => undefined;
		cluster.fateOf = () => 'delivered';
		cluster.mend();
		for (const machine of cluster.machines)
			if (!goneForGood.includes(machine.number)) cluster.startDaemon(machine);
	}

	/** Everything that is left is up again: within a minute nobody carries out or waits for a change any more. */
	async settled(...goneForGood: readonly number[]): Promise<void> {
		const {cluster} = this;
		this.#mend(goneForGood);
		await this.pass(5000);
		const isPending = (): boolean =>
			cluster.machines.some(
				machine => !goneForGood.includes(machine.number) && machine.state?.pending != null,
			);
		await this.pass(REST_LIMIT_MS, () => !isPending());
		if (isPending()) throw new Violation('a change is still pending');
		await this.pass(5000);
	}

	/** Everything is up again: within a minute, and what healing takes, all is well without anybody's help. */
	async rest(...goneForGood: readonly number[]): Promise<void> {
		const {cluster} = this;
		this.#mend(goneForGood);
		const found: {why: string | undefined} = {why: 'it was never looked'};
		let lookedAtMs = 0;
		await this.pass(REST_LIMIT_MS + HEAL_LIMIT_MS, () => {
			if (cluster.clock.now() - lookedAtMs < 500) return false;
			lookedAtMs = cluster.clock.now();
			found.why = unrest(cluster, goneForGood);
			return found.why === undefined;
		});
		if (found.why !== undefined) throw new Violation(`no rest: ${found.why}`);
		this.writers.checkAll();
	}

	/** The numbers of the nodes that serve, as the first one that runs knows it. */
	servers(): readonly number[] {
		const {cluster} = this;
		const set = cluster.machines.find(machine => cluster.isUp(machine.number))?.state?.set;
		const numberOf = (uuid: NodeUuid): number => cluster.machines.find(m => m.uuid === uuid)!.number;
		return set?.servers.map(server => numberOf(server.uuid)) ?? [];
	}
}
