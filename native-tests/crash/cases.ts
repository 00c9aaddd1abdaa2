/** What is tried: each step of each change, each kind of crash, before the step. Pure. */

/** The changes of the server set, in terms of hosts: h3 joins {h1,h2} or leaves {h1,h2,h3}; h1 founds. */
export const CHANGES = ['found', 'join', 'retire'] as const;
export type ChangeName = (typeof CHANGES)[number];

export const FAULTS = {
	'kill-acting': 'kill -9 of the acting hekafsd',
	'kill-other': "kill -9 of another server's hekafsd",
	'kill-brick': 'kill -9 of a brick',
	'power-off-acting': 'power-off of the acting node',
	'power-off-other': 'power-off of another server',
} as const;
export type Fault = keyof typeof FAULTS;

/** The kinds of a plan's steps, in order, as the acting hekafsd logged them. */
export type Plans = Readonly<Record<ChangeName, readonly string[]>>;

export interface Case {
	readonly change: ChangeName;
	/** The step before which the crash comes, from 1; one more than there are steps: after the last. */
	readonly point: number;
	/** What the plan calls that step. */
	readonly step: string;
	readonly fault: Fault;
}

export const caseName = ({change, point, step, fault}: Case): string =>
	`${change}, before step ${point} (${step}): ${FAULTS[fault]}`;

/** The places of a plan. After step N is before step N+1, nothing lies between them; the last one is after all steps. */
const pointsOf = (steps: readonly string[]): ReadonlyArray<readonly [number, string]> => [
	...steps.map((step, i) => [i + 1, step] as const),
	[steps.length + 1, 'end'],
];

/** Every case there is. */
export const enumerate = (plans: Plans): readonly Case[] =>
	CHANGES.flatMap(change =>
		pointsOf(plans[change]).flatMap(([point, step]) =>
			(Object.keys(FAULTS) as Fault[]).map(fault => ({change, point, step, fault})),
		),
	);

/** Uniform numbers below 1 from a seed (mulberry32). */
export const randomFrom = (seed: number): (() => number) => {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
};

/** The cases in an order that the seed decides. */
export const shuffled = (cases: readonly Case[], seed: number): Case[] => {
	const random = randomFrom(seed);
	return cases
		.map(one => ({one, key: random()}))
		.sort((a, b) => a.key - b.key)
		.map(({one}) => one);
};

/** The steps of the plan that was carried out, from the log of the acting hekafsd. */
export const stepsInLog = (log: string): readonly string[] => {
	const found = [...log.matchAll(/step (\d+) of (\d+), (\w+):/g)];
	const last = found.at(-1);
	if (last === undefined) throw new Error('no step was logged');
	const steps = found.slice(-Number(last[2]));
	if (Number(steps[0]?.[1]) !== 1 || steps.length !== Number(last[2]))
		throw new Error('not all steps were logged');
	return steps.map(step => step[3]!);
};
