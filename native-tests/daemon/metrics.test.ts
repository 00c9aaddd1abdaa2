/** The figures of a real hekafsd: what is done to files is counted, and why writes are refused. */
import {queryControl} from '../../src/http/control-client.ts';
import {LocalDaemon} from '../support/local-daemon.ts';
import {nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

/** The value of a sample; NaN when there is none. */
const valueIn = (text: string, sample: string): number =>
	Number(
		text
			.split('\n')
			.find(line => line.startsWith(`${sample} `))
			?.slice(sample.length + 1) ?? 'NaN',
	);

/** What `GET /metrics` answers. */
const served = async (daemon: LocalDaemon): Promise<string> =>
	queryControl('/metrics', {socketPath: `${daemon.run}/control.sock`});

nativeTest(['root', 'fuse'], 'operations are counted by kind and result, and timed', async t => {
	await using daemon = new LocalDaemon();
	await daemon.start();
	const before = await served(daemon);
	t.is(valueIn(before, 'hekafs_gate_open'), 1);
	t.is(valueIn(before, 'hekafs_generation_switches_total'), 1);
	const work = 'cd "$1" && for i in 1 2 3 4 5; do mkdir d$i && echo x >d$i/f || exit 1; done; cat d1/absent';
	t.regex((await daemon.shell(work)).stderr, /No such file/);
	const after = await served(daemon);
	const more = (sample: string): number => valueIn(after, sample) - valueIn(before, sample);
	t.is(more('hekafs_operations_total{kind="create",result="ok"}'), 10);
	t.is(more('hekafs_operations_total{kind="write",result="ok"}'), 5);
	t.true(more('hekafs_operations_total{kind="lookup",result="absent"}') >= 6);
	t.is(more('hekafs_operation_duration_seconds_count{kind="write"}'), 5);
	const spent = more('hekafs_operation_duration_seconds_sum{kind="write"}');
	t.true(spent > 0 && spent < 5, String(spent));

	// The sentinel tells the same, at most 2 s later.
	const sentinel = async (): Promise<string> => (await daemon.shell('cat "$1/.hekafs/metrics"')).stdout;
	const counted = 'hekafs_operations_total{kind="write",result="ok"}';
	await waitFor(async () => valueIn(await sentinel(), counted) === valueIn(after, counted), {
		deadlineMs: 5000,
		what: 'the sentinel file has the figures',
	});
});

nativeTest(
	['root', 'fuse'],
	'refusals are counted by the reason that the reason file tells first',
	async t => {
		await using daemon = new LocalDaemon();
		// No filesystem can be found: this node is no member of a cluster.
		await daemon.start({'--backend': 'gluster'});
		await waitFor(async () => /^no-|^members-/.test((await daemon.shell('cat "$1/.hekafs/reason"')).stdout), {
			deadlineMs: 15_000,
			what: 'the loop has looked',
		});
		const code = (await daemon.shell('cat "$1/.hekafs/reason"')).stdout.split('\t')[0]!;
		for (let i = 0; i < 3; i++)
			t.regex((await daemon.shell('chmod 755 "$1"')).stderr, /Read-only file system/);
		const refusing = await served(daemon);
		t.is(valueIn(refusing, `hekafs_refusals_total{reason="${code}"}`), 3);
		t.is(valueIn(refusing, 'hekafs_operations_total{kind="change",result="refused"}'), 3);
		t.is(valueIn(refusing, `hekafs_reason{code="${code}"}`), 1);
		t.is(valueIn(refusing, 'hekafs_gate_open'), 0);
	},
);
