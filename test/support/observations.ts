/** What a planner sees on node n of a cluster of four, all well; tests change one thing at a time. */
import {type ClusterObservation} from '../../src/heal/plan.ts';
import {type NodeUuid} from '../../src/membership/ids.ts';
import {type NodeState} from '../../src/membership/node-state.ts';
import {type PeerAnswer} from '../../src/membership/peer-answer.ts';
import {type StatusReport} from '../../src/membership/report.ts';
import {hasServer, type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {generationOf, NOW, reportOf, serverOf, uuidOf} from './sets.ts';

export const NODES = [1, 2, 3, 4] as const;

export const answerOf = (
	n: number,
	set: ServerSet | null,
	changes: Partial<StatusReport> = {},
): PeerAnswer => ({kind: 'report', report: reportOf(n, set, changes), address: `h${n}`, elapsedMs: 1});
export const silent: PeerAnswer = {kind: 'silent', problem: 'connection refused'};

export const stateOf = (n: number, set: ServerSet): NodeState => ({
	format: 2,
	filesystemId: set.filesystemId,
	set,
	brick: hasServer(set, uuidOf(n))
		? {directory: `/var/lib/hekafs/bricks/${setIdOf(set)}`, port: 24_100, setId: setIdOf(set)}
		: null,
	founding: false,
	closed: 0,
	pending: null,
	retired: null,
});

/** Everybody answers; with a set, all its servers are up and node n has verified it. */
export const observationOf = (n: number, set: ServerSet | null): ClusterObservation => {
	const others = NODES.filter(m => m !== n);
	return {
		now: NOW,
		self: serverOf(n),
		state: set === null ? undefined : stateOf(n, set),
		members: others.map(m => ({uuid: uuidOf(m), addresses: [`h${m}`], connected: true})),
		answers: new Map(others.map(m => [uuidOf(m), answerOf(m, set)])),
		verdict: set === null ? undefined : {kind: 'agreed', generation: generationOf(1), set},
		up: new Set(set?.servers.map(s => s.uuid)),
		heals: {pending: 0, splitBrain: 0},
	};
};

/** The same with some answers replaced. */
export const withAnswers = (
	o: ClusterObservation,
	...answers: ReadonlyArray<readonly [number, PeerAnswer | undefined]>
): ClusterObservation => {
	const map = new Map<NodeUuid, PeerAnswer>(o.answers);
	for (const [n, answer] of answers)
		if (answer === undefined) map.delete(uuidOf(n));
		else map.set(uuidOf(n), answer);
	return {...o, answers: map};
};
