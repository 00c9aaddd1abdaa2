/** A server that dies or falls silent: scripts on the other nodes pause at most, and nothing is lost. */
import {type ExecutionContext} from 'ava';
import {Cluster, ROOT, untilSentinel} from '../support/cluster.ts';
import {type Host} from '../support/lab-host.ts';
import {writerPath} from '../support/programs.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';
import {type WriterReport} from '../support/writer.ts';

const NEEDS = [...LAB, 'gluster'] as const;
/**
 * GlusterFS fails an operation that is in flight at the moment when a brick's connection breaks, now and then. What was not
 * done is done then; of a name made exclusively that is there it can't be told whose it is: EIO. Everything after it has to
 * work.
 */
const inFlight = /^(append|mkdir) EIO /;
const IN_FLIGHT_MAX = 1;
/** Three seconds until the kernel gives the connection up (ADR-0015); GlusterFS alone needs four to eight, and more. */
const CUT_PAUSE_MAX_MS = 6000;
const STOP_FILE = '/run/stop-writing';

const untilWriting = async (host: Host): Promise<void> => {
	await waitFor(async () => (await host.exec(['test', '-s', `${ROOT}/now-${host.name}`])).exitCode === 0, {
		deadlineMs: 20_000,
		what: `${host.name} writes`,
	});
};

/** Writers on `hosts` while `fault` happens and is undone; then everything is healthy, whole and the same everywhere. */
const underFault = async (
	t: ExecutionContext,
	cluster: Cluster,
	hosts: readonly Host[],
	fault: () => Promise<void>,
	pauseMaxMs = Infinity,
): Promise<void> => {
	const writers = hosts.map(async host =>
		host.exec(['node', writerPath, ROOT, host.name, STOP_FILE], {timeoutMs: 150_000}),
	);
	for (const host of hosts) await untilWriting(host);
	await fault();
	for (const host of hosts) await host.writeFile(STOP_FILE, '');
	for (const [i, result] of (await Promise.all(writers)).entries()) {
		t.is(result.exitCode, 0, result.stderr);
		const report = JSON.parse(result.stdout) as WriterReport;
		t.log(`${hosts[i]!.name}: ${report.rounds} rounds, longest ${report.longestMs} ms`);
		t.log(report.failures.join(', '));
		const others = report.failures.filter(failure => !inFlight.test(failure));
		t.deepEqual(others, [], hosts[i]!.name);
		t.true(report.failures.length <= IN_FLIGHT_MAX, `${hosts[i]!.name}: ${report.failures.join(', ')}`);
		t.true(report.longestMs <= pauseMaxMs, `${hosts[i]!.name}: a pause of ${report.longestMs} ms`);
		t.deepEqual(report.lost, []);
		t.is(report.duplicates, 0);
	}
	for (const host of cluster.lab.hosts) await untilSentinel(host, 'healthy', true, 60_000);
	await cluster.untilIdentical(cluster.lab.hosts);
};

nativeTest(NEEDS, 'a killed brick: writers on all nodes go on, it comes back by itself', async t => {
	await using cluster = await Cluster.serving(3);
	const {hosts} = cluster.lab;
	const victim = cluster.host(2);
	await underFault(t, cluster, hosts, async () => {
		victim.kill(victim.processes('--process-name brick')[0]!.pid);
		await untilSentinel(cluster.host(1), 'degraded', true);
		await untilSentinel(cluster.host(1), 'healthy', true, 60_000);
	});
});

nativeTest(
	NEEDS,
	'a server cut off without a word: writers elsewhere pause, nothing fails; it catches up',
	async t => {
		await using cluster = await Cluster.serving(3);
		const [h1, h2, h3] = [cluster.host(1), cluster.host(2), cluster.host(3)];
		const cut = async (): Promise<void> => {
			await h3.partition();
			await untilSentinel(h1, 'degraded', true, 40_000);
			await untilSentinel(h2, 'degraded', true, 40_000);
			// Alone, without quorum, it refuses.
			await untilSentinel(h3, 'writable', false, 40_000);
			t.not((await h3.exec(['touch', `${ROOT}/alone`], {timeoutMs: 30_000})).exitCode, 0);
			await h3.healNet();
		};
		await underFault(t, cluster, [h1, h2], cut, CUT_PAUSE_MAX_MS);
		t.false(await h1.exists(`${ROOT}/alone`));
	},
);
