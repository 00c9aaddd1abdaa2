/** Switching the mount below, and that everything that was given out comes back. */
import test from 'ava';
import {type OverlayUnderTest, withOverlay} from '../support/overlay-under-test.ts';

/** Two mounts of one directory, as two generations of a GlusterFS mount are: the same inode numbers. */
const withTwoMounts = async (
	{ok, tell, back}: OverlayUnderTest,
	body: () => Promise<void>,
): Promise<void> => {
	await ok('mkdir $B/../g1 $B/../g2; mount --bind $B $B/../g1; mount --bind $B $B/../g2');
	try {
		await tell({do: 'refuse'});
		await tell({do: 'switchTo', generation: 1, path: `${back}/../g1`});
		await tell({do: 'open'});
		await body();
	} finally {
		await ok('umount -l $B/../g1; umount -l $B/../g2');
	}
};

test.serial('open handles, locks and working directories go over to a new generation', async t => {
	await withOverlay(
		t,
		async overlay => {
			const {ok, tell, back} = overlay;
			await withTwoMounts(overlay, async () => {
				await ok(
					'mkdir $M/d; for i in $(seq 300); do : >$M/d/f$i; done; echo old >$M/f; echo doomed >$M/gone; : >$M/l',
				);
				const running = ok(`cd $M/d; exec 5<>$M/f 6<$M/gone 7>$M/l; flock 7; echo first >&5
				touch $B/../ready; until test -e $B/../go; do sleep 0.05; done
				echo second >&5; test "$(cat $M/f | tr '\\n' ' ')" = 'first second '
				test $(ls | wc -l) = 300; echo x >new
				! flock -n $B/l true; flock -u 7; flock -n $B/l true
				cat <&6 2>&1 || true`);
				await ok('until test -e $B/../ready; do sleep 0.05; done');
				await tell({do: 'switch'});
				await tell({do: 'switchTo', generation: 2, path: `${back}/../g2`});
				await ok('rm $B/gone');
				await tell({do: 'open'});
				await ok('touch $B/../go');
				t.regex(await running, /Stale file handle/);
				t.is(await ok('cat $B/d/new'), 'x');
			});
		},
		{detached: true},
	);
});

test.serial('locks of handles that nobody uses just now go over at once', async t => {
	await withOverlay(
		t,
		async ({ok, tell, back}) => {
			// Two filesystems that are copies of each other: the same inode numbers, but the locks of one are not the other's.
			await ok(`cd $B/..; truncate -s 8M a.img; mkfs.ext4 -q a.img; mkdir g1 g2; mount -o loop a.img g1
			: >g1/l; umount g1; cp a.img b.img; mount -o loop a.img g1; mount -o loop b.img g2`);
			try {
				await tell({do: 'refuse'});
				await tell({do: 'switchTo', generation: 1, path: `${back}/../g1`});
				await tell({do: 'open'});
				const holder = ok(`exec 5>$M/l; flock 5; python3 - $M $B <<'PY'
import fcntl,os,sys,time
m,b=sys.argv[1:]
f=open(m+'/l','r+')
fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB,10,0)
fcntl.lockf(f,fcntl.LOCK_UN,2,4)
open(b+'/held','w').close()
end=time.monotonic()+15
while not os.path.exists(b+'/go') and time.monotonic()<end: time.sleep(0.05)
PY`);
				await ok('until test -e $B/held; do sleep 0.05; done');
				const probe = (g: string): Promise<string> =>
					ok(`flock -n $B/../${g}/l true && echo flock free; python3 - $B/../${g}/l <<'PY'
import fcntl,sys
f=open(sys.argv[1],'r+')
def free(start):
    try: fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB,1,start); return True
    except OSError: return False
print([i for i in range(12) if free(i)])
PY`);
				t.is(await probe('g1'), '[4, 5, 10, 11]');
				t.is(await probe('g2'), `flock free\n[${Array.from({length: 12}, (_, i) => i).join(', ')}]`);
				await tell({do: 'switchTo', generation: 2, path: `${back}/../g2`});
				t.is(await probe('g2'), '[4, 5, 10, 11]');
				await ok('touch $B/go');
				await holder;
				t.regex(await probe('g2'), /^flock free\n\[0, 1, 2/);
			} finally {
				await ok('cd $B/..; umount -l g1; umount -l g2');
			}
		},
		{detached: true},
	);
});

test.serial('a write that waits during the switch lands in the new generation', async t => {
	await withOverlay(
		t,
		async overlay => {
			const {ok, sh, tell, back} = overlay;
			await withTwoMounts(overlay, async () => {
				await tell({do: 'switch'});
				const writing = sh('echo x >$M/f');
				await tell({do: 'switchTo', generation: 2, path: `${back}/../g2`});
				await tell({do: 'open'});
				t.is((await writing).code, 0);
				t.is(await ok('cat $B/f'), 'x');
			});
		},
		{writeWaitMs: 10_000, detached: true},
	);
});

test.serial('a root that is not there is refused and the generation before stays', async t => {
	await withOverlay(t, async ({tell, ok}) => {
		await ok('echo x >$M/f');
		await t.throwsAsync(tell({do: 'switchTo', generation: 7, path: '/nonexistent/root'}), {
			message: /ENOENT/,
		});
		t.is(await ok('cat $M/f; echo y >>$M/f'), 'x');
		await t.throwsAsync(tell({do: 'switchTo', generation: 1}), {message: /used before/});
	});
});

test.serial('descriptors are bounded however many directories there are', async t => {
	await withOverlay(t, async ({ok, stats}) => {
		await ok(
			'cd $B; seq -f d%g 3000 | xargs mkdir; seq -f d%g/f 3000 | xargs touch; find $M -type f | wc -l | grep -qx 3000',
			60_000,
		);
		t.true((await stats()).descriptors < 1500);
	});
});

test.serial('20,000 entries are listed completely and quickly', async t => {
	await withOverlay(t, async ({sh, ok}) => {
		await ok('cd $B; seq -f file-with-an-ordinary-name-%06g 20000 | xargs touch', 60_000);
		const plain = await sh('ls -f $M | wc -l', 30_000);
		t.is(plain.stdout.trim(), '20002');
		t.true(plain.ms < 3000, `ls -f: ${plain.ms} ms`);
		const long = await sh('ls -l $M | wc -l', 60_000);
		t.is(long.stdout.trim(), '20001');
		t.true(long.ms < 15_000, `ls -l: ${long.ms} ms`);
		t.log(`ls -f ${Math.round(plain.ms)} ms, ls -l ${Math.round(long.ms)} ms`);
	});
});

test.serial('eight processes work in one directory', async t => {
	await withOverlay(t, async ({ok, stats}) => {
		await ok(
			`for p in 1 2 3 4 5 6 7 8; do (
				for i in $(seq 60); do echo $p.$i >$M/$p; mv $M/$p $M/x$p; cat $M/x$p >$M/y; test "$(cat $M/x$p)" = $p.$i || exit 1
				ln -f $M/x$p $M/z; rm -f $M/x$p; done; touch $M/done$p ) & done; wait; test $(ls $M/done* | wc -l) = 8; rm $M/*`,
			60_000,
		);
		t.is((await stats()).inFlightMutations, 0);
	});
});
