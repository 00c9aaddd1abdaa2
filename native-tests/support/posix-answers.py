"""Does each thing of the table in a directory of its own and prints what came of it, one JSON object: {name: answer}.

Run in two filesystems the two outputs can be compared: an answer is a value or the name of an errno, and nothing in it
depends on the time, the inode number or the name of the directory. Needs root; takes the directory as its argument.
"""
import ctypes, errno, fcntl, json, mmap, os, signal, socket, stat, struct, sys, time

LIBC = ctypes.CDLL(None, use_errno=True)
USER, GROUP, OTHER, MEMBER = 4101, 4201, 4102, 4202
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
CASES = {}


def case(function):
    CASES[function.__name__.replace('_', ' ')] = function
    return function


def attempt(call, *args, **options):
    """What the call returns, or the name of its errno."""
    try:
        return call(*args, **options)
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)


def soon(call):
    """
    What the call answers once it is not EAGAIN any more, or EAGAIN after two seconds. For locks that ended with a
    descriptor: FUSE tells the filesystem of the last close by RELEASE, which close(2) does not wait for.
    """
    end = time.monotonic() + 2
    while (answer := call()) == 'EAGAIN' and time.monotonic() < end:
        time.sleep(0.005)
    return answer


def libc(name, *args):
    result = getattr(LIBC, name)(*args)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def mode(path='f'):
    return oct(stat.S_IMODE(os.lstat(path).st_mode))


def make(path='f', content=b'content', bits=0o644, owner=(0, 0)):
    with open(path, 'wb') as file:
        file.write(content)
    os.chown(path, *owner)
    os.chmod(path, bits)
    return path


def read(path='f'):
    with open(path, 'rb') as file:
        return file.read().decode('latin1')


