/** Each ordinary file operation through the overlay, as programs see it, against the directory below. */
import test from 'ava';
import {endBackings, overGluster} from '../support/backings.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

/** Operation, script; the script's exit status is the verdict. `$M` is the mount, `$B` the backing. */
const CASES: readonly (readonly [string, string])[] = [
	[
		'write, read, append, truncate',
		`echo one >$M/f; echo two >>$M/f; test "$(cat $B/f)" = "one
two"; : >$M/f; test ! -s $B/f; truncate -s 1000 $M/f; test $(stat -c %s $M/f) = 1000`,
	],
	[
		'mkdir, rmdir, not empty',
		`mkdir $M/d; mkdir $M/d/e; ! rmdir $M/d 2>/dev/null; rmdir $M/d/e $M/d; test ! -e $B/d`,
	],
	['rename over a file', `echo a >$M/a; echo b >$M/b; mv $M/a $M/b; test "$(cat $M/b)" = a; test ! -e $M/a`],
	[
		'rename a directory with an open file',
		`mkdir $M/d; exec 5>$M/d/f; mv $M/d $M/e; echo x >&5; exec 5>&-; test "$(cat $M/e/f)" = x`,
	],
	[
		'symbolic links',
		`ln -s target $M/l; test "$(readlink $M/l)" = target; echo t >$M/target; test "$(cat $M/l)" = t; ln -s nowhere $M/dangling; ! cat $M/dangling 2>/dev/null; rm $M/l $M/dangling`,
	],
	[
		'hard links are one inode',
		`echo x >$M/a; ln $M/a $M/b; test $(stat -c %i $M/a) = $(stat -c %i $M/b); test $(stat -c %h $M/b) = 2; echo y >>$M/a; test "$(tail -1 $M/b)" = y; rm $M/a; test "$(tail -1 $M/b)" = y; test $(stat -c %h $M/b) = 1`,
	],
	[
		'inode numbers are those of the backing',
		`echo x >$M/a; test $(stat -c %i $M/a) = $(stat -c %i $B/a); mkdir $M/d; test $(stat -c %i $M/d) = $(stat -c %i $B/d); test $(stat -c %i $M) = $(stat -c %i $B)`,
	],
	['fifo', `mkfifo $M/p; test -p $B/p; (echo through >$M/p &) ; test "$(cat $M/p)" = through`],
	[
		'unix socket',
		`python3 -c "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" $M/s; test -S $B/s`,
	],
	[
		'nanosecond times',
		`touch -d '2001-02-03 04:05:06.123456789 UTC' $M/f; test "$(stat -c %y $B/f)" = "$(stat -c %y $M/f)"; stat -c %y $M/f | grep -q 123456789`,
	],
	[
		'one time stamp alone',
		`touch -d 2000-01-01 $M/f; touch -m -d 2011-01-01 $M/f; stat -c %x $M/f | grep -q ^2000; stat -c %y $M/f | grep -q ^2011`,
	],
	['times before 1970', `touch -d 1960-05-05 $M/f; stat -c %y $M/f | grep -q ^1960`],
	[
		'cp -p keeps times, modes',
		`echo x >$B/src; chmod 640 $B/src; touch -d '2003-03-03 03:03:03.5' $B/src; cp -p $B/src $M/dst; test "$(stat -c '%a %y' $B/src)" = "$(stat -c '%a %y' $M/dst)"`,
	],
	[
		'chmod, suid survives chown with mode',
		`echo x >$M/f; chmod 4755 $M/f; test $(stat -c %a $B/f) = 4755; chown 1000:1000 $M/f; test $(stat -c %u:%g $B/f) = 1000:1000`,
	],
	[
		'chown of a symbolic link',
		`ln -s x $M/l; chown -h 1234:5678 $M/l; test $(stat -c %u:%g $B/l) = 1234:5678`,
	],
	[
		'files belong to who makes them',
		`chmod 1777 $M; setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "umask 027; echo x >$M/f; mkdir $M/d; ln -s x $M/l; mkfifo $M/p"; for f in f d l p; do test $(stat -c %u:%g $B/$f) = 1000:1000; done; test $(stat -c %a $B/f) = 640; test $(stat -c %a $B/d) = 750`,
	],
	[
		'set-group-id directories pass on the group',
		`mkdir $M/d; chgrp 4242 $M/d; chmod 2777 $M/d; setpriv --reuid 1000 --regid 1000 --clear-groups sh -c "echo x >$M/d/f; mkdir $M/d/e"; test $(stat -c %g $B/d/f) = 4242; test $(stat -c %g $B/d/e) = 4242; test $(stat -c %a $B/d/e | cut -c1) = 2`,
	],
	[
		'a directory writable by a supplementary group',
		`mkdir $M/d; chgrp 4242 $M/d; chmod 770 $M/d; setpriv --reuid 1000 --regid 1000 --groups 7,4242,9 sh -c "echo x >$M/d/f; mkdir $M/d/e; rm $M/d/f"; test $(stat -c %u:%g $B/d/e) = 1000:1000`,
	],
	[
		"permissions are the caller's",
		`echo x >$M/f; chmod 600 $M/f; ! setpriv --reuid 1000 --regid 1000 --clear-groups cat $M/f 2>/dev/null; ! setpriv --reuid 1000 --regid 1000 --clear-groups touch $M/g 2>/dev/null; ! setpriv --reuid 1000 --regid 1000 --clear-groups rm -f $M/f 2>/dev/null; test -e $M/f`,
	],
	[
		'O_EXCL',
		`(set -C; echo 1 >$M/f); ! (set -C; echo 2 >$M/f) 2>/dev/null; test "$(cat $M/f)" = 1; echo 3 >$B/g; ! (set -C; echo 4 >$M/g) 2>/dev/null; test "$(cat $B/g)" = 3`,
	],
	[
		'O_APPEND from two sides',
		`: >$M/f; (for i in $(seq 200); do echo over >>$M/f; done) & (for i in $(seq 200); do echo under >>$B/f; done); wait; test $(wc -l <$B/f) = 400; test $(grep -cx over $B/f) = 200`,
	],
	[
		'creating what another node made meanwhile',
		`python3 - $M $B <<'PY'
import os,sys
m,b=sys.argv[1:]
try: os.stat(m+'/f')
except FileNotFoundError: pass
open(b+'/f','w').write('theirs')
fd=os.open(m+'/f',os.O_CREAT|os.O_RDWR,0o600)
assert os.read(fd,10)==b'theirs'
PY`,
	],
	[
		'unlinked open files',
		`python3 - $M <<'PY'
import os,sys
m=sys.argv[1]
fd=os.open(m+'/f',os.O_CREAT|os.O_RDWR,0o644)
os.write(fd,b'x'*100); os.unlink(m+'/f')
assert os.fstat(fd).st_nlink==0 and os.fstat(fd).st_size==100
os.ftruncate(fd,10)
assert os.fstat(fd).st_size==10
assert os.pread(fd,100,0)==b'x'*10
os.pwrite(fd,b'y',20); assert os.pread(fd,100,0)==b'x'*10+bytes(10)+b'y'; os.ftruncate(fd,10)
open(m+'/f','w').write('new')
assert os.fstat(fd).st_size==10 and os.stat(m+'/f').st_size==3
PY`,
	],
	[
		'a removed working directory',
		`mkdir $M/d; cd $M/d; rmdir $M/d; test $(stat -c %h .) = 0; ! touch f 2>/dev/null`,
	],
	[
		'extended attributes',
		`echo x >$M/f; setfattr -n user.a -v 1 $M/f; setfattr -n user.empty $M/f; test "$(getfattr --only-values -n user.a $B/f)" = 1; test $(getfattr -d $M/f | grep -c user.) = 2; setfattr -x user.a $M/f; ! getfattr -n user.a $M/f 2>/dev/null; mkdir $M/d; setfattr -n user.d -v 2 $M/d; getfattr -n user.d $B/d >/dev/null`,
	],
	[
		'backing attributes are out of reach',
		`echo x >$M/f; setfattr -n trusted.mine -v 1 $B/f; ! setfattr -n trusted.mine -v 2 $M/f 2>/dev/null; ! setfattr -x trusted.mine $M/f 2>/dev/null; ! getfattr -n trusted.mine $M/f 2>/dev/null; test "$(getfattr --only-values -n trusted.mine $B/f)" = 1; ! getfattr -d -m - $M/f | grep trusted`,
	],
	[
		'statfs',
		`test $(stat -f -c %S $M) = $(stat -f -c %S $B); test $(stat -f -c %b $M) = $(stat -f -c %b $B)`,
	],
	[
		'names with newlines and bytes that are no UTF-8',
		`n=$(printf 'a\\nb'); echo 1 >"$M/$n"; u=$(printf 'c\\351\\377'); echo 2 >"$M/$u"; test "$(cat "$B/$n")" = 1; test "$(cat "$B/$u")" = 2; mv "$M/$u" "$M/$u$u"; ls -b $M | grep -q '351.377c'; rm "$M/$n" "$M/$u$u"; test -z "$(ls $M)"`,
	],
	[
		'names of 255 bytes, not of 256',
		`n=$(printf %0255d 0); echo 1 >$M/$n; test "$(cat $B/$n)" = 1; ! echo 2 2>/dev/null >$M/0$n`,
	],
	[
		'deep paths',
		`p=$M; for i in $(seq 60); do p=$p/directory$i; done; mkdir -p $p; echo deep >$p/f; test "$(cat $p/f)" = deep; test $(find $M -type d | wc -l) = 61; rm -r $M/directory1`,
	],
	[
		'fallocate, holes, copy_file_range',
		`fallocate -l 65536 $M/f; test $(stat -c %s $B/f) = 65536; truncate -s 1M $M/g; echo end >>$M/g; cp --sparse=always $M/g $M/h; cmp $M/g $M/h; cp $M/g $M/i; cmp $B/g $B/i`,
	],
	[
		'large writes and reads',
		`head -c 20000000 /dev/urandom >$B/src; cp $B/src $M/f; cmp $B/src $M/f; cmp $M/f $B/f`,
	],
	[
		'mmap',
		`python3 - $M <<'PY'
import mmap,os,sys
fd=os.open(sys.argv[1]+'/f',os.O_CREAT|os.O_RDWR,0o644); os.ftruncate(fd,8192)
with mmap.mmap(fd,8192) as m:
    m[5000:5005]=b'hello'; m.flush()
assert os.pread(fd,5,5000)==b'hello'
PY
test "$(dd if=$B/f bs=1 skip=5000 count=5 2>/dev/null)" = hello`,
	],
	[
		'sed -i, tee, install',
		`printf 'a\\nb\\n' >$M/f; sed -i s/b/c/ $M/f; test "$(tail -1 $M/f)" = c; echo z | tee -a $M/f >/dev/null; install -m 600 -o 77 $M/f $M/g; test $(stat -c %a:%u $B/g) = 600:77`,
	],
	[
		'flock between processes and with the backing',
		`: >$M/l; exec 5>$M/l; flock -n 5; ! flock -n $M/l true; ! flock -n $B/l true; flock -u 5; flock -n $B/l true; (exec 6>$B/l; flock 6; sleep 0.5) & sleep 0.2; flock $M/l true; wait`,
	],
	[
		'POSIX locks between processes and with the backing',
		`: >$M/l; python3 - $M $B <<'PY'
import fcntl,os,sys,struct
m,b=sys.argv[1:]
f=open(m+'/l','r+')
fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB,10,0)
def other(path,start,length):
    pid=os.fork()
    if pid==0:
        try:
            g=open(path,'r+'); fcntl.lockf(g,fcntl.LOCK_EX|fcntl.LOCK_NB,length,start); os._exit(0)
        except OSError: os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid,0)[1])
assert other(m+'/l',5,1)==1 and other(b+'/l',5,1)==1
assert other(m+'/l',10,1)==0 and other(b+'/l',10,1)==0
fcntl.lockf(f,fcntl.LOCK_UN,5,0)
assert other(m+'/l',0,5)==0 and other(m+'/l',5,1)==1
h=open(m+'/l'); h.close()
assert other(b+'/l',5,1)==0, 'closing any descriptor ends the locks'
PY`,
	],
	[
		'sqlite',
		`sqlite3 $M/db 'create table t(a); insert into t values (1),(2);'; for i in 1 2 3 4; do (sqlite3 -cmd '.timeout 9000' $M/db "insert into t values ($i)") & done; wait; test $(sqlite3 $M/db 'select count(*) from t') = 6; test $(sqlite3 $B/db 'pragma integrity_check') = ok; sqlite3 $M/db 'pragma journal_mode=wal; insert into t values (9)' >/dev/null; test $(sqlite3 $M/db 'select count(*) from t') = 7`,
	],
	[
		'git',
		`cd $M; git init -q r; cd r; git config user.email a@b; git config user.name n; echo 1 >f; git add f; git commit -qm one; echo 2 >>f; git commit -qam two; git gc -q; git fsck --strict 2>&1; test $(git log --oneline | wc -l) = 2; git clone -q . ../clone; cmp f ../clone/f`,
	],
	[
		'tar',
		`mkdir -p $B/src/d; echo x >$B/src/d/f; ln -s d/f $B/src/l; ln $B/src/d/f $B/src/h; chown -R 55:66 $B/src/d; touch -d '2002-02-02 02:02:02.25' $B/src/d/f; tar -C $B/src -cf - --format=posix . | (mkdir $M/dst; tar -C $M/dst -xpf -); tar -C $M/dst --format=posix -df <(tar -C $B/src -cf - --format=posix .) /dev/null 2>/dev/null || true; test "$(cd $B/src; find . -printf '%p %m %u %g %y %l\\n' | sort)" = "$(cd $M/dst; find . -printf '%p %m %u %g %y %l\\n' | sort)"; test "$(stat -c %y $B/src/d/f)" = "$(stat -c %y $M/dst/d/f)"`,
	],
	[
		'find, grep -r, du',
		`mkdir -p $M/a/b/c; echo needle >$M/a/b/c/f; test $(grep -rl needle $M) = $M/a/b/c/f; find $M -name f -newer $B/nothing 2>/dev/null || true; test $(find $M -type f | wc -l) = 1; du -s $M >/dev/null; rm -r $M/a; test -z "$(ls -A $B)"`,
	],
	[
		'readdir while entries vanish, rewinddir, seekdir',
		`for i in $(seq 500); do : >$M/f$i; done; python3 - $M <<'PY'
import ctypes,os,sys
libc=ctypes.CDLL(None); m=sys.argv[1].encode()
libc.opendir.restype=ctypes.c_void_p; libc.readdir.restype=ctypes.c_void_p; libc.telldir.restype=ctypes.c_long
for f in ('readdir','telldir','rewinddir','closedir'): getattr(libc,f).argtypes=[ctypes.c_void_p]
libc.seekdir.argtypes=[ctypes.c_void_p,ctypes.c_long]
d=libc.opendir(m)
def name():
    e=libc.readdir(d)
    return ctypes.string_at(e+19) if e else None
first=[]
for i in range(250): first.append(name())
at=libc.telldir(d); after=name()
for n in first[:100]:
    if n not in (b'.',b'..'): os.unlink(m+b'/'+n)
rest=[after]
while (n:=name()): rest.append(n)
assert len(set(first)|set(rest))==502, len(set(first)|set(rest))
assert not set(first)&set(rest)
libc.seekdir(d,at); assert name()==after
libc.rewinddir(d); again=[]
while (n:=name()): again.append(n)
assert sorted(n.decode() for n in again)==sorted(os.listdir(m.decode())+['.','..'])
PY`,
	],
	[
		'sparse file ends and reads beyond the end',
		`printf abc >$M/f; test "$(tail -c +100 $M/f)" = ""; dd if=/dev/zero of=$M/f bs=1 count=1 seek=100000 conv=notrunc 2>/dev/null; test $(stat -c %s $M/f) = 100001`,
	],
	[
		'fsync of files and directories',
		`echo x >$M/f; sync $M/f; sync $M; python3 -c "import os,sys; fd=os.open(sys.argv[1],os.O_RDONLY); os.fsync(fd)" $M`,
	],
];

