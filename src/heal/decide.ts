/** From what was seen to what the gate shall be, and why. Pure: no clock, no files. */
import {type GateState} from '../membership/gate.ts';
import {reasonFor} from '../membership/reasons.ts';
import {type Reason} from '../membership/reason.ts';
import {hasQuorum} from '../membership/server-set.ts';
import {judge, type Verdict} from '../membership/verdict.ts';
import {type Look, passes} from './look.ts';
import {type Heals} from './ports.ts';

export interface Facts {
	/** Undefined while nothing is mounted. */
	readonly look: Look | undefined;
	/** For how long the mount in use has not given an answer; 0 when the last look succeeded. */
	readonly silentForMs: number;
	/** For how long looks through the mount in use have failed. */
	readonly failedForMs: number;
	/** What change of the set is under way, here or on the node that said so; undefined when none is or it took too long. */
	readonly switching: string | undefined;
	readonly stopping: boolean;
	/** What closes the gate whatever the mount shows: two filesystems in one cluster. */
	readonly blocking: readonly Reason[];
	/** What is wrong beyond the mount: this node's brick, its self-heal daemon. */
	readonly problems: readonly Reason[];
	/** What may explain a closed gate, but is no trouble by itself. */
	readonly hints: readonly Reason[];
	/** Why nothing is mounted. */
	readonly notMounted: Reason;
	/** Undefined while unknown. */
	readonly heals: Heals | undefined;
}

export interface Decision {
	readonly gate: GateState;
	readonly degraded: boolean;
	readonly verdict: Verdict['kind'];
	readonly health: 'healthy' | 'degraded' | 'refusing';
	readonly reasons: readonly Reason[];
	/** The judgement itself, when there was something to judge. */
	readonly judgement: Verdict | undefined;
}

/**
 * A mount that is silent for less than this makes writers wait instead of refusing them: a server that vanished without
 * a word blocks the client for 7–10 s (GLUSTER.md 9), and then goes on.
 */
export const SILENCE_TOLERATED_MS = 12_000;

/** Two observers may report the same cause. */
const distinct = (reasons: readonly Reason[]): readonly Reason[] => [
	...new Map(reasons.map(reason => [reason.code + reason.text, reason])).values(),
];

const closed = (
	gate: GateState,
	verdict: Verdict['kind'],
	reasons: readonly Reason[],
	judgement?: Verdict,
): Decision => ({
	gate,
	degraded: false,
	verdict,
	health: 'refusing',
	reasons: distinct(reasons),
	judgement,
});

/** Closed for a reason that a change under way explains: then writers wait for its end. */
const closedOrSwitching = (
	facts: Facts,
	verdict: Verdict['kind'],
	reasons: readonly Reason[],
	judgement?: Verdict,
): Decision =>
	facts.switching === undefined
		? closed('refusing', verdict, reasons, judgement)
		: closed('switching', verdict, [reasonFor.changing(facts.switching), ...reasons], judgement);

const open = (facts: Facts, reasons: readonly Reason[], judgement: Verdict | undefined): Decision => {
	const degraded = reasons.length > 0;
	return {
		gate: facts.switching === undefined ? 'open' : 'switching',
		degraded,
		verdict: 'agreed',
		health: facts.switching !== undefined ? 'refusing' : degraded ? 'degraded' : 'healthy',
		reasons: facts.switching === undefined ? reasons : [reasonFor.changing(facts.switching), ...reasons],
		judgement,
	};
};

const healReasons = (heals: Heals | undefined): readonly Reason[] => {
	if (heals === undefined) return [reasonFor.healsUnknown()];
	const reasons: Reason[] = [];
	if (heals.splitBrain > 0) reasons.push(reasonFor.splitBrain(heals.splitBrain));
	if (heals.pending > 0) reasons.push(reasonFor.healsPending(heals.pending));
	return reasons;
};

const decideSeen = (facts: Facts, look: Extract<Look, {kind: 'seen'}>): Decision => {
	const judgement = judge(look.view);
	if (judgement.kind !== 'agreed') {
		const reasons = [...judgement.reasons, ...facts.problems];
		return closedOrSwitching(facts, judgement.kind, reasons, judgement);
	}
	const down = look.view.mounted.servers
		.filter(server => !look.view.up.has(server.uuid))
		.map(reasonFor.serverDown);
	return open(
		facts,
		[...down, ...(down.length > 0 ? [] : healReasons(facts.heals)), ...facts.problems],
		judgement,
	);
};

/** Total: every combination of facts has an answer, and every doubt closes the gate (P3). */
export const decide = (facts: Facts): Decision => {
	if (facts.stopping) return closed('refusing', 'unknown', [reasonFor.stopping()]);
	if (facts.blocking.length > 0)
		return closed('refusing', 'disagreed', [...facts.blocking, ...facts.problems]);
	const {look} = facts;
	if (look === undefined)
		return closedOrSwitching(facts, 'unknown', [facts.notMounted, ...facts.problems, ...facts.hints]);
	switch (look.kind) {
		case 'local':
			return open(facts, facts.problems, undefined);
		case 'seen':
			return decideSeen(facts, look);
		case 'silent': {
			const patient = facts.switching !== undefined || facts.silentForMs < SILENCE_TOLERATED_MS;
			const reasons = [reasonFor.mountSilent(Math.round(facts.silentForMs)), ...facts.problems];
			return closed(patient ? 'switching' : 'refusing', 'unknown', reasons);
		}
		case 'failed': {
			const {set, reachable, problem} = look;
			const lost = hasQuorum(set, reachable)
				? reasonFor.markersUnreadable(problem)
				: reasonFor.tooFewServers(set, reachable);
			const reasons = [lost, ...facts.problems, ...facts.hints];
			return passes(look, facts.failedForMs)
				? closed('switching', 'unknown', reasons)
				: closedOrSwitching(facts, 'unknown', reasons);
		}
	}
};
