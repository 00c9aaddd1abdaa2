/**
 * `npm run test:crash -- [options]`: kills and powers off around every step of every change of the server set, and writes
 * what became of it to docs/RELIABILITY.md. Needs root, GlusterFS and namespaces, as the native tests do.
 */
import {randomInt} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {repositoryPath} from '../support/programs.ts';
import {type Case, CHANGES, enumerate, randomFrom, shuffled} from './cases.ts';
import {CrashLab} from './crash-lab.ts';
import {reliabilityText} from './reliability.ts';
import {type Result} from './run-case.ts';
import {resultLine, runSeries} from './series.ts';

const USAGE = `Usage: npm run test:crash -- [--seed N] [--minutes N] [--only found|join|retire] [--step KIND] [--fault NAME] [--no-report]

  --seed N      order of the cases and choice of victims (default: a random one, which is printed)
  --minutes N   begin no case after so many minutes (default: until all are done)
  --only, --step, --fault   only these cases; then no report is written
  --no-report   leave docs/RELIABILITY.md as it is
`;

const {values} = parseArgs({
	options: {
		seed: {type: 'string'},
		minutes: {type: 'string'},
		only: {type: 'string'},
		step: {type: 'string'},
		fault: {type: 'string'},
		'no-report': {type: 'boolean'},
		help: {type: 'boolean'},
	},
});

const isWanted = ({change, step, fault}: Case): boolean =>
	(values.only ?? change) === change && (values.step ?? step) === step && (values.fault ?? fault) === fault;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const main = async (): Promise<number> => {
	if (values.help === true) {
		process.stdout.write(USAGE);
		return 0;
	}
	if (process.getuid?.() !== 0) {
		process.stderr.write('npm run test:crash needs root: it makes namespaces and mounts\n');
		return 7;
	}
	if (values.only !== undefined && !CHANGES.some(change => change === values.only)) {
		process.stderr.write(USAGE);
		return 2;
	}
	const seed = Number(values.seed ?? randomInt(1, 1_000_000));
	say(`seed ${seed}`);
	const startMs = performance.now();
	const untilMs = values.minutes === undefined ? Infinity : startMs + Number(values.minutes) * 60_000;
	const random = randomFrom(seed);
	const results: Result[] = [];
	let all: readonly Case[] = [];
	let left: readonly Case[] | undefined;
	// A case that failed is the last of its lab; the others are tried on a new one.
	while (left === undefined || (left.length > 0 && performance.now() < untilMs)) {
		await using lab = await CrashLab.up();
		all = enumerate(await lab.learnPlans());
		left ??= shuffled(all, seed).filter(isWanted);
		const count = results.length + left.length;
		if (results.length === 0) say(`${count} of ${all.length} cases`);
		const tried = await runSeries(lab, {
			cases: left,
			untilMs,
			random,
			onResult: (result, logs) => {
				results.push(result);
				if (logs !== '') say(logs);
				say(`${results.length}/${count} ${resultLine(result)}`);
			},
		});
		left = left.filter(one => !tried.some(result => result.tried === one));
	}
	const failed = results.filter(result => !result.ok);
	say(
		`seed ${seed}: ${results.length - failed.length} as they should be, ${failed.length} not, of ${all.length} cases`,
	);
	if (
		values['no-report'] !== true &&
		values.only === undefined &&
		values.step === undefined &&
		values.fault === undefined
	) {
		const file = join(repositoryPath, 'docs', 'RELIABILITY.md');
		const elapsedMs = performance.now() - startMs;
		writeFileSync(
			file,
			reliabilityText(readFileSync(file, 'utf8'), {seed, all, results, date: new Date(), elapsedMs}),
		);
		say(`written: docs/RELIABILITY.md`);
	}
	return failed.length === 0 ? 0 : 1;
};

process.exitCode = await main();
