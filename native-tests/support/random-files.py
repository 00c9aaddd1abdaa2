"""Changes one file at random and compares every answer with a model in memory, like fsx of xfstests.

random-files.py DIRECTORY SEED OPERATIONS: prints nothing and ends with 0 when all is right; else says which operation of
which seed went wrong, with the last ones before it.
"""
import ctypes, mmap, os, random, sys

LIBC = ctypes.CDLL(None, use_errno=True)
LARGEST = 300_000
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16


class File:
    def __init__(self, directory, seed):
        self.random = random.Random(seed)
        self.path = os.path.join(directory, f'random-{seed}')
        self.model = bytearray()
        self.names = 0
        self.fd = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o644)
        self.append = os.open(self.path, os.O_RDWR | os.O_APPEND)

    def span(self):
        start = self.random.randrange(LARGEST)
        return start, self.random.choice((1, 100, 4096, 8192, 40_000, self.random.randrange(1, 130_000)))

    def data(self, length):
        return self.random.randbytes(min(length, LARGEST))

    def put(self, start, data):
        if len(self.model) < start:
            self.model.extend(bytes(start - len(self.model)))
        self.model[start:start + len(data)] = data

    def inside(self):
        start, length = self.span()
        start = min(start, max(0, len(self.model) - 1))
        return start, min(length, len(self.model) - start)

    # Operations: each changes the file and the model alike.

    def write(self):
        start, length = self.span()
        data = self.data(length)
        assert os.pwrite(self.fd, data, start) == len(data)
        self.put(start, data)

    def append_some(self):
        if len(self.model) > LARGEST:
            return self.truncate()
        data = self.data(self.span()[1])
        assert os.write(self.append, data) == len(data)
        self.model.extend(data)

    def read(self):
        start, length = self.span()
        found = os.pread(self.random.choice((self.fd, self.append)), length, start)
        assert found == bytes(self.model[start:start + length]), ('read', start, length, len(found))

    def mapped_write(self):
        start, length = self.inside()
        if length > 0:
            with mmap.mmap(self.random.choice((self.fd, self.append)), len(self.model)) as memory:
                data = self.data(length)
                memory[start:start + length] = data
                if self.random.random() < 0.5:
                    memory.flush()
            self.model[start:start + length] = data

    def mapped_read(self):
        start, length = self.inside()
        if length > 0:
            with mmap.mmap(self.fd, len(self.model), mmap.MAP_SHARED, mmap.PROT_READ) as memory:
                assert memory[start:start + length] == bytes(self.model[start:start + length]), ('map', start, length)

    def truncate(self):
        size = self.random.randrange(LARGEST)
        self.random.choice((lambda: os.ftruncate(self.fd, size), lambda: os.truncate(self.path, size)))()
        if size < len(self.model):
            del self.model[size:]
        self.put(size, b'')

    def fallocate(self, mode):
        start, length = self.span()
        if LIBC.fallocate(self.fd, mode, ctypes.c_int64(start), ctypes.c_int64(length)) != 0:
            assert ctypes.get_errno() == 95, ('fallocate', mode, ctypes.get_errno())
            return
        if mode & KEEP_SIZE == 0 and len(self.model) < start + length:
            self.put(start + length, b'')
        if mode & (PUNCH_HOLE | ZERO_RANGE):
            end = min(start + length, len(self.model))
            self.model[start:end] = bytes(max(0, end - start))

    def reserve(self):
        self.fallocate(self.random.choice((0, KEEP_SIZE)))

    def punch(self):
        self.fallocate(KEEP_SIZE | PUNCH_HOLE)

    def zero(self):
        self.fallocate(self.random.choice((ZERO_RANGE, ZERO_RANGE | KEEP_SIZE)))

    def copy(self):
        start, length = self.inside()
        target = len(self.model) + self.random.randrange(5000)
        if length > 0 and target < LARGEST * 2:
            copied = os.copy_file_range(self.fd, self.fd, length, start, target)
            self.put(target, bytes(self.model[start:start + copied]))

    def reopen(self):
        os.close(self.fd)
        flags = self.random.choice((0, os.O_TRUNC, 0, os.O_SYNC))
        self.fd = os.open(self.path, os.O_RDWR | flags)
        if flags == os.O_TRUNC:
            self.model.clear()

    def rename(self):
        self.names += 1
        new = f'{self.path}.{self.names % 3}'
        self.random.choice((os.rename, self.link))(self.path, new)
        os.rename(new, self.path)

    @staticmethod
    def link(old, new):
        os.link(old, new)
        os.unlink(old)

    def sync(self):
        os.fsync(self.fd)

    def status(self):
        sizes = {os.fstat(self.fd).st_size, os.stat(self.path).st_size, os.fstat(self.append).st_size}
        assert sizes == {len(self.model)}, (sizes, len(self.model))

    def unlinked(self):
        """A file without a name goes on; its place is taken by a copy."""
        os.unlink(self.path)
        self.read()
        self.write()
        self.status_unlinked()
        with open(self.path, 'xb') as copy:
            copy.write(self.model)
        os.close(self.fd)
        os.close(self.append)
        self.fd = os.open(self.path, os.O_RDWR)
        self.append = os.open(self.path, os.O_RDWR | os.O_APPEND)

    def status_unlinked(self):
        found = os.fstat(self.append)
        assert (found.st_size, found.st_nlink) == (len(self.model), 0), found

    def all(self):
        with open(self.path, 'rb') as file:
            assert file.read() == bytes(self.model), 'the whole file'


OPERATIONS = {
    File.write: 8, File.append_some: 4, File.read: 8, File.mapped_write: 4, File.mapped_read: 4, File.truncate: 3,
    File.reserve: 1, File.punch: 2, File.zero: 1, File.copy: 2, File.reopen: 2, File.rename: 1, File.sync: 1,
    File.status: 3, File.unlinked: 1, File.all: 1,
}


def main():
    directory, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    file = File(directory, seed)
    log = []
    for number in range(count):
        operation = file.random.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
        log.append(f'{number} {operation.__name__} size {len(file.model)}')
        try:
            operation(file)
        except (AssertionError, OSError) as error:
            print(f'seed {seed}: {error!r}', *log[-12:], sep='\n')
            sys.exit(1)
    file.all()


main()
