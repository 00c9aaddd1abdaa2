/** The part of docs/RELIABILITY.md that `npm run test:crash` writes. Pure. */
import {type Case, caseName, CHANGES, FAULTS} from './cases.ts';
import {type Result} from './run-case.ts';

export interface Run {
	readonly seed: number;
	/** Every case that there is. */
	readonly all: readonly Case[];
	readonly results: readonly Result[];
	readonly date: Date;
	readonly elapsedMs: number;
}

const BEGIN = '<!-- begin: written by npm run test:crash -->';
const END = '<!-- end -->';

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

/** Nearest rank; 0 of nothing. */
const quantile = (sorted: readonly number[], q: number): number =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

const row = (title: string, all: readonly Case[], results: readonly Result[]): string => {
	const struck = results.filter(result => result.became !== 'nothing');
	const times = struck
		.filter(result => result.ok)
		.map(result => result.settledMs)
		.toSorted((a, b) => a - b);
	const cells = [
		title,
		all.length,
		results.length,
		results.filter(result => result.ok).length,
		struck.filter(result => result.became === 'the new set').length,
		struck.filter(result => result.became === 'the old set').length,
		`${seconds(quantile(times, 0.5))} s`,
		`${seconds(times.at(-1) ?? 0)} s`,
	];
	return `| ${cells.join(' | ')} |`;
};

const section = ({seed, all, results, date, elapsedMs}: Run): string => {
	const failed = results.filter(result => !result.ok);
	const acknowledged = results.reduce((sum, result) => sum + result.acknowledged, 0);
	return [
		`${date.toISOString().slice(0, 10)}, seed ${seed}, ${Math.round(elapsedMs / 60_000)} minutes: ${results.length} of ${all.length} cases tried, ${results.length - failed.length} as they should be, ${failed.length} not; ${acknowledged} acknowledged operations of the writers looked for afterwards.`,
		'',
		'| | cases | tried | right | new set | old set | settled, median | longest |',
		'|---|---|---|---|---|---|---|---|',
		...CHANGES.map(change =>
			row(
				change,
				all.filter(one => one.change === change),
				results.filter(result => result.tried.change === change),
			),
		),
		...Object.entries(FAULTS).map(([fault, title]) =>
			row(
				title,
				all.filter(one => one.fault === fault),
				results.filter(result => result.tried.fault === fault),
			),
		),
		'',
		...(failed.length === 0
			? ['None failed.']
			: ['Failed:', '', ...failed.map(({tried, problem}) => `- ${caseName(tried)}: ${problem}`)]),
	].join('\n');
};

/** @returns the document with its generated part replaced */
export const reliabilityText = (document: string, run: Run): string => {
	const begin = document.indexOf(BEGIN);
	const end = document.indexOf(END);
	if (begin < 0 || end < begin) throw new Error('docs/RELIABILITY.md has no place for the result');
	return `${document.slice(0, begin)}${BEGIN}\n\n${section(run)}\n\n${document.slice(end)}`;
};
