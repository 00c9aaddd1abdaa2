/** Reads without quorum: every node reads from its verified copy, says so, and goes back by itself. */
import {ROOT, Cluster, SENTINELS, type Status, statusOf, untilSentinel} from '../support/cluster.ts';
import {type ExecutionContext} from 'ava';
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

/** Reads all the time until it is told to end; says when it could not. */
const READER = `import os,sys,time
failed=[]; longest=0
while not os.path.exists('/run/reader-end'):
    start=time.monotonic()
    try: open(sys.argv[1]+'/secret').read(); os.listdir(sys.argv[1]+'/d')
    except OSError as e: failed.append((start, e.errno))
    longest=max(longest, time.monotonic()-start)
    time.sleep(.005)
span=failed[-1][0]-failed[0][0] if failed else 0
print(f'{len(failed)} reads failed, first to last {span*1000:.0f} ms, errnos {sorted(set(e for _,e in failed))}; longest read {longest*1000:.0f} ms')
open('/run/reader-said','w').write(' '.join(str(e) for e in sorted(set(e for _,e in failed))))
`;

/** Every daemon and every brick dies at once; one node comes back, alone: it reads from the copy that is on its disk. */
const restartAlone = async (
	t: ExecutionContext,
	cluster: Cluster,
	copyOf: () => Promise<Status['copy']>,
): Promise<void> => {
	const [h1, h2] = [cluster.host(1), cluster.host(2)];
	// The first may have been begun before the last write; the second was begun after the first.
	for (const update of [1, 2]) {
		const toldAt = Date.now();
		await h1.shell(`chmod 600 ${ROOT}/secret`);
		await waitFor(async () => Date.parse((await copyOf())?.updatedAt ?? '') > toldAt, {
			deadlineMs: LAG_MS,
			what: `the copy was updated (${update})`,
		});
		t.log(`a change of this node's was in the copy ${Date.now() - toldAt} ms later, asking for it included`);
	}
	for (const host of [h2, h1]) {
		cluster.daemon(host).signal('SIGKILL');
		for (const brick of host.processes('--process-name brick')) host.kill(brick.pid);
	}
	const before = performance.now();
	await cluster.start(h1);
	await waitFor(async () => (await copyOf())?.serving === true, {
		deadlineMs: 40_000,
		what: 'the copy serves after a restart',
	});
	t.log(`reads work ${Math.round(performance.now() - before)} ms after hekafsd was started on the only node`);
	t.is((await h1.shell(`cd ${ROOT}; cat secret link; stat -c %a d/f`)).trim(), 'three\nx\n440');
	t.not((await h1.exec(['sh', '-c', `echo four >${ROOT}/secret`])).exitCode, 0);
};

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
		await h1.shell('cat >/run/reader.py', [], {input: READER});
		const reader = await h1.spawn(['python3', '/run/reader.py', ROOT]);
		for (const host of [h2, h3]) {
			cluster.daemon(host).signal('SIGKILL');
			host.kill(host.processes('--process-name brick')[0]!.pid);
		}
		await untilSentinel(h1, 'writable', false);
		await waitFor(async () => (await copyOf())?.serving === true, {
			deadlineMs: 10_000,
			what: 'the copy serves',
		});
		await h1.shell('touch /run/reader-end; until test -e /run/reader-said; do sleep 0.05; done');
		t.log(`from the loss to the copy: ${reader.output().trim()}`);
		// Never ENOENT: a script would take it for an empty configuration.
		t.regex(await h1.shell('cat /run/reader-said'), /^(107)?$/);
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
		await restartAlone(t, cluster, copyOf);
	},
);
