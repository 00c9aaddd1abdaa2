/** Health: what the verdict, the servers and the heals together mean for users, and the reasons that go with it. Pure. */
import {type GateState} from './gate.ts';
import {type NodeUuid} from './ids.ts';
import {REASONS} from './reason-texts.ts';
import {type Reason} from './reason.ts';
import {type StatusReport} from './report.ts';
import {type Verdict} from './verdict.ts';

export interface HealthView {
	readonly gate: GateState;
	readonly verdict: Verdict;
	/** Servers whose bricks the mount in use is connected to. */
	readonly up: ReadonlySet<NodeUuid>;
	/** Null while they can't be counted: then the filesystem is not called healthy. */
	readonly heals: StatusReport['heals'];
	/** Why this node's brick doesn't run although it should; undefined when it runs, or none should. */
	readonly brickProblem?: string | undefined;
	/** Why the gate is closed apart from the verdict: starting, changing, mount failed, stopping. */
	readonly closedBecause?: readonly Reason[] | undefined;
	/** What may help to understand a trouble but is none by itself: peers that can't be asked, members unknown. */
	readonly hints?: readonly Reason[] | undefined;
}

export interface Health {
	readonly health: StatusReport['health'];
	/** Empty exactly while healthy. */
	readonly reasons: readonly Reason[];
}

/** What makes an open filesystem `degraded`. */
const shortcomings = ({verdict, up, heals, brickProblem}: HealthView): readonly Reason[] => {
	const reasons: Reason[] = [];
	if (brickProblem !== undefined) reasons.push(REASONS['brick-down'](brickProblem));
	if (verdict.kind === 'agreed')
		for (const server of verdict.set.servers)
			if (!up.has(server.uuid)) reasons.push(REASONS['server-down'](server));
	if (heals !== null && heals.splitBrain > 0) reasons.push(REASONS['split-brain'](heals.splitBrain));
	if (heals === null || heals.pending > 0) reasons.push(REASONS['heals-pending'](heals && heals.pending));
	return reasons;
};

/** Removes reasons that say the same: a cause that two observers have reported. */
const distinct = (reasons: readonly Reason[]): readonly Reason[] => [
	...new Map(reasons.map(r => [`${r.code}\t${r.text}`, r])).values(),
];

/** `healthy` only with the gate open, the verdict agreed, all servers up, and nothing pending; never on a guess. */
export const healthOf = (view: HealthView): Health => {
	const {gate, verdict, closedBecause = [], hints = []} = view;
	const short = shortcomings(view);
	if (gate === 'open' && verdict.kind === 'agreed' && closedBecause.length === 0)
		return short.length === 0
			? {health: 'healthy', reasons: []}
			: {health: 'degraded', reasons: distinct(short)};
	const closed = [...closedBecause, ...(verdict.kind === 'agreed' ? [] : verdict.reasons)];
	if (closed.length === 0) closed.push(REASONS.starting());
	// Heals can't be counted while nothing is agreed; that would only hide the cause.
	const known = short.filter(r => verdict.kind === 'agreed' || r.code !== 'heals-pending');
	return {health: 'refusing', reasons: distinct([...closed, ...known, ...hints])};
};
