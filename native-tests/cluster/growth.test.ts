/** The server set changes under load: no operation fails, nothing is lost, clients of an older epoch are cut off. */
import {Cluster, config, ROOT, untilSentinel} from '../support/cluster.ts';
import {type Host} from '../support/lab-host.ts';
import {writerPath} from '../support/programs.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';
import {type WriterReport} from '../support/writer.ts';

const NEEDS = [...LAB, 'gluster'] as const;
const STOP_FILE = '/run/stop-writing';
const WRITER_LIMIT_MS = 150_000;

const write = async (host: Host): Promise<WriterReport> => {
	const result = await host.exec(['node', writerPath, ROOT, host.name, STOP_FILE], {
		timeoutMs: WRITER_LIMIT_MS,
	});
	if (result.exitCode !== 0) throw new Error(`writer on ${host.name}: ${result.stdout}${result.stderr}`);
	return JSON.parse(result.stdout) as WriterReport;
};

nativeTest(
	NEEDS,
	'1, 2, 3, 4, 3 servers with writers on three nodes: nothing fails, nothing is lost, bricks are identical',
	async t => {
		await using cluster = await Cluster.up(4);
		const [h1, h2, h3, h4] = [1, 2, 3, 4].map(n => cluster.host(n)) as [Host, Host, Host, Host];
		await config(h1, 'serve');
		await config(h1, 'init');
		for (const host of [h1, h2, h3, h4]) await untilSentinel(host, 'writable', true);
		const writers = Promise.all([h1, h2, h3].map(write));
		const timed = async (what: string, action: () => Promise<unknown>): Promise<void> => {
			const startMs = performance.now();
			await action();
			t.log(`${what}: ${Math.round(performance.now() - startMs)} ms`);
		};
		for (const host of [h2, h3, h4]) await timed(`${host.name} joins`, async () => config(host, 'serve'));
		await timed('h4 leaves', async () => config(h4, 'retire'));
		for (const host of [h1, h2, h3]) await host.writeFile(STOP_FILE, '');
		for (const [i, report] of (await writers).entries()) {
			t.log(`h${i + 1}: ${report.rounds} rounds, longest ${report.longestMs} ms`);
			t.deepEqual(report.failures, [], `h${i + 1}`);
			t.deepEqual(report.lost, [], `h${i + 1}`);
			t.is(report.duplicates, 0, `h${i + 1}`);
		}
		await timed('healthy', async () => {
			for (const host of [h1, h2, h3, h4]) await untilSentinel(host, 'healthy', true, 60_000);
		});
		await timed('bricks identical', async () => cluster.untilIdentical([h1, h2, h3]));
	},
);

nativeTest(
	NEEDS,
	'a client that was mounted with the servers of an older epoch can neither read nor write',
	async t => {
		await using cluster = await Cluster.serving(3, 2);
		const [h1, h2, h3] = [cluster.host(1), cluster.host(2), cluster.host(3)];
		const mountByHand = async (host: Host): Promise<void> => {
			await host.shell('mkdir -p /mnt/old && glusterfs -f /run/old.vol -l /run/old.log /mnt/old');
		};
		// The disaster that the fence is for: h1 keeps {h1, h2}, h2 has the new set.
		const volfile = await config(h1, 'volfile');
		for (const host of [h1, h2]) await host.writeFile('/run/old.vol', volfile);
		await mountByHand(h1);
		await waitFor(async () => (await h1.exec(['touch', '/mnt/old/while-it-was-right'])).exitCode === 0, {
			deadlineMs: 10_000,
			what: 'the old volfile works while its epoch lasts',
		});
		await config(h3, 'serve');
		await mountByHand(h2);
		for (const host of [h1, h2]) {
			const written = await host.exec(['touch', '/mnt/old/split']);
			t.not(written.exitCode, 0, `${host.name} wrote through an older epoch`);
			t.regex(written.stderr, /not connected/);
			t.not((await host.exec(['ls', '/mnt/old'])).exitCode, 0, `${host.name} read through an older epoch`);
			await host.run(['umount', '-l', '/mnt/old']);
		}
		t.true(await h3.exists(`${ROOT}/while-it-was-right`));
		t.false(await h3.exists(`${ROOT}/split`));
	},
);
