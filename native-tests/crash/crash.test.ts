/** A sample of `npm run test:crash` that fits the tests' time, and its pure parts. HEKAFS_CRASH_SEED repeats a sample. */
import {randomInt} from 'node:crypto';
import test from 'ava';
import {LAB, nativeTest} from '../support/requirements.ts';
import {type Case, enumerate, randomFrom, shuffled, stepsInLog} from './cases.ts';
import {CrashLab} from './crash-lab.ts';
import {brokenPromises, readLedger} from './ledger.ts';
import {reliabilityText} from './reliability.ts';
import {resultLine, runSeries} from './series.ts';

/** No case begins later than this after the lab is up: one takes 10 to 40 s. */
const SAMPLE_MS = 60_000;

test.beforeEach(t => t.timeout(300_000));

nativeTest(
	[...LAB, 'gluster'],
	'killed and powered off around steps of joins and retirements: one set, nothing lost, bricks identical',
	async t => {
		const seed = Number(process.env['HEKAFS_CRASH_SEED'] ?? randomInt(1, 1_000_000));
		t.log(`HEKAFS_CRASH_SEED=${seed}`);
		await using lab = await CrashLab.up();
		const all = enumerate(await lab.learnPlans());
		// Founding is tried by the whole enumeration: putting everything back takes longer than the sample has.
		const cases = shuffled(all, seed).filter(one => one.change !== 'found');
		const results = await runSeries(lab, {
			cases,
			untilMs: performance.now() + SAMPLE_MS,
			random: randomFrom(seed),
			onResult: result => t.log(resultLine(result)),
		});
		t.true(results.length >= 2, 'at least two cases were tried');
		t.deepEqual(
			results.filter(result => !result.ok).map(resultLine),
			[],
			`HEKAFS_CRASH_SEED=${seed}; of ${all.length} cases ${results.length} were tried`,
		);
	},
);

const plans = {found: ['a'], join: ['a', 'b'], retire: ['a', 'b', 'c']};

test('every place of every plan is tried with every fault, the place after the last step too', t => {
	const all = enumerate(plans);
	t.is(all.length, (2 + 3 + 4) * 5);
	t.is(all.filter(one => one.change === 'join' && one.step === 'end' && one.point === 3).length, 5);
	// A new step is covered by being there.
	t.is(enumerate({...plans, found: ['a', 'new']}).filter(one => one.step === 'new').length, 5);
});

test('a seed gives the same order again, another one another', t => {
	const all = enumerate(plans);
	t.deepEqual(shuffled(all, 7), shuffled(all, 7));
	t.notDeepEqual(shuffled(all, 7), shuffled(all, 8));
	const names = (cases: readonly Case[]): string[] => cases.map(one => JSON.stringify(one)).toSorted();
	t.deepEqual(names(shuffled(all, 7)), names(all));
});

test('the steps of a plan are those of its last whole run in the log', t => {
	const log = 'x step 1 of 2, lock: take\nx step 2 of 2, unlock: give\nstep 1 of 1, adopt: mount\n';
	t.deepEqual(stepsInLog(log), ['adopt']);
	t.throws(() => stepsInLog('step 2 of 2, unlock: give'), {message: /not all/});
	t.throws(() => stepsInLog(''), {message: /no step/});
});

test('a ledger promises what was acknowledged, and nothing of what was only tried', t => {
	const ledger = readLedger(
		'try make 1\ndid make 1\ntry make 2\n# make 2: EROFS\ntry make 3\ndid make 3\ntry remove 1\ndid remove 1\ntry make 4\ndid make 4\ntry remove 4\ntry make 5\ndid make',
	);
	t.deepEqual([...ledger.present], [3]);
	t.deepEqual([...ledger.absent], [1]);
	t.deepEqual(brokenPromises(ledger, new Map([['3', 'content 3']])), []);
	t.deepEqual(
		brokenPromises(
			ledger,
			new Map([
				['3', 'content 2'],
				['1', 'content 1'],
			]),
		),
		['file 3 holds "content 2"', 'the removed file 1 is back'],
	);
	t.deepEqual(brokenPromises(ledger, new Map()), ['the acknowledged file 3 is missing']);
});

test('the report counts what was tried and names what failed', t => {
	const all = enumerate(plans);
	const results = all.slice(0, 4).map((tried, i) => ({
		tried,
		ok: i !== 1,
		problem: i === 1 ? 'bricks differ' : '',
		settledMs: 1000 * (i + 1),
		became: i === 0 ? ('the old set' as const) : ('the new set' as const),
		acknowledged: 10,
	}));
	const run = {seed: 5, all, results, date: new Date('2026-01-02T03:04:05Z'), elapsedMs: 125_000};
	const document = 'above\n<!-- begin: written by npm run test:crash -->\nold\n<!-- end -->\nbelow\n';
	const text = reliabilityText(document, run);
	t.regex(text, /^above\n[^]*\nbelow\n$/);
	t.notRegex(text, /\nold\n/);
	t.regex(text, /2026-01-02, seed 5, 2 minutes: 4 of 45 cases tried, 3 as they should be, 1 not; 40 ack/);
	t.regex(text, /\| found \| 10 \| 4 \| 3 \| 3 \| 1 \| 3\.0 s \| 4\.0 s \|/);
	t.regex(text, /- found, before step 1 \(a\): kill -9 of another server's hekafsd: bricks differ/);
	t.throws(() => reliabilityText('no place', run), {message: /no place/});
});
