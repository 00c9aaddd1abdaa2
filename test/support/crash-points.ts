/** The changes of the set that are cut off at every place, and how a run of one of them is cut off. */
import {type Daemon} from './simulated-daemon.ts';
import {type Request, SimulatedRun} from './simulated-run.ts';
import {type Defects} from './simulated-machine.ts';

export interface Change {
	readonly title: string;
	readonly nodes: number;
	readonly servers: readonly number[];
	readonly request: Request;
	/** Machines that are off before, for good. */
	readonly dead?: readonly number[];
}

const join = (servers: readonly number[], node: number): Change => ({
	title: `node ${node} joins {${servers.join()}}`,
	nodes: Math.max(3, node, ...servers),
	servers,
	request: {kind: 'serve', node},
});
const retire = (servers: readonly number[], subject: number): Change => ({
	title: `node ${subject} leaves {${servers.join()}}`,
	nodes: Math.max(3, ...servers),
	servers,
	request: {kind: 'retire', node: subject, subject},
});
const retireDead = (servers: readonly number[], subject: number, node: number, force = false): Change => ({
	title: `node ${node} retires the dead ${subject} of {${servers.join()}}`,
	nodes: Math.max(3, node, ...servers),
	servers,
	request: {kind: 'retire', node, subject, force},
	dead: [subject],
});

export const CHANGES: readonly Change[] = [
	{title: 'node 1 founds', nodes: 2, servers: [], request: {kind: 'serve', node: 1}},
	join([1], 2),
	join([2], 1),
	join([1, 2], 3),
	join([2, 3], 1),
	join([1, 2, 3], 4),
	retire([1, 2], 1),
	retire([1, 2], 2),
	retire([1, 2, 3], 1),
	retire([1, 2, 3], 3),
	retire([1, 2, 3, 4], 2),
	retireDead([1, 2, 3], 3, 1),
	retireDead([1, 2, 3], 1, 4),
	retireDead([1, 2], 2, 1),
	retireDead([1, 2], 1, 2, true),
];

/** A cluster in the state before the change, all well but for who is dead. */
export const before = async (change: Change, seed: number, defects: Defects = {}): Promise<SimulatedRun> => {
	const run = new SimulatedRun({nodes: change.nodes, servers: change.servers, seed, defects});
	if (change.servers.length > 0) await run.rest();
	for (const number of change.dead ?? []) run.cluster.powerOff(number);
	if ((change.dead ?? []).length > 0) await run.pass(5000);
	await run.pass(500);
	return run;
};

/** How many calls the acting daemon makes while it carries the change out. */
export const callsOf = async (change: Change, seed: number): Promise<number> => {
	const run = await before(change, seed);
	const acting = run.cluster.daemon(change.request.node);
	let calls = 0;
	run.cluster.dies = (daemon, _what, phase) => {
		if (daemon === acting && phase === 'before') calls++;
		return undefined;
	};
	await run.require(change.request);
	return calls;
};

/** Lets the acting daemon die at its call number `index`, counted from the beginning of the change. */
export const dieAt = (
	run: SimulatedRun,
	acting: Daemon,
	index: number,
	phase: 'before' | 'after',
	how: 'process' | 'power',
): void => {
	let calls = 0;
	run.cluster.dies = (daemon, _what, at) => {
		if (daemon !== acting || at !== phase) return undefined;
		return calls++ === index ? how : undefined;
	};
};
