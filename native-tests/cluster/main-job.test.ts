/** The main job on three hosts with real glusterds: serve, init, read everywhere, a killed server, tampered markers, retire, volfile. */
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';
import {Cluster, config, ROOT, SENTINELS, statusOf, untilSentinel} from '../support/cluster.ts';
import {type Host} from '../support/lab-host.ts';
import {hfsConfigPath} from '../support/programs.ts';

const NEEDS = [...LAB, 'gluster'] as const;

/** One processes of the host whose command line has all the words. */
const pidOf = (host: Host, text: string): number => {
	const [found] = host.processes(text);
	if (found === undefined) throw new Error(`${host.name} runs no ${text}`);
	return found.pid;
};

nativeTest(NEEDS, 'three servers: serve, init, read everywhere; kill, tamper, retire, volfile', async t => {
	await using cluster = await Cluster.up(3);
	const [h1, h2, h3] = [cluster.host(1), cluster.host(2), cluster.host(3)];

	// Sentinels exist before anything is mounted below; nothing pretends that the configuration is empty.
	t.false(await h1.exists(`${SENTINELS}/healthy`));
	await waitFor(async () => /^no-filesystem\t/m.test(await h1.readFile(`${SENTINELS}/reason`)), {
		deadlineMs: 10_000,
		what: 'the reason says that there is no filesystem',
	});
	t.regex((await h1.exec(['touch', `${ROOT}/x`])).stderr, /not connected/);
	t.regex((await h1.exec(['ls', ROOT])).stderr, /not connected/);
	t.is((await h1.hfs(['status'])).exitCode, 4);

	await config(h1, 'serve');
	await untilSentinel(h1, 'healthy', true);
	await config(h2, 'serve');
	await config(h3, 'serve');
	await config(h1, 'init');
	for (const host of [h1, h2, h3]) await untilSentinel(host, 'healthy', true);
	t.is((await statusOf(h2)).set?.epoch, 3);

	// A second init is refused and says what is there.
	const again = await h2.hfs(['init']);
	t.is(again.exitCode, 6);
	t.regex(again.stderr, /populated/);

	// What one node writes the others read.
	await h1.writeFile(`${ROOT}/tenants/greeting`, 'hello from h1\n');
	t.is(await h2.readFile(`${ROOT}/tenants/greeting`), 'hello from h1\n');
	t.is(await h3.readFile(`${ROOT}/tenants/greeting`), 'hello from h1\n');

	// One server killed: writes go on, degraded appears, the daemon starts the brick again, everything heals.
	h3.kill(pidOf(h3, '--process-name brick'));
	await untilSentinel(h1, 'degraded', true);
	t.true(await h1.exists(`${SENTINELS}/writable`));
	for (let i = 0; i < 20; i++) await h1.writeFile(`${ROOT}/tenants/while-down-${i}`, `written ${i}\n`);
	for (const host of [h1, h2, h3]) await untilSentinel(host, 'healthy', true, 60_000);
	await cluster.untilIdentical([h1, h2, h3]);
	t.is(await h3.readFile(`${ROOT}/tenants/while-down-7`), 'written 7\n');

	// The machinery's own files can't be reached through the overlay.
	t.false(await h1.exists(`${SENTINELS}/markers`));

	// Tampered markers, through a private mount made with the printed volfile: it mounts by itself, too.
	await h2.shell(
		'node "$1" volfile > /run/by-hand.vol && mkdir -p /mnt/m && glusterfs -f /run/by-hand.vol -l /run/by-hand.log /mnt/m',
		[hfsConfigPath],
	);
	await waitFor(async () => (await h2.exec(['stat', '/mnt/m/.hekafs/set'])).exitCode === 0, {
		deadlineMs: 10_000,
		what: 'the printed volfile mounts the filesystem',
	});
	const victim = (await statusOf(h3)).node.uuid;
	const everywhere = async (exists: boolean) => {
		for (const host of [h1, h2, h3]) await untilSentinel(host, 'writable', exists, 5000);
	};
	const tamper = async (change: string, restore: string, code: string, named: string): Promise<void> => {
		const before = performance.now();
		await h2.shell(change);
		await everywhere(false);
		const elapsedMs = performance.now() - before;
		t.log(`${code}: the gate is closed on all nodes after ${elapsedMs.toFixed(0)} ms`);
		t.true(elapsedMs < 4000);
		for (const host of [h1, h2, h3]) {
			t.regex(
				(await host.exec(['sh', '-c', `echo x >> ${ROOT}/tenants/greeting`])).stderr,
				/Read-only file system/,
			);
			const reason = await host.readFile(`${SENTINELS}/reason`);
			t.true(reason.includes(code) && reason.includes(named), reason);
		}
		await h2.shell(restore);
		await everywhere(true);
	};
	const markers = '/mnt/m/.hekafs/markers';
	await tamper(
		`mv ${markers}/${victim} /run/marker`,
		`cat /run/marker > ${markers}/${victim}`,
		'marker-missing',
		victim,
	);
	const foreign = '12345678-1234-4234-8234-123456789abc';
	await tamper(
		`sed s/${victim}/${foreign}/ ${markers}/${victim} > ${markers}/${foreign}`,
		`rm ${markers}/${foreign}`,
		'marker-foreign',
		foreign,
	);
	await tamper(
		`cp ${markers}/${victim} /run/marker && echo garbage > ${markers}/${victim}`,
		`cat /run/marker > ${markers}/${victim}`,
		'marker-invalid',
		victim,
	);
	t.is(await h1.readFile(`${ROOT}/tenants/greeting`), 'hello from h1\n');
	await h2.run(['umount', '-l', '/mnt/m']);

	// A live remote node is not retired from here; a dead one is, and finds out when it comes back.
	const alive = await h1.hfs(['retire', victim]);
	t.is(alive.exitCode, 6);
	t.regex(alive.stderr, /is alive/);
	t.is((await h1.hfs(['retire', 'nobody-of-that-name'])).exitCode, 6);
	await h3.powerOff();
	await untilSentinel(h1, 'degraded', true, 30_000);
	await waitFor(async () => (await h1.hfs(['retire', victim], {timeoutMs: 60_000})).exitCode === 0, {
		deadlineMs: 60_000,
		what: 'the dead server is retired',
	});
	for (const host of [h1, h2]) await untilSentinel(host, 'healthy', true, 60_000);
	t.is((await statusOf(h1)).set?.servers.length, 2);
	await h1.writeFile(`${ROOT}/tenants/after-retire`, 'two servers\n');
	await h3.powerOn();
	await h3.startGlusterd();
	await cluster.start(h3);
	await waitFor(async () => !(await statusOf(h3)).serving && (await h3.exists(`${SENTINELS}/writable`)), {
		deadlineMs: 40_000,
		what: 'the returned node knows that it is retired and follows',
	});
	t.is(await h3.readFile(`${ROOT}/tenants/after-retire`), 'two servers\n');
	t.deepEqual(h3.processes('--process-name brick'), []);
	t.regex(await h3.run(['ls', '/var/lib/hekafs/retired']), /\S/);

	// The last server can't be retired.
	await config(h2, 'retire');
	await untilSentinel(h1, 'healthy', true, 30_000);
	const last = await h1.hfs(['retire']);
	t.is(last.exitCode, 6);
	t.regex(last.stderr, /last config server/);
	t.is(await h2.readFile(`${ROOT}/tenants/after-retire`), 'two servers\n');
});

