/** What an operator sees and is asked: the bar of a join, who can't be lost, the typed word before a forced retirement. */
import {Cluster, config, ROOT, statusOf, untilSentinel} from '../support/cluster.ts';
import {hfsConfigPath} from '../support/programs.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = [...LAB, 'gluster'] as const;

nativeTest(
	NEEDS,
	'a join on a terminal, the server that can not be lost, and its forced retirement',
	async t => {
		await using cluster = await Cluster.serving(3, 1);
		const [h1, h2, h3] = [cluster.host(1), cluster.host(2), cluster.host(3)];
		await h1.shell(
			`mkdir ${ROOT}/many && cd ${ROOT}/many && for i in $(seq 100); do echo $i > $i; done`,
			[],
			{
				timeoutMs: 60_000,
			},
		);
		const terminal = `script -qec 'node ${hfsConfigPath} serve' /dev/null`;
		const shown = await h2.exec(['sh', '-c', terminal], {timeoutMs: 120_000, env: {TERM: 'xterm'}});
		t.is(shown.exitCode, 0, shown.stdout);
		t.regex(shown.stdout, /\[[#-]+\] 1 of \d+ /, 'a bar over the steps');
		t.regex(shown.stdout, /\[#[#-]+\] \d+ done, \d+ pending, \d+\/s filling the new/);
		// It returned only when the new server held everything.
		await cluster.untilIdentical([h1, h2], 5000);

		// What anybody may ask shows nothing secret; the secret itself is for root, below the overlay.
		const secret = (await h2.shell('cat /var/lib/hekafs/bricks/*/.hekafs/secret')).trim();
		t.regex(secret, /^[0-9a-f]{64}$/);
		t.is(await h2.shell("stat -c '%a %u' /var/lib/hekafs/bricks/*/.hekafs/secret"), '600 0\n');
		t.is((await h2.exec(['cat', `${ROOT}/.hekafs/secret`])).exitCode, 1);
		const ask = `Promise.all(['/', '/v1/status', '/metrics'].map(p => fetch('http://h2:8080' + p).then(r => r.text()))).then(a => console.log(a.join('')))`;
		const shownToAll = await h1.run(['node', '-e', ask], {timeoutMs: 20_000});
		t.true(shownToAll.includes('"health"') && shownToAll.includes('hekafs_'));
		t.false(shownToAll.includes(secret));

		const first = (await statusOf(h2)).set!.servers[0]!;
		const [firstHost, otherHost] = first.address === 'h1' ? [h1, h2] : [h2, h1];
		const text = (await otherHost.hfs(['status'])).stdout;
		t.regex(text, new RegExp(`${first.uuid} +${first.address} +up +no quorum without it`));

		await firstHost.powerOff();
		await untilSentinel(otherHost, 'writable', false, 40_000);
		const unforced = await waitFor(
			async () => {
				const result = await otherHost.hfs(['retire', first.uuid]);
				return /only cut off/.test(result.stderr) ? result : undefined;
			},
			{deadlineMs: 40_000, intervalMs: 500, what: 'the refusal without the operator’s word'},
		);
		t.is(unforced.exitCode, 6);
		const unasked = await otherHost.hfs(['retire', first.address, '--force']);
		t.is(unasked.exitCode, 2);
		t.regex(unasked.stderr, /--force --yes/);
		const force = `script -qec 'node ${hfsConfigPath} retire ${first.address} --force' /dev/null`;
		const wrong = await otherHost.exec(['sh', '-c', force], {input: 'yes\n', timeoutMs: 60_000});
		t.is(wrong.exitCode, 6, wrong.stdout);
		t.regex(wrong.stdout, /not confirmed/);
		const done = await otherHost.exec(['sh', '-c', force], {input: `${first.address}\n`, timeoutMs: 60_000});
		t.is(done.exitCode, 0, done.stdout);
		t.regex(cluster.daemon(otherHost).output(), new RegExp(`forced by the operator, .*${first.uuid}`));
		await untilSentinel(otherHost, 'healthy', true, 40_000);
		await untilSentinel(h3, 'writable', true, 40_000);
		await otherHost.writeFile(`${ROOT}/many/101`, 'after\n');

		// It comes back, and finds itself retired.
		await firstHost.powerOn();
		await firstHost.startGlusterd();
		await cluster.start(firstHost);
		await waitFor(async () => !(await statusOf(firstHost)).serving, {
			deadlineMs: 40_000,
			what: 'the returned node knows that it is retired',
		});
		await untilSentinel(firstHost, 'writable', true, 40_000);
		t.is(await firstHost.readFile(`${ROOT}/many/101`), 'after\n');
		t.deepEqual(firstHost.processes('--process-name brick'), []);
		t.regex(await firstHost.run(['ls', '/var/lib/hekafs/retired']), /\S/);
		// The tidy end of `--no-wait`: it says how to watch.
		await waitFor(
			async () => /watch it with: hfs_config status/.test(await config(firstHost, 'serve', '--no-wait')),
			{
				deadlineMs: 60_000,
				intervalMs: 1000,
				what: 'the retired node serves again',
			},
		);
	},
);
