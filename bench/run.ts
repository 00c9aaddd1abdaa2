/** `npm run bench`: one interleaved run over all rows; prints the tables, and with --write puts them into docs/BENCHMARKS.md. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, release, tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {run} from '../native-tests/support/child.ts';
import {glusterBars, localBars} from './bars.ts';
import {Client} from './client.ts';
import {startGlusterRows} from './gluster-rows.ts';
import {startLocalRows} from './local-rows.ts';
import {CLIENTS, OPERATIONS} from './operations.ts';
import {rssMib} from './process-figures.ts';
import {type Rows} from './row.ts';
import {type Bar, barsTable, figuresTable, ratiosTable, type Sample} from './summary.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/BENCHMARKS.md', import.meta.url));

interface Group {
	readonly title: string;
	readonly start: (directory: string) => Promise<Rows>;
	readonly pairs: ReadonlyArray<readonly [string, string]>;
	readonly bars: (samples: readonly Sample[]) => Bar[];
	/** Against the time that is asked for: GlusterFS needs longer for as many operations. */
	readonly timeFactor: number;
	readonly mib: number;
}

const GROUPS: Readonly<Record<string, Group>> = {
	local: {
		title: 'Over a local directory (tmpfs)',
		start: startLocalRows,
		pairs: [
			['overlay, 1 s', 'bindfs, 1 s'],
			['overlay, 0 s', 'bindfs, 0 s'],
			['overlay, 0 s', 'fuse-native, 0 s'],
		],
		bars: localBars,
		timeFactor: 1,
		mib: 256,
	},
	gluster: {
		title: 'Over GlusterFS, three servers on this machine',
		start: startGlusterRows,
		pairs: [
			['overlay', 'GlusterFS A'],
			['overlay', 'GlusterFS B'],
		],
		bars: glusterBars,
		timeFactor: 2,
		mib: 32,
	},
};

const {values: options} = parseArgs({
	options: {
		quick: {type: 'boolean', default: false},
		write: {type: 'boolean', default: false},
		rounds: {type: 'string'},
		milliseconds: {type: 'string'},
		mib: {type: 'string'},
		group: {type: 'string', multiple: true, default: Object.keys(GROUPS)},
		only: {type: 'string', multiple: true},
	},
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const milliseconds = Number(options.milliseconds ?? (options.quick ? 100 : 300));

const note = (text: string): void => {
	process.stderr.write(`${text}\n`);
};

/** All rows take turns at each operation, in another order in each round. */
const measure = async (client: Client, {rows}: Rows, group: Group): Promise<Sample[]> => {
	const samples: Sample[] = [];
	const mib = Number(options.mib ?? (options.quick ? group.mib / 8 : group.mib));
	for (const row of rows) await client.prepare(row.directory);
	const operations = OPERATIONS.filter(o => options.only?.includes(o.name) ?? true);
	// Round 0 warms up: a daemon that has run for a while is what people have.
	for (let round = 0; round <= rounds; round++) {
		const turn = [...rows.slice(round % rows.length), ...rows.slice(0, round % rows.length)];
		for (const clients of CLIENTS)
			for (const o of operations) {
				for (const row of turn) {
					const amount = {milliseconds: milliseconds * group.timeFactor, mib};
					const {perSecond, p50Us, cpuUs} = await client.measure(row, o, clients, amount);
					const [{name: operation}, {name}] = [o, row];
					if (round > 0) samples.push({round, row: name, operation, clients, perSecond, p50Us, cpuUs});
				}
			}
		note(`${group.title}: round ${round} of ${rounds}`);
	}
	return samples;
};

const versionOf = async (program: string, args: readonly string[]): Promise<string> =>
	(await run(program, args)).stdout.split('\n')[0]!.trim();

const machine = async (): Promise<string> => {
	const [cpu] = cpus();
	const commit = await versionOf('git', [
		'-C',
		fileURLToPath(new URL('.', import.meta.url)),
		'describe',
		'--always',
		'--dirty',
	]);
	return [
		`${new Date().toISOString().slice(0, 10)}, commit ${commit}; ${cpus().length} × ${cpu?.model ?? 'CPU'}, Linux ${release()},`,
		`Node ${process.version}, ${await versionOf('bindfs', ['--version'])}, ${await versionOf('glusterfs', ['--version'])}.`,
		`Command: \`npm run bench -- ${process.argv.slice(2).join(' ')}\`; ${rounds} rounds of ${milliseconds} ms.`,
	].join('\n');
};

const report = (group: Group, samples: readonly Sample[]): string =>
	[
		`### ${group.title}`,
		barsTable(group.bars(samples)),
		ratiosTable(samples, group.pairs),
		'Operations per second: median [least–most]; median latency in µs; CPU time of the serving processes per operation in µs.',
		...CLIENTS.map(clients => figuresTable(samples, clients)),
	].join('\n\n');

const memory = ({rows}: Rows): string =>
	rows
		.filter(row => row.name.startsWith('overlay'))
		.map(
			row => `Resident memory of hekafsd (${row.name}) at the end: ${rssMib(row.pids[0]!).toFixed(0)} MiB.`,
		)
		.join('\n');

const quickReport = (samples: readonly Sample[]): string =>
	samples
		.map(
			s =>
				`${s.operation} ${s.clients} ${s.row}: ${Math.round(s.perSecond)}/s p50 ${s.p50Us} cpu ${s.cpuUs.toFixed(1)}`,
		)
		.join('\n');

const BEGIN = '<!-- npm run bench writes from here -->';
const END = '<!-- to here -->';

const writeDocument = (text: string): void => {
	const document = readFileSync(DOCUMENT, 'utf8');
	const [before, rest] = document.split(BEGIN);
	const after = rest?.split(END)[1];
	if (before === undefined || after === undefined) throw new Error(`${DOCUMENT} has no place for the tables`);
	writeFileSync(DOCUMENT, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
};

const directory = mkdtempSync(join(tmpdir(), 'hekafs-bench-'));
const files = join(directory, 'files');
try {
	const client = new Client(directory);
	const mounted = await run('sh', [
		'-c',
		'mkdir "$1" && mount -t tmpfs -o size=3g hekafs-bench "$1"',
		'sh',
		files,
	]);
	if (mounted.code !== 0) throw new Error(`no tmpfs for the local rows (root is needed): ${mounted.stderr}`);
	const texts = [await machine()];
	for (const name of options.group) {
		const group = GROUPS[name];
		if (group === undefined) throw new Error(`no group ${name}; there are ${Object.keys(GROUPS).join(', ')}`);
		await using rows = await group.start(files);
		const samples = await measure(client, rows, group);
		texts.push(options.only === undefined ? report(group, samples) : quickReport(samples), memory(rows));
	}
	const text = texts.join('\n\n');
	process.stdout.write(`${text}\n`);
	if (options.write) writeDocument(text);
} finally {
	await run('umount', ['-l', files]);
	rmSync(directory, {recursive: true, force: true});
}
