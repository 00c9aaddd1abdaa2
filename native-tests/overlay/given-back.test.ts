/** Whatever clients did, and however they ended: nodes, names, handles and descriptors come back to what they were. */
import {type ExecutionContext} from 'ava';
import {endBackings, overEach} from '../support/backings.ts';
import {eventually} from '../support/child.ts';
import {type OverlayUnderTest, withOverlay} from '../support/overlay-under-test.ts';

const allGivenBack = async (t: ExecutionContext, {ok, stats}: OverlayUnderTest): Promise<void> => {
	await eventually('everything is given back', async () => {
		await ok('rm -rf $M/*; echo 2 >/proc/sys/vm/drop_caches');
		const {nodes, names, handles} = await stats();
		return nodes === 0 && names === 0 && handles === 0;
	}).catch(async (error: unknown) => t.fail(`${String(error)} ${JSON.stringify(await stats())}`));
};

endBackings();

overEach('what the kernel forgets is forgotten', async (t, {one}) => {
	await withOverlay(
		t,
		async overlay => {
			const {ok, stats} = overlay;
			const before = await stats();
			await ok(
				'for i in $(seq 20); do mkdir -p $M/a$i/b/c; for j in $(seq 10); do echo $j >$M/a$i/b/c/f$j; done; done',
			);
			await ok(
				'ls -lR $M >/dev/null; ln $M/a1/b/c/f1 $M/h; mv $M/a2 $M/a1/b/moved; exec 5<$M/h 6<$M/a1; flock 5',
			);
			t.true((await stats()).nodes > 200);
			await allGivenBack(t, overlay);
			t.true((await stats()).descriptors <= before.descriptors + 2);
		},
		{backing: one},
	);
});

/** Locks of every kind, had and not had, on files with and without a name; the last process is killed as it is. */
const LOCKS = `import fcntl, os, struct, sys, time
path = sys.argv[1]
def ofd(fd, kind, start=0): fcntl.fcntl(fd, 37, struct.pack('hhqqi4x', kind, 0, start, 10, 0))
def refused(call, *args):
    try: call(*args)
    except BlockingIOError: return
    raise SystemExit('not refused')
for turn in range(20):
    one, two, three = (os.open(path, os.O_CREAT | os.O_RDWR) for _ in range(3))
    ofd(one, 1)
    refused(ofd, two, 1)
    refused(fcntl.lockf, three, fcntl.LOCK_EX | fcntl.LOCK_NB, 10)
    fcntl.lockf(three, fcntl.LOCK_EX, 10, 100)
    if turn % 2: os.unlink(path)
    if turn % 3: ofd(one, 2)
    for fd in (two, one, three): os.close(fd)
gone = os.open(path, os.O_CREAT | os.O_RDWR)
os.unlink(path)
ofd(gone, 1, 20)
fcntl.lockf(gone, fcntl.LOCK_EX, 10)
left = os.open(path, os.O_CREAT | os.O_RDWR)
ofd(left, 1)
if os.fork() == 0:
    fcntl.lockf(left, fcntl.LOCK_EX, 10)
time.sleep(0.3)
os.kill(0, 9)
`;

overEach('locks that were had, refused, waited for, or left behind by a killed process', async (t, {one}) => {
	await withOverlay(
		t,
		async overlay => {
			const {ok, stats} = overlay;
			const before = await stats();
			t.is(await ok(`setsid -w python3 -c "${LOCKS}" $M/f 2>&1 || true`), '');
			await eventually('no handle is left', async () => (await stats()).handles === 0).catch(
				async (error: unknown) => t.fail(`${String(error)} ${JSON.stringify(await stats())}`),
			);
			await allGivenBack(t, overlay);
			t.true((await stats()).descriptors <= before.descriptors + 2);
		},
		{backing: one},
	);
});
