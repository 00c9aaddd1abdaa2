"""One of several clients, on one node or several, that do the same things to the same names at the same moment.

races.py race DIRECTORY WHO BEGIN ROUNDS
    Begins at the given second of the clock. Prints {kind: [rounds that this client won]}; whoever compares the outputs of
    all clients finds exactly one winner for each. WHO is a word, different for each client.
races.py append DIRECTORY WHO BEGIN LINES
    Appends lines of different lengths to one file.
races.py exclude DIRECTORY WHO BEGIN ROUNDS
    Takes turns by flock and by fcntl locks. Prints how often somebody else was inside, too: {"flock": 0, "fcntl": 0}.
races.py hold DIRECTORY
    Takes both locks, says "held PID" and keeps them until it is killed.
races.py try DIRECTORY
    Prints which of the two locks it can have at once.
races.py wait DIRECTORY
    Says "waiting PID", waits for both locks, prints which of them it got or that a signal ended the waiting.
"""
import errno, fcntl, json, os, signal, sys, time

SLOT_S = 0.05


def until(moment):
    time.sleep(max(0, moment - time.time() - 0.002))
    while time.time() < moment:
        pass


def won(call, *args):
    try:
        result = call(*args)
        if isinstance(result, int):
            os.close(result)
        return True
    except OSError as error:
        # ESTALE: the name went to somebody else between two looks at it.
        if error.errno not in (errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY, errno.ESTALE):
            raise
        return False


def race(directory, who, begin, rounds):
    def path(name):
        return os.path.join(directory, name)

    kinds = {
        'O_EXCL': lambda n: os.open(path(f'excl{n}'), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644),
        'mkdir': lambda n: os.mkdir(path(f'dir{n}')),
        'symlink': lambda n: os.symlink(who, path(f'symlink{n}')),
        'link': lambda n: os.link(path(f'own-{who}'), path(f'link{n}')),
        'rename of one file': lambda n: os.rename(path(f'source{n}'), path(f'taken{n}-{who}')),
        'rename of directories to one name': lambda n: os.rename(path(f'full-{who}-{n}'), path(f'target{n}')),
        'unlink': lambda n: os.unlink(path(f'victim{n}')),
    }
    open(path(f'own-{who}'), 'w').close()
    for n in range(rounds):
        os.makedirs(path(f'full-{who}-{n}/content'))
    wins = {kind: [] for kind in kinds}
    slot = 0
    for n in range(rounds):
        for kind, call in kinds.items():
            until(begin + slot * SLOT_S)
            slot += 1
            if won(call, n):
                wins[kind].append(n)
    print(json.dumps(wins))


def append(directory, who, begin, lines):
    path = os.path.join(directory, 'log')
    until(begin)
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    for n in range(lines):
        text = f'{who} {n} '
        os.write(fd, (text + 'x' * (n * 97 % 6000) + ' end\n').encode())
        if n % 10 == 9:
            os.close(fd)
            fd = os.open(path, os.O_WRONLY | os.O_APPEND)


def exclude(directory, who, begin, rounds):
    together = {}
    until(begin)
    for name, take in (('flock', fcntl.flock), ('fcntl', fcntl.lockf)):
        inside = os.path.join(directory, f'inside-{name}')
        together[name] = 0
        for _ in range(rounds):
            with open(os.path.join(directory, 'lock'), 'a+') as file:
                take(file, fcntl.LOCK_EX)
                # A directory can be made once, wherever: no cache takes part.
                if won(os.mkdir, inside):
                    time.sleep(0.001)
                    os.rmdir(inside)
                else:
                    together[name] += 1
                take(file, fcntl.LOCK_UN)
    print(json.dumps(together))


KINDS = (('flock', fcntl.flock), ('fcntl', fcntl.lockf))


def open_both(directory):
    # On one file each: for GlusterFS the two kinds are in each other's way.
    return [open(os.path.join(directory, f'lock-{name}'), 'a+') for name, _take in KINDS]


def take_both(files, how):
    got = []
    for file, (name, take) in zip(files, KINDS):
        try:
            take(file, fcntl.LOCK_EX | how)
            got.append(name)
        except BlockingIOError:
            pass
        except InterruptedError:
            got.append('interrupted')
            break
    return got


def hold(directory):
    files = open_both(directory)
    got = take_both(files, fcntl.LOCK_NB)
    print(f'held {os.getpid()}' if len(got) == 2 else f'only {got}', flush=True)
    time.sleep(60)


def try_both(directory):
    print(' '.join(take_both(open_both(directory), fcntl.LOCK_NB)))


def interrupted(_signal, _frame):
    raise InterruptedError


def wait(directory):
    signal.signal(signal.SIGUSR1, interrupted)
    files = open_both(directory)
    # After this line nothing sleeps but the lock: who sees this process asleep can interrupt it there.
    print(f'waiting {os.getpid()}', flush=True)
    print(' '.join(take_both(files, 0)), flush=True)


def main():
    kind, directory, *rest = sys.argv[1:]
    signal.alarm(150)
    if kind in ('race', 'append', 'exclude'):
        who, begin, count = rest
        {'race': race, 'append': append, 'exclude': exclude}[kind](directory, who, float(begin), int(count))
    else:
        {'hold': hold, 'try': try_both, 'wait': wait}[kind](directory)


main()
