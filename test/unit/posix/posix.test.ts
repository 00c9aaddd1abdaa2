/** The bindings against the real kernel, in a temporary directory, without root. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {
	fchmod,
	fstatfs,
	futimens,
	KEEP_ID,
	fchown,
	STATFS,
	STATFS_SIZE,
	utimensat,
} from '../../../src/posix/attributes.ts';
import {gettid, setfsuid} from '../../../src/posix/credentials.ts';
import {DIRENT64, DT, getdents64} from '../../../src/posix/dents.ts';
import {ERRNO, errnoName} from '../../../src/posix/errno.ts';
import {
	close,
	copyFileRange,
	fallocate,
	fdatasync,
	fsync,
	ftruncate,
	lseek,
	openat,
	pread,
	pwrite,
	read,
	write,
} from '../../../src/posix/files.ts';
import {getInodeFlags} from '../../../src/posix/inode-flags.ts';
import {AT, AT_FDCWD, cstring, EMPTY_PATH} from '../../../src/posix/libc.ts';
import {F, flock, LOCK, OFFSET_MAX, ofdGetLock, ofdSetLock} from '../../../src/posix/locks.ts';
import {umount2} from '../../../src/posix/mount.ts';
import {
	linkat,
	mkdirat,
	mknodat,
	readlinkat,
	RENAME,
	renameat2,
	symlinkat,
	unlinkat,
} from '../../../src/posix/names.ts';
import {O} from '../../../src/posix/open-flags.ts';
import {statx, STATX, STATX_SIZE} from '../../../src/posix/statx.ts';
import {
	fgetxattr,
	flistxattr,
	fremovexattr,
	fsetxattr,
	lgetxattr,
	setxattr,
} from '../../../src/posix/xattr.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'hekafs-posix-'));
const root = openat(AT_FDCWD, cstring(directory), O.PATH | O.DIRECTORY | O.CLOEXEC);
test.after.always(() => {
	close(root);
	fs.rmSync(directory, {recursive: true, force: true});
});
const create = (name: string, flags: number = O.RDWR): number =>
	openat(root, cstring(name), flags | O.CREAT | O.CLOEXEC, 0o644);

test('errors come back as negative errnos', t => {
	t.is(openat(root, cstring('absent'), O.RDONLY), -ERRNO.ENOENT);
	t.is(close(-1), -ERRNO.EBADF);
	t.is(mkdirat(root, cstring('..'), 0o755), -ERRNO.EEXIST);
	t.is(lseek(-1, 0, 0), BigInt(-ERRNO.EBADF));
	t.is(umount2(path.join(directory, 'absent')), process.getuid?.() === 0 ? -ERRNO.ENOENT : -ERRNO.EPERM);
	t.is(errnoName(-ERRNO.ENOENT), 'ENOENT');
	t.is(errnoName(4711), 'errno 4711');
});

test('the errno table is that of this machine', t => {
	const table: Record<string, number> = ERRNO;
	for (const [name, number] of Object.entries(os.constants.errno))
		if (name in table) t.is(table[name], number, name);
});

test('reads and writes at offsets, also through a view in the middle of a buffer', t => {
	const fd = create('data');
	const memory = Buffer.from('--hello--');
	t.is(pwrite(fd, memory.subarray(2, 7), 10n), 5);
	t.is(write(fd, Buffer.from('start')), 5);
	const into = Buffer.alloc(32);
	t.is(pread(fd, into, 0), 15);
	t.is(into.toString('latin1', 0, 15), 'start\0\0\0\0\0hello');
	t.is(lseek(fd, 1, 0), 1n);
	t.is(read(fd, into, 4), 4);
	t.is(into.toString('latin1', 0, 4), 'tart');
	t.is(ftruncate(fd, 3n), 0);
	t.is(pread(fd, into, 3), 0);
	t.is(fsync(fd), 0);
	t.is(fdatasync(fd), 0);
	t.is(fallocate(fd, 0, 0, 4096), 0);
	t.is(lseek(fd, 0, 2), 4096n);
	t.is(lseek(fd, 1n << 40n, 0), 1n << 40n);
	const copy = create('copy');
	const copied = copyFileRange(fd, 0n, copy, 2n, 3);
	t.true(copied === 3 || copied === -ERRNO.EXDEV || copied === -ERRNO.EOPNOTSUPP);
	if (copied === 3) t.is(fs.readFileSync(path.join(directory, 'copy'), 'latin1'), '\0\0sta');
	t.is(close(copy), 0);
	t.is(close(fd), 0);
});

test('names are bytes, and a name may be a view with the NUL right behind it', t => {
	const name = Buffer.from([0xff, 0xfe, 0x41]);
	close(openat(root, cstring(name), O.CREAT | O.WRONLY, 0o600));
	t.true(fs.existsSync(Buffer.concat([Buffer.from(`${directory}/`), name])));
	const message = Buffer.from('xxview\0rest\0');
	t.is(mkdirat(root, message.subarray(2, 6), 0o700), 0);
	t.true(fs.statSync(path.join(directory, 'view')).isDirectory());
	t.is(unlinkat(root, message.subarray(2, 6), AT.REMOVEDIR), 0);
});

test('makes links, renames with flags, makes nodes', t => {
	close(create('a'));
	close(create('b'));
	t.is(symlinkat(cstring('to/where'), root, cstring('sym')), 0);
	const into = Buffer.alloc(64);
	t.is(readlinkat(root, cstring('sym'), into), 8);
	t.is(into.toString('latin1', 0, 8), 'to/where');
	const sym = openat(root, cstring('sym'), O.PATH | O.NOFOLLOW);
	t.is(readlinkat(sym, EMPTY_PATH, into), 8);
	close(sym);
	t.is(linkat(root, cstring('a'), root, cstring('a2')), 0);
	t.is(fs.statSync(path.join(directory, 'a')).nlink, 2);
	t.is(renameat2(root, cstring('a'), root, cstring('b'), RENAME.NOREPLACE), -ERRNO.EEXIST);
	t.is(renameat2(root, cstring('a'), root, cstring('c')), 0);
	t.is(mknodat(root, cstring('fifo'), fs.constants.S_IFIFO | 0o600, 0), 0);
	t.true(fs.lstatSync(path.join(directory, 'fifo')).isFIFO());
	t.is(unlinkat(root, cstring('fifo')), 0);
});

test('statx, times with nanoseconds and OMIT, modes, owners', t => {
	const fd = create('times');
	t.is(futimens(fd, {sec: -5n, nsec: 123456789}, {sec: 1n << 33n, nsec: 987654321}), 0);
	t.is(utimensat(root, cstring('times'), 'omit', 'omit', 0), 0);
	const stat = Buffer.alloc(STATX_SIZE);
	t.is(statx(root, cstring('times'), AT.SYMLINK_NOFOLLOW, stat), 0);
	t.is(stat.readBigInt64LE(STATX.atimeSec), -5n);
	t.is(stat.readUInt32LE(STATX.atimeNsec), 123456789);
	t.is(stat.readBigInt64LE(STATX.mtimeSec), 1n << 33n);
	t.is(stat.readUInt32LE(STATX.mtimeNsec), 987654321);
	t.is(futimens(fd, 'omit', 'now'), 0);
	t.is(fchmod(fd, 0o4751), 0);
	t.is(fchown(fd, KEEP_ID, KEEP_ID), 0);
	t.is(statx(fd, EMPTY_PATH, AT.EMPTY_PATH, stat), 0);
	t.is(stat.readBigInt64LE(STATX.atimeSec), -5n);
	const real = fs.statSync(path.join(directory, 'times'), {bigint: true});
	t.is(stat.readBigUInt64LE(STATX.ino), real.ino);
	t.is(BigInt(stat.readUInt16LE(STATX.mode)), real.mode);
	t.true(Math.abs(Number(stat.readBigInt64LE(STATX.mtimeSec)) - Date.now() / 1000) < 60);
	close(fd);
});

test('fstatfs agrees with node', t => {
	const into = Buffer.alloc(STATFS_SIZE);
	t.is(fstatfs(root, into), 0);
	const real = fs.statfsSync(directory, {bigint: true});
	t.is(into.readBigInt64LE(STATFS.bsize), real.bsize);
	t.is(into.readBigInt64LE(STATFS.blocks), real.blocks);
	t.is(into.readBigInt64LE(STATFS.namelen), 255n);
});

test('user xattrs, where the filesystem has them', t => {
	const fd = create('xattr');
	const set = fsetxattr(fd, cstring('user.k'), Buffer.from([0, 1, 255]));
	if (set === -ERRNO.EOPNOTSUPP) {
		t.log('no user xattrs in the temporary directory');
		t.pass();
		return;
	}
	t.is(set, 0);
	const file = cstring(path.join(directory, 'xattr'));
	const into = Buffer.alloc(64);
	t.is(fgetxattr(fd, cstring('user.k'), into), 3);
	t.deepEqual([...into.subarray(0, 3)], [0, 1, 255]);
	t.is(lgetxattr(file, cstring('user.k'), Buffer.alloc(0)), 3);
	t.is(lgetxattr(file, cstring('user.k'), Buffer.alloc(2)), -ERRNO.ERANGE);
	t.is(setxattr(file, cstring('user.empty'), Buffer.alloc(0)), 0);
	const length = flistxattr(fd, into);
	t.true(into.toString('latin1', 0, length).includes('user.k\0'));
	t.is(fremovexattr(fd, cstring('user.k')), 0);
	t.is(fgetxattr(fd, cstring('user.k'), into), -ERRNO.ENODATA);
	close(fd);
});

test('flock and OFD locks between two descriptors of one file', t => {
	const one = create('locks');
	const two = create('locks');
	t.is(flock(one, LOCK.EX | LOCK.NB), 0);
	t.is(flock(two, LOCK.EX | LOCK.NB), -ERRNO.EAGAIN);
	t.is(flock(one, LOCK.UN), 0);
	t.is(ofdSetLock(one, F.WRLCK, 10n, 19n), 0);
	t.is(ofdSetLock(two, F.WRLCK, 0n, OFFSET_MAX), -ERRNO.EAGAIN);
	t.is(ofdSetLock(two, F.WRLCK, 20n, OFFSET_MAX), 0);
	t.deepEqual(ofdGetLock(two, F.RDLCK, 0n, 15n), {type: F.WRLCK, start: 10n, end: 19n, pid: -1});
	const free = ofdGetLock(two, F.RDLCK, 0n, 5n);
	t.is(typeof free === 'number' ? free : free.type, F.UNLCK);
	close(one);
	close(two);
});

test('getdents64 lists every entry with its type', t => {
	fs.mkdirSync(path.join(directory, 'list'));
	fs.writeFileSync(path.join(directory, 'list/file'), '');
	fs.mkdirSync(path.join(directory, 'list/dir'));
	const fd = openat(root, cstring('list'), O.RDONLY | O.DIRECTORY);
	const into = Buffer.alloc(4096);
	const length = getdents64(fd, into);
	const found = new Map<string, number>();
	for (let at = 0; at < length; at += into.readUInt16LE(at + DIRENT64.recordLength)) {
		const name = at + DIRENT64.name;
		found.set(into.toString('utf8', name, into.indexOf(0, name)), into[at + DIRENT64.type]!);
	}
	t.deepEqual([...found.keys()].sort(), ['.', '..', 'dir', 'file']);
	t.is(found.get('dir'), DT.DIR);
	t.is(found.get('file'), DT.REG);
	t.is(getdents64(fd, into), 0);
	close(fd);
});

test('thread id, filesystem uid and inode flags can be asked for', t => {
	t.true(gettid() > 0);
	t.is(setfsuid(0xffffffff), process.getuid?.() ?? -1);
	const fd = create('flags');
	const flags = getInodeFlags(fd);
	t.true(flags >= 0 || flags === -ERRNO.ENOTTY || flags === -ERRNO.EOPNOTSUPP, errnoName(flags));
	close(fd);
});