nativeTest(
	NEEDS,
	'two nodes run init at the same moment: exactly one wins and the tree is whole',
	async t => {
		await using cluster = await Cluster.up(2);
		const [h1, h2] = [cluster.host(1), cluster.host(2)];
		await config(h1, 'serve');
		await untilSentinel(h1, 'writable', true);
		await untilSentinel(h2, 'writable', true);
		const results = await Promise.all([h1.hfs(['init']), h2.hfs(['init'])]);
		t.deepEqual(results.map(r => r.exitCode).toSorted(), [0, 6], results.map(r => r.stderr).join());
		for (const name of ['nodes', 'tenants', 'volumes', 'bricks', 'format'])
			t.true(await h2.exists(`${ROOT}/${name}`), name);
		t.is((await h1.run(['ls', `${ROOT}/nodes`])).trim().split('\n').length, 2);
	},
);

nativeTest(
	NEEDS,
	'a sentinel answers at once while glusterfs is stopped and while all servers are down',
	async t => {
		await using cluster = await Cluster.serving(1);
		const h1 = cluster.host(1);
		/** Milliseconds of 300 stats of a sentinel by one process, sorted. */
		const latencies = async (): Promise<number[]> => {
			const script = `const fs = require('fs'); const out = []; for (let i = 0; i < 300; i++) { const s = process.hrtime.bigint(); fs.statSync('${SENTINELS}/status'); out.push(Number(process.hrtime.bigint() - s) / 1e6); } console.log(JSON.stringify(out.sort((a, b) => a - b)))`;
			return JSON.parse(await h1.run(['node', '-e', script], {timeoutMs: 20_000})) as number[];
		};
		const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)]!;
		const client = pidOf(h1, '--process-name fuse');
		h1.stop(client);
		// Hung operations below, in the root directory and elsewhere: creates hold the directory's lock in the kernel.
		const hung = await Promise.all(
			Array.from({length: 8}, async (_, i) => h1.spawn(['touch', `${ROOT}/hung-${i}`])),
		);
		await untilSentinel(h1, 'writable', false);
		const stopped = await latencies();
		t.log(`glusterfs stopped: p50 ${stopped[150]!.toFixed(3)} ms, p99 ${p99(stopped).toFixed(3)} ms`);
		t.true(p99(stopped) < 5, `p99 ${p99(stopped)} ms`);
		h1.cont(client);
		for (const process of hung) await process.exited;
		await untilSentinel(h1, 'writable', true, 40_000);
		h1.stop(pidOf(h1, '--process-name brick'));
		await untilSentinel(h1, 'writable', false, 30_000);
		const down = await latencies();
		t.log(`all servers down: p50 ${down[150]!.toFixed(3)} ms, p99 ${p99(down).toFixed(3)} ms`);
		t.true(p99(down) < 5, `p99 ${p99(down)} ms`);
		h1.cont(pidOf(h1, '--process-name brick'));
		await untilSentinel(h1, 'writable', true, 60_000);
	},
);
