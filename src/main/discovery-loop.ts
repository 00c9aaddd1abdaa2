/** Asks who is there, again and again, and keeps the last answer. It nudges the loop and decides nothing. */
import {discover, type Discovery} from '../discovery/discover.ts';
import {PEER_STATUS_ARGUMENTS} from '../discovery/peer-status.ts';
import {ReportCache} from '../discovery/report-cache.ts';
import {run} from '../gluster/command.ts';
import {type Knowledge} from '../heal/knowledge.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {reasonFor} from '../membership/reasons.ts';
import {type Reason} from '../membership/reason.ts';
import {type Member} from '../membership/report.ts';
import {type Server} from '../membership/server-set.ts';

export interface DiscoveryLoopOptions {
	readonly self: NodeUuid;
	/** False: there is no cluster to discover (a local backend). */
	readonly glusterd: boolean;
	/** Port of the other nodes' hekafsd. */
	readonly peerPort: number;
	/** The servers that this node knows, asked even when glusterd does not list them. */
	readonly servers: () => readonly Server[];
}

/** Peers are asked this often: a node that missed a change follows within it. */
const ASK_MS = 2000;
/** `gluster peer status` costs a process; who is a member changes seldom. */
const MEMBERS_MS = 10_000;

type Output = Awaited<ReturnType<typeof run>>;

export class DiscoveryLoop {
	readonly #o: DiscoveryLoopOptions;
	readonly #cache = new ReportCache();
	readonly #abort = new AbortController();
	#latest: Discovery | undefined;
	#timer: NodeJS.Timeout | undefined;
	#peerStatus: {readonly atMs: number; readonly output: Promise<Output>} | undefined;

	constructor(options: DiscoveryLoopOptions) {
		this.#o = options;
	}

	/** @param learnt called after each round */
	start(learnt: () => void): void {
		if (!this.#o.glusterd) return;
		const round = async (): Promise<void> => {
			await this.#ask();
			if (this.#abort.signal.aborted) return;
			learnt();
			this.#timer = setTimeout(() => void round(), ASK_MS);
		};
		void round();
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#abort.abort();
	}

	/** Asks everybody now, glusterd too. */
	async askNow(): Promise<Discovery> {
		this.#peerStatus = undefined;
		return this.#ask();
	}

	members(): readonly Member[] {
		return this.#latest?.members ?? [];
	}

	memberAddresses(): readonly string[] {
		return this.members().flatMap(member => member.addresses);
	}

	/** Where a node may be reached, best first: where it last answered, then what glusterd calls it. */
	addressesOf(node: NodeUuid): readonly string[] {
		const answer = this.#latest?.answers.get(node);
		const answered = answer?.kind === 'report' ? [answer.address] : [];
		const named = this.members().find(member => member.uuid === node)?.addresses ?? [];
		return [...new Set([...answered, ...named])];
	}

	knowledge(): Knowledge {
		const latest = this.#latest;
		return {
			asked: latest !== undefined || !this.#o.glusterd,
			alone: latest?.members?.length === 0,
			sets: [...(latest?.answers ?? [])].flatMap(([node, answer]) =>
				answer.kind === 'report' && answer.report.set !== null ? [{node, set: answer.report.set}] : [],
			),
			acting: [...(latest?.answers.values() ?? [])].flatMap(answer =>
				answer.kind === 'report' && answer.report.acting !== undefined ? [answer.report.acting] : [],
			),
			hints: latest === undefined ? [] : this.#hints(latest),
		};
	}

	#hints({members, problem, answers}: Discovery): readonly Reason[] {
		const unknown = members === null ? [reasonFor.membersUnknown(problem ?? 'glusterd does not answer')] : [];
		const unreachable = [...answers].flatMap(([node, answer]) =>
			answer.kind === 'report' ? [] : [reasonFor.peerUnreachable(node, answer.problem)],
		);
		return [...unknown, ...unreachable];
	}

	async #ask(): Promise<Discovery> {
		const {self, peerPort, servers} = this.#o;
		const discovery = await discover(
			{
				self,
				port: peerPort,
				cache: this.#cache,
				alsoAsk: servers().map(({uuid, address}) => ({uuid, addresses: [address]})),
				run: async (program, args, options) =>
					args === PEER_STATUS_ARGUMENTS ? this.#membersOutput(options) : run(program, args, options),
			},
			{signal: this.#abort.signal},
		);
		this.#latest = discovery;
		return discovery;
	}

	/** A failure is asked again at the next round, an answer is kept for a while. */
	async #membersOutput(options: Parameters<typeof run>[2]): Promise<Output> {
		const now = performance.now();
		if (this.#peerStatus === undefined || now - this.#peerStatus.atMs > MEMBERS_MS) {
			this.#peerStatus = {atMs: now, output: run('gluster', PEER_STATUS_ARGUMENTS, options)};
		}
		try {
			const output = await this.#peerStatus.output;
			if (output.exitCode !== 0) this.#peerStatus = undefined;
			return output;
		} catch (error) {
			this.#peerStatus = undefined;
			throw error;
		}
	}
}
