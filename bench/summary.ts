/** From measurements to medians, ratios and tables; pure. */
import {CLIENTS, type Operation, OPERATIONS} from './operations.ts';

/** One run of the client. */
export interface Sample {
	readonly round: number;
	readonly row: string;
	readonly operation: string;
	readonly clients: number;
	readonly perSecond: number;
	readonly p50Us: number;
	/** Of the serving processes, per operation. */
	readonly cpuUs: number;
}

/** @throws RangeError without values */
export const median = (values: readonly number[]): number => {
	const sorted = [...values].sort((a, b) => a - b);
	const upper = sorted[sorted.length >> 1];
	const lower = sorted[(sorted.length - 1) >> 1];
	if (upper === undefined || lower === undefined) throw new RangeError('the median of nothing');
	return (upper + lower) / 2;
};

export const geometricMean = (values: readonly number[]): number =>
	Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export interface Spread {
	readonly median: number;
	readonly min: number;
	readonly max: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
	median: median(values),
	min: Math.min(...values),
	max: Math.max(...values),
});

type Figure = 'perSecond' | 'p50Us' | 'cpuUs';

const pick = (
	samples: readonly Sample[],
	row: string,
	operation: string,
	clients: number,
): readonly Sample[] =>
	samples.filter(s => s.row === row && s.operation === operation && s.clients === clients);

/**
 * How a figure of `row` compares with that of `other`: the two of each round are compared with each other, since they were
 * measured within a few seconds of each other.
 */
export const ratio = (
	samples: readonly Sample[],
	[row, other]: readonly [string, string],
	operation: string,
	clients: number,
	figure: Figure = 'perSecond',
): Spread =>
	spreadOf(
		pick(samples, row, operation, clients).map(sample => {
			const [same] = pick(samples, other, operation, clients).filter(s => s.round === sample.round);
			return sample[figure] / same![figure];
		}),
	);

/** Geometric mean of the throughput ratios of all operations, with every number of clients. */
export const overallRatio = (samples: readonly Sample[], rows: readonly [string, string]): number =>
	geometricMean(
		CLIENTS.flatMap(clients => OPERATIONS.map(o => ratio(samples, rows, o.name, clients).median)),
	);

const digits = (value: number): string =>
	value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(value < 1 ? 2 : 3);
const spreadText = ({median: middle, min, max}: Spread): string =>
	`${digits(middle)} [${digits(min)}–${digits(max)}]`;

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], body: ReadonlyArray<readonly string[]>): string =>
	[line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');

const MIB_PER_BLOCK = 1 / 8;

const cell = (found: readonly Sample[], {sequential}: Operation): string => {
	const rate = spreadOf(found.map(s => s.perSecond * (sequential === true ? MIB_PER_BLOCK : 1)));
	const unit = sequential === true ? ' MiB/s' : '';
	const cpu = median(found.map(s => s.cpuUs));
	return `${spreadText(rate)}${unit}; ${digits(median(found.map(s => s.p50Us)))}; ${digits(cpu)}`;
};

/** The figures themselves: a line per operation, a column per row. */
export const figuresTable = (samples: readonly Sample[], clients: number): string => {
	const rows = [...new Set(samples.map(s => s.row))];
	return table(
		[`${clients} ${clients === 1 ? 'client' : 'clients'}`, ...rows],
		OPERATIONS.map(o => [o.title, ...rows.map(row => cell(pick(samples, row, o.name, clients), o))]),
	);
};

/** The ratios of throughput for some pairs of rows: a line per operation and number of clients. */
export const ratiosTable = (
	samples: readonly Sample[],
	pairs: ReadonlyArray<readonly [string, string]>,
): string => {
	const body = OPERATIONS.flatMap(o =>
		CLIENTS.map(clients => [
			o.title,
			String(clients),
			...pairs.map(pair => spreadText(ratio(samples, pair, o.name, clients))),
		]),
	);
	const means = pairs.map(pair => digits(overallRatio(samples, pair)));
	return table(
		['throughput', 'clients', ...pairs.map(([row, other]) => `${row} / ${other}`)],
		[...body, ['**geometric mean**', '', ...means.map(mean => `**${mean}**`)]],
	);
};

/** A bar of the project, and what was reached. */
export interface Bar {
	readonly what: string;
	readonly wanted: number;
	readonly reached: number;
	/** Whether less is better. */
	readonly atMost?: true;
}

export const isMet = ({wanted, reached, atMost}: Bar): boolean =>
	atMost === true ? reached <= wanted : reached >= wanted;

export const barsTable = (bars: readonly Bar[]): string =>
	table(
		['bar', 'wanted', 'reached', ''],
		bars.map(bar => [
			bar.what,
			`${bar.atMost === true ? '≤' : '≥'} ${bar.wanted}`,
			digits(bar.reached),
			isMet(bar) ? 'met' : '**not met**',
		]),
	);
