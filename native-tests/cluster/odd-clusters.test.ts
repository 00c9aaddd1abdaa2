/** Clusters that are not as they should be: two filesystems, no glusterd, missing programs, unreachable members. */
import {Cluster, config, ROOT, SENTINELS, statusOf, untilSentinel} from '../support/cluster.ts';
import {connectedPeers} from '../support/lab.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = [...LAB, 'gluster'] as const;

nativeTest(
	NEEDS,
	'founding is refused while a member can not be asked; two filesystem ids close every gate',
	async t => {
		await using cluster = await Cluster.up(2);
		const [h1, h2] = [cluster.host(1), cluster.host(2)];
		cluster.daemon(h2).signal('SIGKILL');
		await cluster.daemon(h2).exited;
		await waitFor(async () => /can't be asked/.test((await h1.hfs(['serve'])).stderr), {
			deadlineMs: 20_000,
			what: 'founding is refused while h2 is silent',
		});
		t.is((await h1.hfs(['serve'])).exitCode, 6);
		await config(h1, 'serve', '--found');
		await untilSentinel(h1, 'writable', true);

		// The operator's word was wrong: h2 founds one, too, while h1 is away.
		cluster.daemon(h1).signal('SIGTERM');
		await cluster.daemon(h1).exited;
		await cluster.start(h2);
		await config(h2, 'serve', '--found');
		await untilSentinel(h2, 'writable', true);
		await cluster.start(h1);
		for (const host of [h1, h2]) {
			await untilSentinel(host, 'writable', false, 15_000);
			await waitFor(async () => (await host.readFile(`${SENTINELS}/reason`)).includes('two-filesystems'), {
				deadlineMs: 15_000,
				what: `${host.name} names the two filesystems`,
			});
			t.is((await host.hfs(['status'])).exitCode, 4);
		}
		t.is((await h1.hfs(['serve'])).exitCode, 6);
	},
);

nativeTest(
	NEEDS,
	'without glusterd the filesystem goes on, and a restarted hekafsd finds its servers by itself',
	async t => {
		await using cluster = await Cluster.serving(2);
		const [h1, h2] = [cluster.host(1), cluster.host(2)];
		for (const host of [h1, h2]) host.kill(host.processes('glusterd -p')[0]!.pid);
		t.not((await h1.exec(['gluster', 'peer', 'status'])).exitCode, 0, 'glusterd is down');
		t.true(await h1.exists(`${SENTINELS}/healthy`));
		cluster.daemon(h2).signal('SIGTERM');
		t.is(await cluster.daemon(h2).exited, 0);
		await cluster.start(h2);
		await untilSentinel(h2, 'healthy', true, 40_000);
		await h2.writeFile(`${ROOT}/without-glusterd`, 'fine\n');
		// If h2 is the one of the two that breaks ties, h1 was without quorum meanwhile.
		await untilSentinel(h1, 'writable', true, 40_000);
		t.is(await h1.readFile(`${ROOT}/without-glusterd`), 'fine\n');
		const refused = await h2.hfs(['init']);
		t.is(refused.exitCode, 6);
		for (const host of [h1, h2]) await host.startGlusterd();
		await waitFor(async () => (await connectedPeers(h1)) === 1, {
			deadlineMs: 20_000,
			what: 'the pool is whole again',
		});
		await untilSentinel(h1, 'healthy', true, 40_000);
	},
);

nativeTest(NEEDS, 'a missing program is named with the package that has it', async t => {
	await using cluster = await Cluster.up(1);
	const h1 = cluster.host(1);
	cluster.daemon(h1).signal('SIGTERM');
	await cluster.daemon(h1).exited;
	// A whiteout over the one program.
	await h1.shell(
		'mkdir -p /run/o && mount -t tmpfs none /run/o && mkdir /run/o/u /run/o/w && mknod /run/o/u/glusterfsd c 0 0 && mount -t overlay -o lowerdir=/usr/sbin,upperdir=/run/o/u,workdir=/run/o/w overlay /usr/sbin',
	);
	await cluster.start(h1);
	t.log(cluster.daemon(h1).output());
	const refused = await h1.hfs(['serve']);
	t.is(refused.exitCode, 7, refused.stdout + refused.stderr);
	t.regex(refused.stderr, /glusterfsd is not installed[^]*apt-get install glusterfs-server/);
	t.false(await h1.exists(`${SENTINELS}/writable`));
	// Put right, it works: the attempt left nothing behind.
	await h1.run(['umount', '-l', '/usr/sbin']);
	await config(h1, 'serve');
	await untilSentinel(h1, 'healthy', true);
});

nativeTest(
	NEEDS,
	'the example scripts on three nodes at once: ranges never overlap, every node sees the same',
	async t => {
		await using cluster = await Cluster.serving(3);
		const hosts = cluster.lab.hosts;
		const examples = new URL('../../../examples/', import.meta.url).pathname;
		// Each node claims ten ranges, every one of them also wanted by the two other nodes.
		const claims = await Promise.all(
			hosts.map(async host =>
				host.exec(
					[
						'sh',
						'-c',
						`n=0; for i in 0 1 2 3 4 5 6 7 8 9; do lo=$((10000 + i * 1000)); if "$1"/hfs_add_tenant "$2-$i" secret $lo $((lo + 499)) $((lo + 500)) $((lo + 999)) >/dev/null 2>&1; then n=$((n + 1)); fi; done; echo $n`,
						'sh',
						examples,
						host.name,
					],
					{timeoutMs: 120_000},
				),
			),
		);
		const won = claims.map(claim => Number(claim.stdout));
		t.is(
			won.reduce((sum, n) => sum + n, 0),
			10,
			`each range has one winner: ${won.join(', ')}; ${claims.map(c => c.stderr).join('')}`,
		);
		const lists = await Promise.all(
			hosts.map(async host => host.run([`${examples}hfs_list_tenants`], {timeoutMs: 30_000})),
		);
		t.is(lists[0]!.trim().split('\n').length, 10);
		for (const list of lists) t.is(list, lists[0]!);
		t.is((await statusOf(hosts[0]!)).health, 'healthy');
	},
);
