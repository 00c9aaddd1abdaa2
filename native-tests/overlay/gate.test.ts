/** The gate as programs see it: refusals, modes, waiting, and the virtual files that tell about it. */
import test from 'ava';
import {withOverlay} from '../support/overlay-under-test.ts';

/** Every way to change something; `$M/f` is a file, `$M/d` a directory, file descriptor 5 is open for writing on `$M/f`. */
const MUTATIONS: readonly (readonly [string, string])[] = [
	['CREATE', 'open("/new",os.O_CREAT|os.O_WRONLY)'],
	['CREATE O_EXCL', 'open("/new",os.O_CREAT|os.O_EXCL|os.O_WRONLY)'],
	['OPEN for writing', 'open("/f",os.O_WRONLY)'],
	['OPEN O_TRUNC', 'open("/f",os.O_RDONLY|os.O_TRUNC)'],
	['OPEN O_TMPFILE', 'open("",os.O_TMPFILE|os.O_RDWR)'],
	['WRITE on an open handle', 'os.write(fd,b"x")'],
	['ftruncate on an open handle', 'os.ftruncate(fd,0)'],
	['fallocate on an open handle', 'os.posix_fallocate(fd,0,10000)'],
	['truncate', 'os.truncate(m+"/f",0)'],
	['chmod', 'os.chmod(m+"/f",0o600)'],
	['chown', 'os.chown(m+"/f",1,1)'],
	['utimes', 'os.utime(m+"/f")'],
	['unlink', 'os.unlink(m+"/f")'],
	['mkdir', 'os.mkdir(m+"/new")'],
	['rmdir', 'os.rmdir(m+"/d")'],
	['rename', 'os.rename(m+"/f",m+"/g")'],
	['link', 'os.link(m+"/f",m+"/g")'],
	['symlink', 'os.symlink("x",m+"/s")'],
	['mknod', 'os.mkfifo(m+"/p")'],
	['setxattr', 'os.setxattr(m+"/f","user.a",b"1")'],
	['removexattr', 'os.removexattr(m+"/f","user.a")'],
	['copy_file_range', 'os.copy_file_range(rd,fd,1,0,100)'],
];

/** Tries each mutation once; prints those that do not give EROFS, or not within 50 ms. */
const TRY_ALL = `import errno,os,sys,time
m=sys.argv[1]
fd=os.open(m+"/f",os.O_WRONLY); rd=os.open(m+"/f",os.O_RDONLY)
def open(path,flags): return os.open(m+path,flags)
print("ready",flush=True); sys.stdin.readline()
for name,call in ${JSON.stringify(MUTATIONS)}:
    start=time.monotonic()
    try:
        eval(call); print("admitted:",name)
    except OSError as e:
        if e.errno!=errno.EROFS: print("errno",e.errno,"for",name)
    if time.monotonic()-start>0.05: print("slow:",name,time.monotonic()-start)
print("done")
`;

test.serial(
	'a closed gate refuses every mutation with EROFS at once, also on handles opened before',
	async t => {
		await withOverlay(t, async ({mnt, tell, ok}) => {
			await ok('echo x >$M/f; setfattr -n user.a -v 1 $M/f; mkdir $M/d; mkfifo $B/go');
			const tried = ok(
				`python3 -c '${TRY_ALL.replaceAll("'", `'"'"'`)}' '${mnt}' <$B/go >$B/log; cat $B/log`,
			);
			await ok(
				'exec 5>$B/go; until grep -q ready $B/log; do sleep 0.05; done; sleep 1000 <&- >&- 2>&- & echo $! >$B/pid',
			);
			await tell({do: 'refuse'});
			await ok('echo >$B/go; kill $(cat $B/pid)');
			t.is(await tried, 'ready\ndone');
			t.is(await ok('cat $M/f; ls $M | grep -c "^[fd]$"'), 'x\n2');
		});
	},
);

test.serial(
	'a closed gate hides the write bits, an open one shows them, at once and with long time-outs',
	async t => {
		await withOverlay(
			t,
			async ({tell, ok}) => {
				await ok('echo x >$M/f; chmod 666 $M/f; mkdir $M/d; chmod 777 $M/d');
				t.is(await ok('stat -c %a $M/f $M/d $M'), '666\n777\n755');
				await tell({do: 'refuse'});
				t.is(await ok('stat -c %a $M/f $M/d $M'), '444\n555\n555');
				await ok('! setpriv --reuid 1000 --regid 1000 --clear-groups test -w $M/f');
				await tell({do: 'open'});
				t.is(await ok('stat -c %a $M/f $M/d $M'), '666\n777\n755');
				await ok('setpriv --reuid 1000 --regid 1000 --clear-groups test -w $M/f');
			},
			{attrTimeoutMs: 3_600_000},
		);
	},
);

