/** flock and POSIX locks, forwarded to the backing so that they hold between nodes. */
import {type FilesystemOps, type LockRequest} from '../fuse/filesystem.ts';
import {dup} from '../posix/duplicate.ts';
import {ERRNO} from '../posix/errno.ts';
import {close} from '../posix/files.ts';
import {type ByteLock, F, flock, LOCK, ofdGetLock, ofdSetLock} from '../posix/locks.ts';
import {O} from '../posix/open-flags.ts';
import {type Context} from './context.ts';
import {type Handle} from './handle-layout.ts';
import {applyLock, conflicts, decodeLocks, encodeLocks} from './lock-ranges.ts';

type LockOperations = Pick<FilesystemOps, 'getlk' | 'setlk'>;

const {EAGAIN, EACCES, ENFILE, ENOLCK, ESTALE} = ERRNO;

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

	/**
	 * A descriptor for the owner's locks: each owner needs an open file description of its own. GlusterFS does not open a
	 * file anew that has no name any more: there the client's own serves, and only those who share it are not told apart.
	 */
	const descriptorFor = (nodeid: number, via: number, generation: number): number => {
		const fd = nodes.open(nodeid, generation, O.RDWR);
		return fd === -ESTALE ? bindings.withHandle(via, generation, handle => dup(handle.fd)) : fd;
	};

	/** Makes the handle that holds the owner's locks, pinned. @param lock the first that the owner asks for */
	const openLock = (nodeid: number, {owner, fh: via}: LockRequest, generation: number): Handle | number => {
		const fd = descriptorFor(nodeid, via, generation);
		if (fd < 0) return fd;
		const fh = handles.open({kind: 'lock', nodeid, fd, generation, flags: O.RDWR, owner});
		const handle = handles.pin(fh);
		if (handle === undefined) {
			close(fd);
			return -ENFILE;
		}
		// Also when no lock is ever had, the end of the file handle must end this one.
		handles.setBytes(fh, encodeLocks({via, ranges: []}));
		return handle;
	};

	const setOwned = (nodeid: number, lock: LockRequest): number =>
		guard.read(generation => {
			let held = handles.pinLockOf(nodeid, lock.owner);
			if (held === undefined) {
				if (lock.type === F.UNLCK) return 0;
				const made = openLock(nodeid, lock, generation);
				if (typeof made === 'number') return made;
				held = made;
			}
			const {fh} = held;
			return bindings.release(held, () =>
				bindings.withHandle(fh, generation, ({fd}) => {
					const result = ofdSetLock(fd, lock.type, lock.start, lock.end);
					// fcntl(2) allows both; the kernel says EAGAIN.
					if (result < 0) return result === -EACCES ? -EAGAIN : result;
					// What is not written down would be lost with the next generation.
					const ranges = applyLock(decodeLocks(handles.bytesOf(fh)).ranges, lock);
					if (handles.setBytes(fh, encodeLocks({via: lock.fh, ranges}))) return result;
					ofdSetLock(fd, F.UNLCK, lock.start, lock.end);
					return -ENOLCK;
				}),
			);
		});

	/** The backing knows our locks by their descriptors: which process has this one stands in the table. 0: not on this node. */
	const holderOf = (nodeid: number, wanted: ByteLock): number => {
		let pid = 0;
		for (const held of handles.pinLocksOf(nodeid))
			bindings.release(held, () => {
				const {ranges} = decodeLocks(handles.bytesOf(held.fh));
				pid ||= ranges.find(range => conflicts(range, wanted))?.pid ?? 0;
			});
		return pid;
	};

	return {
		getlk: (_caller, nodeid, lock) =>
			guard.read(generation => {
				// Through the owner's own descriptor, so that its own locks are not in its way.
				const held = handles.pinLockOf(nodeid, lock.owner) ?? handles.pin(lock.fh);
				if (held === undefined) return -ERRNO.EBADF;
				return bindings.release(held, () =>
					bindings.withHandle(held.fh, generation, ({fd}): LockRequest | number => {
						const found = ofdGetLock(fd, lock.type, lock.start, lock.end);
						if (typeof found === 'number') return found;
						const pid = found.pid > 0 || found.type === F.UNLCK ? found.pid : holderOf(nodeid, found);
						return {...lock, ...found, pid: Math.max(0, pid)};
					}),
				);
			}),

		setlk: (_caller, nodeid, lock) => (lock.flock ? setFlock(lock.fh, lock.type) : setOwned(nodeid, lock)),
	};
};
