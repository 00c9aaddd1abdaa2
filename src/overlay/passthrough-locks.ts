/** flock and POSIX locks, forwarded to the backing so that they hold between nodes. */
import {type Caller, type FilesystemOps, type LockRequest} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {close} from '../posix/files.ts';
import {F, flock, LOCK, ofdGetLock, ofdSetLock} from '../posix/locks.ts';
import {O} from '../posix/open-flags.ts';
import {type Context} from './context.ts';
import {type Handle} from './handle-layout.ts';
import {applyLock, decodeRanges, encodeRanges} from './lock-ranges.ts';

type LockOperations = Pick<FilesystemOps, 'getlk' | 'setlk'>;

const {EAGAIN, EACCES, EINTR, ENFILE, ENOLCK} = ERRNO;

/** A waiting thread tries again this often: first soon, then less and less. */
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 50;

const sleepCell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/**
 * Tries until it works or the request is answered by someone else (interrupted). A call that blocks in the kernel could
 * not be ended.
 */
const persist = (caller: Caller, attempt: () => number): number => {
	for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
		const result = attempt();
		if (result !== -EAGAIN && result !== -EACCES) return result;
		Atomics.wait(sleepCell, 0, 0, waitMs);
		if (caller.answered?.() === true) return -EINTR;
	}
};

const FLOCK_OPERATIONS = new Map<number, number>([
	[F.RDLCK, LOCK.SH],
	[F.WRLCK, LOCK.EX],
	[F.UNLCK, LOCK.UN],
]);

export const lockOperations = (ctx: Context): LockOperations => {
	const {guard, nodes, handles, bindings} = ctx;

	const setFlock = (fh: number, type: number): number => {
		const operation = FLOCK_OPERATIONS.get(type) ?? LOCK.UN;
		return guard.read(generation =>
			bindings.withHandle(fh, generation, handle => {
				const result = flock(handle.fd, operation | LOCK.NB);
				if (result === 0) handles.setFlock(fh, operation === LOCK.UN ? 0 : operation);
				return result;
			}),
		);
	};

	/** Makes the descriptor that holds the owner's locks: each owner needs an open file description of its own. */
	const openLock = (nodeid: number, owner: bigint, generation: number): Handle | number => {
		const fd = nodes.open(nodeid, generation, O.RDWR);
		if (fd < 0) return fd;
		const fh = handles.open({kind: 'lock', nodeid, fd, generation, flags: O.RDWR, owner});
		if (fh === 0) {
			close(fd);
			return -ENFILE;
		}
		return handles.pin(fh) ?? -ENFILE;
	};

	const setOwned = (nodeid: number, lock: LockRequest): number =>
		guard.read(generation => {
			let held = handles.pinLockOf(nodeid, lock.owner);
			if (held === undefined) {
				if (lock.type === F.UNLCK) return 0;
				const made = openLock(nodeid, lock.owner, generation);
				if (typeof made === 'number') return made;
				held = made;
			}
			const {fh} = held;
			return bindings.release(held, () =>
				bindings.withHandle(fh, generation, ({fd}) => {
					const result = ofdSetLock(fd, lock.type, lock.start, lock.end);
					if (result < 0) return result;
					// What is not written down would be lost with the next generation.
					const ranges = applyLock(decodeRanges(handles.bytesOf(fh)), lock);
					if (handles.setBytes(fh, encodeRanges(ranges))) return result;
					ofdSetLock(fd, F.UNLCK, lock.start, lock.end);
					return -ENOLCK;
				}),
			);
		});

	return {
		getlk: (_caller, nodeid, lock) =>
			guard.read(generation => {
				// Through the owner's own descriptor, so that its own locks are not in its way.
				const held = handles.pinLockOf(nodeid, lock.owner) ?? handles.pin(lock.fh);
				if (held === undefined) return -ERRNO.EBADF;
				return bindings.release(held, () =>
					bindings.withHandle(held.fh, generation, ({fd}): LockRequest | number => {
						const found = ofdGetLock(fd, lock.type, lock.start, lock.end);
						return typeof found === 'number' ? found : {...lock, ...found, pid: Math.max(0, found.pid)};
					}),
				);
			}),

		setlk(caller, nodeid, lock, wait) {
			const attempt = (): number => (lock.flock ? setFlock(lock.fh, lock.type) : setOwned(nodeid, lock));
			return wait ? persist(caller, attempt) : attempt();
		},
	};
};