test.serial('while the gate is switching mutations wait for it, bounded, and reads do not', async t => {
	await withOverlay(
		t,
		async ({tell, ok, sh}) => {
			await ok('echo x >$M/f');
			await tell({do: 'switch'});
			const waiting = Array.from({length: 8}, (_, i) => sh(`echo ${i} >$M/new${i}`));
			t.is(await ok('cat $M/f'), 'x');
			await tell({do: 'open'});
			for (const {code} of await Promise.all(waiting)) t.is(code, 0);
			t.is(await ok('ls $M | wc -l'), '9');
			await tell({do: 'switch'});
			const late = await sh('echo x >$M/late');
			t.regex(late.stderr, /Read-only file system/);
			t.true(late.ms > 1000 && late.ms < 4000, String(late.ms));
		},
		{writeWaitMs: 1500},
	);
});

test.serial('sentinels exist as the gate says, also for root, and from the first second', async t => {
	await withOverlay(
		t,
		async ({tell, ok}) => {
			const existing = (): Promise<string> =>
				ok('for s in healthy writable degraded; do if test -e $M/.hekafs/$s; then echo $s; fi; done');
			t.is(await existing(), '');
			t.is(await ok('stat -c %a $M'), '555');
			await tell({do: 'switchTo', generation: 1});
			await tell({do: 'open'});
			t.is(await existing(), 'healthy\nwritable');
			await tell({do: 'degrade'});
			t.is(await existing(), 'writable\ndegraded');
			await tell({do: 'switch'});
			t.is(await existing(), '');
			await tell({do: 'open'});
			t.is(await existing(), 'healthy\nwritable');
			await tell({do: 'detach'});
			await tell({do: 'refuse'});
			t.is(await existing(), '');
			await ok('! ls $M/ 2>/dev/null; ! cat $M/f 2>/dev/null');
			t.regex(await ok('touch $M/f 2>&1 || true; stat $M/f 2>&1 || true'), /not connected/);
			t.regex(await ok('mkdir $M/.hekafs/x 2>&1 || true'), /not permitted/);
		},
		{detached: true},
	);
});

test.serial('the virtual directory: what it lists, modes, sizes, content fixed at open', async t => {
	await withOverlay(t, async ({tell, ok}) => {
		await tell({do: 'publish', texts: {reason: 'no-quorum\ttoo few\n', status: 'x'.repeat(50_000)}});
		t.is(
			await ok('ls $M/.hekafs | tr "\\n" " "'),
			'control epoch heals healthy members metrics reason servers status version writable',
		);
		t.is(await ok('stat -c "%a %s" $M/.hekafs/reason $M/.hekafs/status'), '444 18\n444 50000');
		t.is(await ok('stat -c %a $M/.hekafs $M/.hekafs/control'), '555\n200');
		t.is(await ok('cat $M/.hekafs/reason'), 'no-quorum\ttoo few');
		t.is(await ok('cp $M/.hekafs/status $M/copy; wc -c <$B/copy'), '50000');
		const slow = ok(
			'exec 5<$M/.hekafs/reason; touch $B/opened; until test -e $B/go; do sleep 0.05; done; cat <&5',
		);
		await ok('until test -e $B/opened; do sleep 0.05; done');
		await tell({do: 'publish', texts: {reason: 'other\n'}});
		t.is(await ok('cat $M/.hekafs/reason; touch $B/go'), 'other');
		t.is(await slow, 'no-quorum\ttoo few');
		t.is(await ok('ls -A $M | grep -c hekafs || true'), '0');
		await ok('find $M >/dev/null; grep -r other $M/.hekafs | grep -q reason; df $M/.hekafs >/dev/null');
	});
});

test.serial(
	'the virtual directory hides the machinery and can be neither made, moved nor removed',
	async t => {
		await withOverlay(t, async ({ok}) => {
			await ok('mkdir -p $B/.hekafs/markers; echo secret >$B/.hekafs/secret');
			t.is(await ok('ls -A $M'), '');
			await ok('! cat $M/.hekafs/secret 2>/dev/null; ! ls $M/.hekafs/markers 2>/dev/null');
			for (const script of [
				'mv $M/.hekafs $M/x',
				'rmdir $M/.hekafs',
				'mkdir $M/d && mv -T $M/d $M/.hekafs',
				'rm $M/.hekafs/reason',
				'touch $M/.hekafs/new',
				'ln -s x $M/.hekafs/l',
				'touch $M/g && ln $M/g $M/.hekafs/g',
				'touch $M/h && mv $M/h $M/.hekafs/h',
				'mv $M/.hekafs/reason $M/r',
				'ln $M/.hekafs/reason $M/r',
				'chmod 777 $M/.hekafs',
				'chown 1 $M/.hekafs/reason',
				'setfattr -n user.a -v 1 $M/.hekafs/reason',
				'echo x >$M/.hekafs/reason',
			])
				await ok(`! { ${script}; } 2>/dev/null`);
			await ok('test -d $B/.hekafs/markers; test "$(cat $B/.hekafs/secret)" = secret; test ! -e $B/r');
		});
	},
);

test.serial('control takes known words, from root only', async t => {
	await withOverlay(t, async ({ok, stats}) => {
		await ok('echo verify >$M/.hekafs/control; printf heal >>$M/.hekafs/control');
		t.regex(await ok('echo nonsense 2>&1 >$M/.hekafs/control || true'), /Invalid argument/);
		await ok(
			'! setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "echo verify >$M/.hekafs/control" 2>/dev/null',
		);
		t.deepEqual((await stats()).words, ['verify', 'heal']);
	});
});
