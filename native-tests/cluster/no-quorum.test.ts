/** Reads without quorum: every node reads from its verified copy, says so, and goes back by itself. */
import {ROOT, Cluster, SENTINELS, statusOf, untilSentinel} from '../support/cluster.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = [...LAB, 'gluster'] as const;
/** How long after a write of this node's the copy has it, on a busy machine. */
const LAG_MS = 10_000;

const PROBE = `import os,sys,time
root=sys.argv[1]
times=[]
for i in range(200):
    start=time.monotonic()
    assert open(root+'/secret').read()=='two\\n'
    s=os.stat(root+'/d/f'); assert (s.st_mtime_ns,s.st_uid,s.st_gid,s.st_mode&0o555)==(1234567890123456789,5,6,0o440), s
    assert os.listdir(root+'/d')
    times.append(time.monotonic()-start)
start=time.monotonic()
try: open(root+'/secret','w'); print('written')
except OSError as e: print(e.errno)
print(round((time.monotonic()-start)*1000,1), round(sorted(times)[197]*1000,2))
`;

nativeTest(
	NEEDS,
	'two of three servers die: reads go on from the copy, writes get EROFS, both come back',
	async t => {
		await using cluster = await Cluster.serving(3);
		const [h1, h2, h3] = [cluster.host(1), cluster.host(2), cluster.host(3)];
		await h1.shell(`cd ${ROOT}; mkdir d; echo x >d/f; ln -s d/f link; ln d/f hard; echo one >secret; chmod 600 secret
		setfattr -n user.k -v v d/f; chown 5:6 d/f; chmod 640 d/f; python3 -c "import os; os.utime('d/f',ns=(1234567890123456789,)*2)"
		(exec 6<secret; touch /run/holding; until test -e /run/lost; do sleep 0.1; done; cat <&6 >/run/held;
		until test -e /run/back; do sleep 0.1; done; stat -L -c %i /proc/self/fd/6 >>/run/held) >/dev/null 2>&1 &
		until test -e /run/holding; do sleep 0.1; done; echo two >secret`);
		const ino = (await h1.shell(`stat -c %i ${ROOT}/secret`)).trim();
		const copyOf = async () => (await statusOf(h1)).copy;
		const wroteAt = Date.now();
		await waitFor(async () => Date.parse((await copyOf())?.checkedAt ?? '') > wroteAt, {
			deadlineMs: LAG_MS + 5000,
			what: `the copy has what was written: ${JSON.stringify(await copyOf())} ${cluster.daemon(h1).output().slice(-1500)}`,
		});
		t.log('copy', JSON.stringify(await copyOf()));
		t.is(
			(await h1.shell('stat -c %a /var/lib/hekafs/copy; stat -c %a /var/lib/hekafs/copy/* | sort -u')).trim(),
			'700\n600',
		);
		for (const host of [h2, h3]) {
			cluster.daemon(host).signal('SIGKILL');
			host.kill(host.processes('--process-name brick')[0]!.pid);
		}
		await untilSentinel(h1, 'writable', false);
		await waitFor(async () => (await copyOf())?.serving === true, {
			deadlineMs: 10_000,
			what: 'the copy serves',
		});
		const [errno, figures] = (await h1.shell('python3 - "$1"', [ROOT], {input: PROBE})).trim().split('\n');
		t.log(`write refused after, reads p99 in ms: ${figures}`);
		t.is(errno, '30');
		t.is(
			(
				await h1.shell(
					`cd ${ROOT}; cat link hard; getfattr -n user.k --only-values d/f; stat -c %h hard; stat -c %i secret`,
				)
			).trim(),
			`x\nx\nv2\n${ino}`,
		);
		t.regex((await h1.exec(['cat', `${SENTINELS}/reason`])).stdout, /^reading-copy\t/m);
		await h1.shell('touch /run/lost; until test -s /run/held; do sleep 0.1; done');
		const before = performance.now();
		await cluster.start(h2);
		await untilSentinel(h1, 'writable', true, 60_000);
		t.log(
			`writes work again ${Math.round(performance.now() - before)} ms after hekafsd of the second server was started`,
		);
		await h1.shell(`echo three >${ROOT}/secret; touch /run/back`);
		t.is((await h1.shell(`cat ${ROOT}/secret`)).trim(), 'three');
		await waitFor(async () => (await h1.shell('cat /run/held')).trim() === `two\n${ino}`, {
			deadlineMs: 10_000,
			what: 'the open file is the same file again',
		});
		t.false((await copyOf())!.serving);
	},
);