def as_user(function, uid=USER, gid=GROUP, groups=(), umask=0o022):
    """Runs the function in a child with that identity; gives its answer."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            os.umask(umask)
            answer = attempt(function)
        except BaseException as error:
            answer = repr(error)
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, 'rb') as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def with_fd(path, flags, function, bits=0o644):
    fd = os.open(path, flags, bits)
    try:
        return function(fd)
    finally:
        os.close(fd)


def fallocate(fd, how, offset, length):
    return libc('fallocate', fd, how, ctypes.c_int64(offset), ctypes.c_int64(length))


def rename(old, new, flags):
    return libc('renameat2', -100, old.encode(), -100, new.encode(), flags)


def utimens(path, atime, mtime):
    times = (ctypes.c_long * 4)(*atime, *mtime)
    return libc('utimensat', -100, path.encode(), times, 0)


def mapped_write(path):
    def run(fd):
        with mmap.mmap(fd, 4096) as memory:
            memory[0:1] = b'x'
            memory.flush()
    return with_fd(path, os.O_RDWR, run)


def direct(path, flags, function):
    def run(fd):
        with mmap.mmap(-1, 4096) as memory:
            return function(fd, memory)
    return with_fd(path, flags | os.O_DIRECT, run)


def copy_into(path):
    with open('source', 'rb') as source:
        return with_fd(path, os.O_WRONLY, lambda fd: os.copy_file_range(source.fileno(), fd, 4))


# Set-id bits: a change of the content by somebody without CAP_FSETID takes them away.

CHANGES = {
    'nothing': lambda: None,
    'write': lambda: with_fd('f', os.O_WRONLY, lambda fd: os.write(fd, b'x')),
    'pwrite': lambda: with_fd('f', os.O_RDWR, lambda fd: os.pwrite(fd, b'x', 3)),
    'append': lambda: with_fd('f', os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, b'x')),
    'direct': lambda: direct('f', os.O_WRONLY, os.write),
    'open truncating': lambda: with_fd('f', os.O_WRONLY | os.O_TRUNC, lambda fd: 0),
    'truncate': lambda: os.truncate('f', 2),
    'ftruncate': lambda: with_fd('f', os.O_WRONLY, lambda fd: os.ftruncate(fd, 2)),
    'fallocate': lambda: with_fd('f', os.O_WRONLY, lambda fd: fallocate(fd, 0, 0, 9000)),
    'punch': lambda: with_fd('f', os.O_WRONLY, lambda fd: fallocate(fd, KEEP_SIZE | PUNCH_HOLE, 0, 3)),
    'copy_file_range': lambda: copy_into('f'),
    'writev': lambda: with_fd('f', os.O_WRONLY, lambda fd: os.writev(fd, [b'x', b'y'])),
    'opened before': None,
}


def set_id_case(name, change, bits, who):
    def run():
        make('source')
        make('f', b'c' * 5000, bits, (OTHER, GROUP))
        if change is None:
            fd = os.open('f', os.O_WRONLY)
            os.chmod('f', bits)
            answer = attempt(who, lambda: os.write(fd, b'x'))
            os.close(fd)
        else:
            answer = who(change)
        return [answer, mode(), os.stat('f').st_size]
    CASES[f'set-id bits {oct(bits)} after {name} by {who.__name__}'] = run


def root(function):
    return attempt(function)


def a_user(function):
    return as_user(function)


for change_name, change_call in CHANGES.items():
    for set_id_bits in (0o6777, 0o2666, 0o4766):
        for who in (root, a_user):
            set_id_case(change_name, change_call, set_id_bits, who)


@case
def chown_and_set_id_bits():
    answers = []
    for bits in (0o6755, 0o2644, 0o4644, 0o6711):
        for target in ((USER, -1), (-1, GROUP), (0, 0), (-1, -1)):
            make('f', bits=bits)
            os.chown('f', *target)
            answers.append(mode())
    os.mkdir('d')
    os.chmod('d', 0o6755)
    os.chown('d', USER, GROUP)
    return answers + [mode('d')]


@case
def change_of_group_by_the_owner():
    make('f', bits=0o6755, owner=(USER, GROUP))
    answers = [as_user(lambda: os.chown('f', -1, MEMBER)), mode()]
    answers += [as_user(lambda: os.chown('f', -1, MEMBER), groups=(MEMBER,)), mode()]
    return answers + [as_user(lambda: os.chown('f', OTHER, -1)), os.stat('f').st_gid]


@case
def chmod_with_set_group_id_by_members_and_others():
    answers = []
    for groups in ((), (MEMBER,)):
        make('f', owner=(USER, MEMBER))
        answers += [as_user(lambda: os.chmod('f', 0o2755), groups=groups), mode()]
        os.makedirs('d', exist_ok=True)
        os.chown('d', USER, MEMBER)
        answers += [as_user(lambda: os.chmod('d', 0o2755), groups=groups), mode('d')]
    return answers + [as_user(lambda: os.chmod('f', 0o600), uid=OTHER), mode()]


def make_all(bits=0o6777):
    os.close(os.open('file', os.O_CREAT | os.O_WRONLY, bits))
    os.mkdir('directory', bits)
    os.mkfifo('fifo', bits)
    os.symlink('x', 'link')
    socket.socket(socket.AF_UNIX).bind('socket')
    fd = os.open('.', os.O_TMPFILE | os.O_RDWR, bits)
    libc('linkat', -100, b'/proc/self/fd/%d' % fd, -100, b'tmpfile', 0x400)


def made():
    return {name: [mode(name), os.lstat(name).st_uid, os.lstat(name).st_gid] for name in sorted(os.listdir('.'))}


def making_case(name, prepare, **identity):
    def run():
        os.chmod('.', 0o777)
        prepare()
        return [as_user(make_all, **identity), made()]
    CASES[f'making files {name}'] = run


for umask_bits in (0, 0o022, 0o027, 0o777):
    making_case(f'with umask {oct(umask_bits)}', lambda: None, umask=umask_bits)
    making_case(f'as root with umask {oct(umask_bits)}', lambda: None, umask=umask_bits, uid=0, gid=0)
making_case('in a set-group-id directory of a foreign group', lambda: (os.chown('.', 0, MEMBER), os.chmod('.', 0o2777)))
making_case('in a set-group-id directory of an own group', lambda: (os.chown('.', 0, MEMBER), os.chmod('.', 0o2777)), groups=(7, MEMBER, 9))
making_case('in a directory that only a supplementary group may write', lambda: (os.chown('.', 0, MEMBER), os.chmod('.', 0o770)), groups=(7, MEMBER, 9))
making_case('in a set-group-id directory that only a supplementary group may write', lambda: (os.chown('.', 0, MEMBER), os.chmod('.', 0o2770)), groups=(7, MEMBER, 9))
making_case('in a directory of others', lambda: os.chmod('.', 0o755))
making_case('as user with root as group', lambda: None, gid=0)
making_case('as root with a foreign group', lambda: None, uid=0)


@case
def a_file_that_only_a_supplementary_group_may_use():
    make('f', bits=0o060, owner=(0, MEMBER))
    answers = [as_user(read, groups=groups) for groups in ((), (1, MEMBER), tuple(range(9000, 9030)) + (MEMBER,))]
    return answers + [as_user(lambda: with_fd('f', os.O_CREAT | os.O_RDWR, lambda fd: os.write(fd, b'y')), groups=(MEMBER,))]


@case
def permissions_of_every_kind():
    answers = []
    for bits in (0o000, 0o100, 0o400, 0o200, 0o040, 0o004, 0o070, 0o007, 0o700):
        make('f', bits=bits, owner=(USER, GROUP))
        for uid, gid in ((USER, GROUP), (OTHER, GROUP), (OTHER, 99)):
            answers.append(as_user(lambda: [attempt(os.access, 'f', how) for how in (4, 2, 1)], uid, gid))
            answers.append(as_user(lambda: [attempt(with_fd, 'f', how, lambda fd: 0) for how in (0, 1, 2)], uid, gid))
    return answers


@case
def sticky_directories():
    os.mkdir('d')
    os.chmod('d', 0o1777)
    for name in 'abcd':
        make(f'd/{name}', owner=(OTHER, GROUP))
    answers = [as_user(lambda: os.unlink('d/a')), as_user(lambda: os.rename('d/b', 'd/x'))]
    answers += [as_user(lambda: os.rename('d/a', 'd/b')), as_user(lambda: os.unlink('d/c'), uid=OTHER)]
    os.chown('d', USER, GROUP)
    return answers + [as_user(lambda: os.unlink('d/d')), sorted(os.listdir('d'))]


@case
def times():
    def stamps():
        status = os.stat('f')
        return [status.st_atime_ns, status.st_mtime_ns]

    make('f', owner=(USER, GROUP), bits=0o666)
    answers = []
    for atime, mtime in (((1, 123456789), (2, 987654321)), ((5, 0), (0, UTIME_OMIT)), ((0, UTIME_OMIT), (7, 7)),
                         ((0, UTIME_OMIT), (0, UTIME_OMIT)), ((-1, 5), (-100000, 999999999)),
                         ((1 << 33, 1), (1 << 33, 2)), ((1 << 40, 0), (1 << 40, 0)), ((0, 1000000000), (0, 0))):
        answers += [attempt(utimens, 'f', atime, mtime), stamps()]
    utimens('f', (1, 0), (0, UTIME_NOW))
    answers += [stamps()[0], stamps()[1] > 10**18]
    utimens('f', (1, 0), (1, 0))
    answers += [as_user(lambda: utimens('f', (0, UTIME_NOW), (0, UTIME_NOW)), uid=OTHER), stamps()[0] > 10**18]
    answers += [as_user(lambda: utimens('f', (3, 0), (3, 0)), uid=OTHER)]
    answers += [as_user(lambda: utimens('f', (0, UTIME_NOW), (0, UTIME_OMIT)), uid=OTHER)]
    return answers + [as_user(lambda: utimens('f', (3, 3), (3, 3))), stamps()]


@case
def what_changes_the_times():
    import time
    make('f')
    os.mkdir('d')
    answers = {}

    def check(name, function, *paths):
        before = [(os.lstat(path).st_mtime_ns, os.lstat(path).st_ctime_ns) for path in paths]
        time.sleep(0.011)
        function()
        after = [(os.lstat(path).st_mtime_ns, os.lstat(path).st_ctime_ns) for path in paths]
        answers[name] = [[a > b for a, b in zip(new, old)] for new, old in zip(after, before)]

    check('chmod', lambda: os.chmod('f', 0o600), 'f', '.')
    check('write', lambda: with_fd('f', os.O_WRONLY, lambda fd: os.write(fd, b'x')), 'f', '.')
    check('link', lambda: os.link('f', 'd/g'), 'f', 'd', '.')
    check('rename', lambda: os.rename('d/g', 'd/h'), 'f', 'd')
    check('unlink', lambda: os.unlink('d/h'), 'f', 'd', '.')
    check('create', lambda: make('d/n'), 'd', '.')
    check('overwrite', lambda: os.rename('d/n', 'f'), 'd', 'f', '.')
    check('setxattr', lambda: os.setxattr('f', 'user.a', b'1'), 'f')
    check('truncate to the same size', lambda: os.truncate('f', os.stat('f').st_size), 'f')
    check('read', lambda: read(), 'f')
    return answers


@case
def link_counts_and_sizes_at_once():
    answers = [os.stat('.').st_nlink]
    os.mkdir('d')
    os.mkdir('d/e')
    make('f')
    os.link('f', 'd/f')
    answers += [os.stat('.').st_nlink, os.stat('d').st_nlink, os.stat('f').st_nlink, os.stat('d/f').st_nlink]
    answers += [os.stat('f').st_ino == os.stat('d/f').st_ino, os.path.samefile('f', 'd/f')]
    os.rename('d/e', 'e')
    os.unlink('f')
    return answers + [os.stat('.').st_nlink, os.stat('d').st_nlink, os.stat('d/f').st_nlink]


@case
def links_that_are_refused():
    os.mkdir('d')
    make('f')
    os.symlink('f', 'l')
    answers = [attempt(os.link, 'd', 'x'), attempt(os.link, 'nothing', 'x'), attempt(os.link, 'f', 'd')]
    answers += [attempt(os.link, 'l', 'l2', follow_symlinks=False), os.readlink('l2'), attempt(os.link, 'f', 'l')]
    fd = os.open('f', os.O_RDONLY)
    os.unlink('f')
    return answers + [attempt(libc, 'linkat', -100, b'/proc/self/fd/%d' % fd, -100, b'again', 0x400)]


@case
def renames():
    answers = []
    for old, new, flags in (('f', 'g', NOREPLACE), ('f', 'g', EXCHANGE), ('f', 'd', EXCHANGE), ('f', 'x', EXCHANGE),
                            ('f', 'g', WHITEOUT), ('f', 'x', WHITEOUT | NOREPLACE), ('f', 'g', NOREPLACE | EXCHANGE),
                            ('f', 'g', WHITEOUT | EXCHANGE), ('f', 'g', 8), ('f', 'f', 0), ('f', 'f', NOREPLACE),
                            ('d', 'd/e/x', 0), ('d', 'd/e', EXCHANGE), ('d', 'f', 0), ('f', 'd', 0), ('o', 'd', 0),
                            ('d', 'o', 0), ('hard', 'f', 0), ('l', 'f', 0), ('x', 'f', 0), ('d/e', 'f', EXCHANGE)):
        os.makedirs('d/e')
        os.mkdir('o')
        make('f', b'F')
        make('g', b'G')
        os.symlink('g', 'l')
        os.link('f', 'hard')
        answers.append([old, new, flags, attempt(rename, old, new, flags)])
        # The whiteout is a device.
        answers.append({name: read(name) if stat.S_ISREG(os.lstat(name).st_mode) else oct(os.lstat(name).st_mode)
                        for name in sorted(os.listdir('.')) + (['d/e'] if os.path.lexists('d/e') else [])})
        os.system('rm -rf d o f g l hard x')
    return answers


@case
def opens():
    make('f')
    os.mkdir('d')
    os.symlink('f', 'l')
    os.symlink('nowhere', 'dangling')
    os.symlink('loop', 'loop')
    os.mkfifo('p')
    answers = []
    for path, flags in (('f', os.O_CREAT | os.O_EXCL), ('l', os.O_CREAT | os.O_EXCL), ('dangling', os.O_CREAT | os.O_EXCL),
                        ('dangling', os.O_RDONLY), ('l', os.O_NOFOLLOW), ('l', os.O_PATH | os.O_NOFOLLOW),
                        ('f', os.O_DIRECTORY), ('d', os.O_WRONLY), ('d', os.O_CREAT), ('d', os.O_RDONLY | os.O_TRUNC),
                        ('loop', 0), ('f/x', 0), ('x', 0), ('d/', os.O_CREAT), ('f/', 0), ('x/', os.O_CREAT | os.O_WRONLY),
                        ('f', os.O_DIRECTORY | os.O_CREAT), ('n' * 256, os.O_CREAT), ('n' * 255, os.O_CREAT),
                        ('p', os.O_WRONLY | os.O_NONBLOCK), ('f', os.O_RDONLY | os.O_NOATIME), ('', 0),
                        ('dangling', os.O_CREAT | os.O_WRONLY), ('f', 3), ('f', os.O_RDONLY | os.O_TRUNC)):
        answers.append([path[:20], flags, attempt(with_fd, path, flags, lambda fd: 'opened')])
    answers.append([os.path.exists('nowhere'), os.stat('f').st_size])
    return answers + [as_user(lambda: with_fd('f', os.O_NOATIME, lambda fd: 0))]


@case
def tmpfiles():
    fd = attempt(os.open, '.', os.O_TMPFILE | os.O_RDWR, 0o640)
    if not isinstance(fd, int):
        return fd
    os.write(fd, b'text')
    status = os.fstat(fd)
    answers = [status.st_nlink, status.st_size, oct(status.st_mode), os.listdir('.')]
    answers += [attempt(libc, 'linkat', fd, b'', -100, b'named', 0x1000), os.fstat(fd).st_nlink, read('named')]
    exclusive = os.open('.', os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600)
    answers += [attempt(libc, 'linkat', -100, b'/proc/self/fd/%d' % exclusive, -100, b'never', 0x400)]
    return answers + [attempt(os.open, '.', os.O_TMPFILE | os.O_RDONLY), attempt(os.open, 'named', os.O_TMPFILE | os.O_RDWR)]


@case
def holes():
    fd = os.open('f', os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, 1 << 20)
    os.pwrite(fd, b'x' * 4096, 1 << 18)
    os.fsync(fd)
    answers = [[attempt(os.lseek, fd, at, how) for how in (os.SEEK_DATA, os.SEEK_HOLE)]
               for at in (0, 1 << 17, 1 << 18, (1 << 18) + 100, (1 << 18) + 4096, (1 << 20) - 1, 1 << 20, 1 << 40)]
    answers.append(attempt(os.lseek, fd, -1, os.SEEK_DATA))
    return answers + [os.fstat(fd).st_blocks, os.lseek(fd, 0, os.SEEK_END), attempt(os.lseek, fd, -5, os.SEEK_SET)]


@case
def fallocates():
    fd = os.open('f', os.O_CREAT | os.O_RDWR)
    os.write(fd, b'x' * 20000)
    answers = []
    for how, offset, length in ((0, 0, 30000), (KEEP_SIZE, 0, 90000), (KEEP_SIZE | PUNCH_HOLE, 4096, 8192),
                                (PUNCH_HOLE, 0, 10), (0, 0, 0), (0, -1, 10), (0, 1 << 62, 1 << 62)):
        # Not st_blocks: how many blocks ext4 takes for the same request depends on what is free.
        answers.append([how, attempt(fallocate, fd, how, offset, length), os.fstat(fd).st_size])
    data = os.pread(fd, 40000, 0)
    readable = os.open('f', os.O_RDONLY)
    return answers + [len(data), data.count(b'x'), attempt(fallocate, readable, 0, 0, 10)]


@case
def zeroed_ranges():
    fd = os.open('f', os.O_CREAT | os.O_RDWR)
    os.write(fd, b'x' * 20000)
    answers = []
    for how, offset, length in ((ZERO_RANGE, 100, 200), (ZERO_RANGE | KEEP_SIZE, 15000, 200000), (ZERO_RANGE, 10000, 20000)):
        done = attempt(fallocate, fd, how, offset, length)
        answers.append([how, done, os.fstat(fd).st_size, os.pread(fd, 40000, 0).count(b'x')])
    return answers


@case
def copy_file_ranges():
    make('a', bytes(range(256)) * 400)
    source = os.open('a', os.O_RDWR)
    target = os.open('b', os.O_CREAT | os.O_RDWR)
    answers = [attempt(os.copy_file_range, source, target, 100000, 0, 0), attempt(os.copy_file_range, source, target, 10, 102400, 5)]
    answers += [attempt(os.copy_file_range, source, target, 5000, 100, 200000), os.fstat(target).st_size]
    answers += [attempt(os.copy_file_range, source, source, 10, 0, 200), attempt(os.copy_file_range, source, source, 100, 0, 50)]
    append = os.open('b', os.O_WRONLY | os.O_APPEND)
    readonly = os.open('b', os.O_RDONLY)
    answers += [attempt(os.copy_file_range, source, append, 10, 0, 0), attempt(os.copy_file_range, source, readonly, 10, 0, 0)]
    import hashlib
    return answers + [hashlib.md5(os.pread(target, 1 << 20, 0)).hexdigest(), hashlib.md5(os.pread(source, 1 << 20, 0)).hexdigest()]


@case
def shared_memory_maps():
    fd = os.open('f', os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, 10000)
    second = os.open('f', os.O_RDWR)
    with mmap.mmap(fd, 10000) as one, mmap.mmap(second, 10000) as two:
        one[5000:5005] = b'hello'
        answers = [two[5000:5005].decode(), os.pread(second, 5, 5000).decode()]
        os.pwrite(second, b'world', 9000)
        answers += [one[9000:9005].decode()]
        append = os.open('f', os.O_WRONLY | os.O_APPEND)
        os.write(append, b'end')
        answers += [os.fstat(fd).st_size, os.pread(fd, 10, 10000).decode()]
        one.flush()
        os.unlink('f')
        one[0:3] = b'aft'
        answers += [os.pread(second, 3, 0).decode()]
    answers += [attempt(lambda: mmap.mmap(os.open('.', os.O_RDONLY), 4096) and 0)]
    make('g', b'g' * 5000)
    readable = os.open('g', os.O_RDONLY)
    answers += [attempt(lambda: mmap.mmap(readable, 5000) and 0)]
    def private(handle):
        with mmap.mmap(handle, 5000, mmap.MAP_PRIVATE) as memory:
            memory[0:1] = b'p'
            return [memory[0:2].decode(), read('g')[:2]]
    return answers + [private(readable)]


@case
def direct_io():
    make('f', b'a' * 8192)
    def run(fd, memory):
        memory[:] = b'd' * 4096
        answers = [attempt(os.pwrite, fd, memory, 4096), attempt(os.preadv, fd, [memory], 0), memory[:2].decode()]
        return answers + [os.fstat(fd).st_size]
    answers = direct('f', os.O_RDWR, run)
    answers += [read('f')[4090:4100]]
    def mapped(fd, _memory):
        with mmap.mmap(fd, 8192) as memory:
            memory[0:2] = b'MM'
            return memory[0:3].decode()
    return answers + [attempt(direct, 'f', os.O_RDWR, mapped), read('f')[:3]]


@case
def appending_and_other_handles():
    make('f', b'0123456789')
    reader = os.open('f', os.O_RDWR)
    answers = [os.read(reader, 4).decode()]
    append = os.open('f', os.O_RDWR | os.O_APPEND)
    os.write(append, b'abc')
    answers += [os.pread(reader, 20, 0).decode(), os.fstat(reader).st_size, os.lseek(append, 0, os.SEEK_CUR)]
    os.pwrite(append, b'X', 0)
    answers += [os.pread(reader, 20, 0).decode()]
    os.pwrite(reader, b'YY', 2)
    answers += [os.pread(append, 20, 0).decode()]
    os.ftruncate(append, 5)
    os.write(append, b'!')
    flags = fcntl.fcntl(reader, fcntl.F_GETFL)
    fcntl.fcntl(reader, fcntl.F_SETFL, flags | os.O_APPEND)
    os.lseek(reader, 0, os.SEEK_SET)
    os.write(reader, b'late')
    answers += [read('f')]
    fcntl.fcntl(append, fcntl.F_SETFL, fcntl.fcntl(append, fcntl.F_GETFL) & ~os.O_APPEND)
    os.pwrite(append, b'#', 0)
    answers += [read('f')]
    mapped = os.open('f', os.O_RDWR | os.O_APPEND)
    with mmap.mmap(mapped, 3) as memory:
        memory[0:3] = b'map'
        memory.flush()
        os.write(mapped, b'end')
    return answers + [read('f')]


@case
def unlinked_open_files():
    fd = os.open('f', os.O_CREAT | os.O_RDWR, 0o644)
    os.write(fd, b'x' * 100)
    os.unlink('f')
    answers = [os.fstat(fd).st_nlink, os.fstat(fd).st_size, os.listdir('.')]
    os.ftruncate(fd, 10)
    fallocate(fd, 0, 0, 50)
    answers += [os.fstat(fd).st_size, os.pread(fd, 5, 0).decode(), os.pwrite(fd, b'y', 60), os.fstat(fd).st_size, attempt(os.fsync, fd)]
    # Of these GlusterFS does some.
    answers += [attempt(os.fchmod, fd, 0o4600), attempt(os.fchown, fd, 12, 34), attempt(os.utime, fd, ns=(1, 2))]
    answers += [attempt(os.setxattr, fd, 'user.a', b'1'), attempt(os.getxattr, fd, 'user.a') == b'1']
    status = os.fstat(fd)
    answers += [oct(status.st_mode), status.st_uid, status.st_gid]
    again = attempt(os.open, f'/proc/self/fd/{fd}', os.O_RDWR)
    if isinstance(again, int):
        answers += [os.pread(again, 3, 0).decode(), attempt(os.truncate, f'/proc/self/fd/{fd}', 1), os.fstat(again).st_size]
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    make('f', b'new')
    return answers + [read('f'), os.fstat(fd).st_size, os.fstat(fd).st_ino != os.stat('f').st_ino]


@case
def a_removed_directory():
    os.mkdir('d')
    fd = os.open('d', os.O_RDONLY)
    os.rmdir('d')
    answers = [attempt(lambda: os.fstat(fd).st_nlink), attempt(os.listdir, fd), attempt(os.mkdir, 'x', dir_fd=fd)]
    return answers + [attempt(os.open, 'x', os.O_CREAT, dir_fd=fd), attempt(os.fchmod, fd, 0o700), attempt(os.stat, 'x', dir_fd=fd)]


@case
def extended_attributes():
    make('f')
    os.symlink('f', 'l')
    os.mkfifo('p')
    os.mkdir('d')
    answers = [attempt(os.setxattr, path, 'user.a', b'1', follow_symlinks=False) for path in ('f', 'l', 'p', 'd')]
    answers += [attempt(os.setxattr, 'f', 'user.a', b'2', os.XATTR_CREATE), attempt(os.setxattr, 'f', 'user.b', b'2', os.XATTR_REPLACE)]
    answers += [attempt(os.setxattr, 'f', 'user.empty', b''), attempt(os.getxattr, 'f', 'user.empty') == b'']
    answers += [attempt(os.setxattr, 'f', 'user.' + 'n' * 250, b'1'), attempt(os.setxattr, 'f', 'user.' + 'n' * 251, b'1')]
    answers += [attempt(os.setxattr, 'f', 'user.big', b'b' * 2000), len(os.getxattr('f', 'user.big'))]
    answers += [attempt(os.setxattr, 'f', 'user.bigger', b'b' * 65537), attempt(os.setxattr, 'f', 'user.', b'1')]
    answers += [attempt(os.setxattr, 'f', 'unknown.a', b'1'), attempt(os.setxattr, 'f', 'a', b'1'), sorted(os.listxattr('f'))]
    buffer = ctypes.create_string_buffer(1)
    answers += [attempt(libc, 'getxattr', b'f', b'user.big', buffer, 1), attempt(libc, 'listxattr', b'f', buffer, 1)]
    answers += [attempt(os.removexattr, 'f', 'user.none'), attempt(os.getxattr, 'f', 'user.none'), attempt(os.removexattr, 'f', 'user.a')]
    os.chmod('f', 0o644)
    answers += [as_user(lambda: os.setxattr('f', 'user.c', b'1')), as_user(lambda: os.getxattr('f', 'user.big').decode()[:1])]
    os.chmod('f', 0o600)
    answers += [as_user(lambda: os.getxattr('f', 'user.big').decode()), as_user(lambda: len(os.listxattr('f')))]
    return answers + [sorted(os.listxattr('f')), attempt(os.getxattr, 'f', 'security.capability')]


@case
def long_paths():
    top = os.getcwd()
    here = len(top)
    depth = (4095 - here - 2) // 201
    for _ in range(depth):
        os.mkdir('d' * 200)
        os.chdir('d' * 200)
    make('short')
    directory = top + '/' + '/'.join(['d' * 200] * depth) + '/'
    full = directory + 'f' * (4095 - len(directory))
    name = full[len(directory):]
    answers = []
    if len(name) > 255:
        os.mkdir('m' * 100)
        full = directory + 'm' * 100 + '/' + 'f' * (4095 - len(directory) - 101)
    answers += [len(full), attempt(make, full) == full, attempt(read, full), attempt(os.stat, full + 'x') == 'ENAMETOOLONG']
    answers += [attempt(os.rename, full, directory + 'renamed'), attempt(os.link, directory + 'renamed', full), attempt(os.chmod, full, 0o600)]
    answers += [attempt(os.truncate, full, 1), attempt(os.setxattr, full, 'user.a', b'1'), attempt(os.unlink, full)]
    os.chdir(top)
    target = 't' * 4095
    return answers + [attempt(os.symlink, target, 'l'), attempt(os.readlink, 'l') == target, attempt(os.symlink, target + 't', 'm'), attempt(os.symlink, '', 'n')]


@case
def sizes_of_terabytes():
    fd = os.open('f', os.O_CREAT | os.O_RDWR)
    size = 5 << 40
    os.ftruncate(fd, size)
    answers = [os.fstat(fd).st_size, os.fstat(fd).st_blocks, os.pwrite(fd, b'end', size - 3), os.pread(fd, 10, size - 5)[2:].decode()]
    answers += [os.lseek(fd, 0, os.SEEK_END), os.pread(fd, 3, 3 << 40) == b'\0\0\0', os.pread(fd, 3, size).decode()]
    answers += [attempt(os.lseek, fd, 1 << 41, os.SEEK_DATA), attempt(os.ftruncate, fd, -1)]
    return answers + [attempt(os.truncate, 'f', 3), os.fstat(fd).st_size]


def other_process_locks(path, start, length, kind=fcntl.LOCK_EX):
    def run():
        with open(path, 'r+') as file:
            fcntl.lockf(file, kind | fcntl.LOCK_NB, length, start)
            return 'locked'
    return as_user(run, 0, 0)


def get_lock(path, kind, start, length, command=5):
    def run():
        with open(path, 'r+') as file:
            query = struct.pack('hhqqi4x', kind, 0, start, length, 0)
            found = struct.unpack('hhqqi4x', fcntl.fcntl(file, command, query))
            return [found[0], found[2], found[3], found[4]]
    return as_user(run, 0, 0)


@case
def record_locks():
    make('f')
    file = open('f', 'r+')
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0)
    answers = [other_process_locks('f', 5, 1), other_process_locks('f', 10, 1), get_lock('f', 1, 0, 0)[:3]]
    answers += [get_lock('f', 1, 0, 0)[3] == os.getpid(), get_lock('f', 0, 20, 5)]
    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 5, 2)
    answers += [other_process_locks('f', 3, 1), other_process_locks('f', 3, 1, fcntl.LOCK_SH), get_lock('f', 1, 0, 0)[:3]]
    answers += [get_lock('f', 1, 2, 3)[:3]]
    fcntl.lockf(file, fcntl.LOCK_UN, 1, 4)
    answers += [other_process_locks('f', 4, 1), other_process_locks('f', 4, 2)]
    readonly = os.open('f', os.O_RDONLY)
    answers += [attempt(fcntl.lockf, readonly, fcntl.LOCK_EX | fcntl.LOCK_NB), attempt(fcntl.lockf, readonly, fcntl.LOCK_SH | fcntl.LOCK_NB)]
    os.close(readonly)
    return answers + [other_process_locks('f', 0, 0)]


@case
def locks_of_open_file_descriptions():
    make('f')
    one, two = os.open('f', os.O_RDWR), os.open('f', os.O_RDWR)
    lock = lambda fd, kind, start=0: fcntl.fcntl(fd, 37, struct.pack('hhqqi4x', kind, 0, start, 10, 0)) and 'done'
    answers = [attempt(lock, one, 1), attempt(lock, two, 1), attempt(lock, two, 1, 10), other_process_locks('f', 0, 1)]
    copy = os.dup(one)
    os.close(copy)
    answers += [attempt(lock, two, 1)]
    os.close(one)
    answers += [soon(lambda: attempt(lock, two, 1)), other_process_locks('f', 10, 1)]
    os.close(two)
    return answers + [other_process_locks('f', 0, 0)]


@case
def flocks():
    make('f')
    one, two = os.open('f', os.O_RDONLY), os.open('f', os.O_RDONLY)
    take = lambda fd, kind: attempt(fcntl.flock, fd, kind | fcntl.LOCK_NB)
    answers = [take(one, fcntl.LOCK_SH), take(two, fcntl.LOCK_SH), take(one, fcntl.LOCK_EX), take(two, fcntl.LOCK_UN)]
    answers += [take(one, fcntl.LOCK_EX), take(two, fcntl.LOCK_SH)]
    copy = os.dup(one)
    os.close(one)
    answers += [take(two, fcntl.LOCK_SH)]
    os.close(copy)
    answers += [soon(lambda: take(two, fcntl.LOCK_EX))]
    inherited = os.open('f', os.O_RDONLY)
    answers += [as_user(lambda: fcntl.flock(two, fcntl.LOCK_UN), 0, 0), take(inherited, fcntl.LOCK_EX)]
    return answers + [other_process_locks('f', 0, 0)]


@case
def removing():
    os.makedirs('d/e')
    make('f')
    os.symlink('d', 'l')
    answers = [attempt(os.rmdir, 'd'), attempt(os.rmdir, 'f'), attempt(os.unlink, 'd'), attempt(os.rmdir, 'l')]
    answers += [attempt(os.unlink, 'x'), attempt(os.rmdir, 'd/e/.'), attempt(os.rmdir, 'd/e/..'), attempt(os.unlink, 'f/')]
    return answers + [attempt(os.mkdir, 'd'), attempt(os.mkdir, 'f/x'), attempt(os.mkdir, 'l'), attempt(os.unlink, 'l'), attempt(os.rmdir, 'd/e/')]


@case
def running_programs():
    make('script', b'#!/bin/sh\necho ran $1\n', 0o755)
    import subprocess
    run = lambda path: subprocess.run([path, 'x'], capture_output=True, text=True).stdout
    answers = [run('./script')]
    with open('/bin/sleep', 'rb') as source:
        make('program', source.read(), 0o755)
    child = subprocess.Popen(['./program', '5'])
    answers += [attempt(with_fd, 'program', os.O_WRONLY, lambda fd: 0)]
    child.kill()
    child.wait()
    os.chmod('script', 0o644)
    return answers + [attempt(run, './script')]


@case
def a_socket():
    server = socket.socket(socket.AF_UNIX)
    server.bind('s')
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect('s')
    return [stat.S_ISSOCK(os.stat('s').st_mode), attempt(os.open, 's', os.O_RDWR)]


@case
def statistics_of_the_filesystem():
    status = os.statvfs('.')
    return [status.f_namemax, status.f_frsize, status.f_bsize, status.f_blocks]


def main():
    top, wanted = sys.argv[1], sys.argv[2:]
    os.umask(0o022)
    signal.alarm(240)
    answers = {}
    for number, (name, run) in enumerate(CASES.items()):
        if wanted and not any(word in name for word in wanted):
            continue
        directory = os.path.join(top, f'case{number}')
        os.mkdir(directory)
        os.chmod(directory, 0o755)
        os.chdir(directory)
        try:
            answers[name] = run()
        except BaseException as error:
            answers[name] = f'{type(error).__name__}: {error}, line {error.__traceback__.tb_next.tb_lineno}'
        os.chdir('/')
        os.system(f'rm -rf {directory}')
    print(json.dumps(answers, default=str))


main()