/** What GlusterFS does not do; there the answers are the bare mount's (answers.test.ts). */
const LOCAL_ONLY: typeof CASES = [
	[
		'rename flags',
		`python3 - $M <<'PY'
import ctypes,os,sys,errno
m=sys.argv[1]
libc=ctypes.CDLL(None,use_errno=True)
def renameat2(a,b,flags):
    return 0 if libc.renameat2(-100,(m+a).encode(),-100,(m+b).encode(),flags)==0 else ctypes.get_errno()
open(m+'/a','w').write('A'); open(m+'/b','w').write('B')
assert renameat2('/a','/b',1)==errno.EEXIST
assert renameat2('/a','/b',2)==0
assert open(m+'/a').read()=='B' and open(m+'/b').read()=='A'
assert renameat2('/a','/c',1)==0 and not os.path.exists(m+'/a')
PY`,
	],
	[
		'O_TMPFILE and its first name',
		`python3 - $M <<'PY'
import os,sys
m=sys.argv[1]
fd=os.open(m,os.O_TMPFILE|os.O_RDWR,0o600)
os.write(fd,b'tmp')
assert os.fstat(fd).st_nlink==0
import ctypes
assert ctypes.CDLL(None).linkat(-100,b'/proc/self/fd/%d'%fd,-100,(m+'/named').encode(),0x400)==0
assert open(m+'/named').read()=='tmp' and os.stat(m+'/named').st_ino==os.fstat(fd).st_ino
PY`,
	],
	[
		'attributes of unlinked open files',
		`python3 - $M <<'PY'
import os,sys
m=sys.argv[1]
fd=os.open(m+'/f',os.O_CREAT|os.O_RDWR,0o644)
os.write(fd,b'x'*100); os.unlink(m+'/f')
assert os.fstat(fd).st_nlink==0 and os.fstat(fd).st_size==100
os.ftruncate(fd,10); os.fchmod(fd,0o600); os.fchown(fd,12,34); os.utime(fd,ns=(1,2))
s=os.fstat(fd)
assert (s.st_size,s.st_mode&0o777,s.st_uid,s.st_gid,s.st_atime_ns,s.st_mtime_ns)==(10,0o600,12,34,1,2),s
assert os.pread(fd,100,0)==b'x'*10
open(m+'/f','w').write('new')
assert os.fstat(fd).st_size==10 and os.stat(m+'/f').st_size==3
PY`,
	],
];

endBackings();

for (const [operation, script] of [...CASES, ...LOCAL_ONLY])
	test.serial(`local: ${operation}`, async t => {
		await withOverlay(t, async ({ok}) => {
			await ok(script, 30_000);
			t.pass();
		});
	});

overGluster('all operations', async (t, {one}) => {
	await withOverlay(
		t,
		async ({ok}) => {
			for (const [n, [operation, script]] of CASES.entries()) {
				await ok(`mkdir $M/${n}; M=$M/${n} B=$B/${n}; ${script}`, 30_000);
				t.pass(operation);
			}
		},
		{backing: one},
	);
});
