/** Discovery: who is in the cluster, and what does each of them say. One observation; it decides nothing. */
import createDebug from 'debug';
import {type NodeUuid} from '../membership/ids.ts';
import {type PeerAnswer} from '../membership/peer-answer.ts';
import {type Member} from '../membership/report.ts';
import {errorMessage} from './error-message.ts';
import {type AskOptions, askPeer, type PeerToAsk} from './peer-http.ts';
import {parsePeerStatus, PEER_STATUS_ARGUMENTS, type ProgramOutput} from './peer-status.ts';
import {type ReportCache} from './report-cache.ts';

const debug = createDebug('hekafs:discovery');

/** glusterd answers in 0.1 s; after this it counts as hung. */
const PEER_STATUS_TIMEOUT_MS = 5000;

export interface DiscoverOptions {
	readonly self: NodeUuid;
	/** Runs a program; rejects when it is missing or late (`gluster/command.ts`). */
	readonly run: (
		program: string,
		args: readonly string[],
		options: {readonly timeoutMs: number; readonly signal: AbortSignal},
	) => Promise<ProgramOutput>;
	/** Port of the other nodes' hekafsd. */
	readonly port: number;
	/** For each member. */
	readonly askTimeoutMs?: number | undefined;
	/** Nodes to ask even when glusterd doesn't list them: the servers that this node knows. */
	readonly alsoAsk?: ReadonlyArray<Pick<Member, 'uuid' | 'addresses'>> | undefined;
	readonly cache?: ReportCache | undefined;
	/** `askPeer` unless a test gives another. */
	readonly ask?: ((peer: PeerToAsk, options: AskOptions) => Promise<PeerAnswer>) | undefined;
}

export interface Discovery {
	/** The other nodes; null while they can't be known, and then `problem` says why. */
	readonly members: readonly Member[] | null;
	readonly problem: string | undefined;
	/** Peers of which glusterd doesn't know the UUID yet. */
	readonly unidentified: readonly string[];
	/** One answer for each node that was asked. */
	readonly answers: ReadonlyMap<NodeUuid, PeerAnswer>;
}

const findMembers = async (
	{run, self}: DiscoverOptions,
	signal: AbortSignal,
): Promise<Omit<Discovery, 'answers'>> => {
	const unknown = (problem: string) => ({members: null, problem, unidentified: []});
	try {
		const output = await run('gluster', PEER_STATUS_ARGUMENTS, {timeoutMs: PEER_STATUS_TIMEOUT_MS, signal});
		const status = parsePeerStatus(output);
		if (status.kind === 'problem') return unknown(status.problem);
		const members = status.members.filter(m => m.uuid !== self);
		return {members, problem: undefined, unidentified: status.unidentified};
	} catch (error) {
		return unknown(errorMessage(error));
	}
};

/** The nodes to ask: glusterd's names first, then what we know ourselves. */
const targets = (
	members: readonly Member[],
	{alsoAsk = [], self, port}: DiscoverOptions,
): readonly PeerToAsk[] => {
	const addresses = new Map<NodeUuid, readonly string[]>();
	for (const node of [...members, ...alsoAsk])
		if (node.uuid !== self)
			addresses.set(node.uuid, [...new Set([...(addresses.get(node.uuid) ?? []), ...node.addresses])]);
	return [...addresses].map(([uuid, list]) => ({uuid, addresses: list, port}));
};

/** Looks who is there and asks everybody at once, each within its own time. Never rejects, however the world is. */
export const discover = async (
	options: DiscoverOptions,
	{signal}: {readonly signal: AbortSignal},
): Promise<Discovery> => {
	const {ask = askPeer, askTimeoutMs, cache} = options;
	const found = await findMembers(options, signal);
	const answers = await Promise.all(
		targets(found.members ?? [], options).map(async peer => {
			const answer = await ask(peer, {timeoutMs: askTimeoutMs, signal});
			debug('%s: %s', peer.uuid, answer.kind === 'report' ? answer.report.health : answer.problem);
			if (answer.kind === 'report') cache?.put(answer.report);
			return [peer.uuid, answer] as const;
		}),
	);
	return {...found, answers: new Map(answers)};
};
