/** READ, WRITE, FALLOCATE, LSEEK, COPY_FILE_RANGE on open files of the backing. */
import {type Caller, type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {close, copyFileRange, fallocate, lseek, pread, pwrite} from '../posix/files.ts';
import {O} from '../posix/open-flags.ts';
import {STATX} from '../posix/statx.ts';
import {type Context} from './context.ts';
import {NOT_DONE, repeatable, UNKNOWN} from './guard.ts';
import {reopen, statDescriptor} from './nodes.ts';
import {dropSetIds} from './set-ids.ts';

/** linux/falloc.h */
const FALLOC_FL_ZERO_RANGE = 0x10;
/** FALLOC_FL_COLLAPSE_RANGE and FALLOC_FL_INSERT_RANGE: not the same when done twice. */
const MOVES_DATA = 0x08 | 0x20;

type DataOperations = Pick<FilesystemOps, 'read' | 'write' | 'fallocate' | 'lseek' | 'copyFileRange'>;

/**
 * Only each WRITE tells whether it appends: O_APPEND may be set and cleared while the file is open (F_SETFL), and what was
 * changed through a memory map comes back through whichever handle the kernel finds. The descriptor is shared with other
 * threads, so its flag stays as it is.
 */
const writeOtherwise = (fd: number, flags: number, data: Buffer, offset: bigint): number => {
	const own = reopen(fd, O.WRONLY | flags);
	if (own < 0) return own;
	const written = pwrite(own, data, offset);
	close(own);
	return written;
};

/** Files are written as root, but reserving and copying is the caller's change, too: the kernel does not say whose. */
const dropForUser = (fd: number, caller: Caller): number => (caller.uid === 0 ? 0 : dropSetIds(fd, caller));

export const dataOperations = ({guard, bindings, root, statx}: Context): DataOperations => ({
	read: (_caller, _nodeid, fh, offset, _flags, into) =>
		guard.read(generation => bindings.withHandle(fh, generation, ({fd}) => pread(fd, into, offset))),

	write(caller, _nodeid, fh, offset, flags, data, killSuidgid) {
		const run = (generation: number): number =>
			bindings.withHandle(fh, generation, ({fd, flags: opened}) => {
				const dropped = killSuidgid ? dropSetIds(fd, caller) : 0;
				if (dropped < 0) return dropped;
				const append = flags & O.APPEND;
				const written =
					append === (opened & O.APPEND)
						? pwrite(fd, data, offset)
						: writeOtherwise(fd, bindings.backingFlags(append), data, offset);
				// Some FUSE filesystem that hands O_DIRECT down, and what is below wants aligned buffers.
				return written === -ERRNO.EINVAL && append !== 0 ? writeOtherwise(fd, append, data, offset) : written;
			});
		// With O_APPEND on the backing's descriptor pwrite appends whatever the offset is, so that writers on other
		// nodes are not overwritten; twice would be two lines. The kernel gives the size that it knew as the offset.
		const inspectAppend = (generation: number): number | typeof NOT_DONE =>
			bindings.withHandle(fh, generation, ({fd}) => {
				const result = statDescriptor(fd, statx);
				if (result < 0) return result;
				return statx.readBigUInt64LE(STATX.size) === offset ? NOT_DONE : UNKNOWN;
			});
		return guard.mutate(run, (flags & O.APPEND) === 0 ? repeatable : inspectAppend);
	},

	fallocate: (caller, _nodeid, fh, mode, offset, length) =>
		guard.mutate(
			generation =>
				bindings.withHandle(fh, generation, ({fd}) => {
					// GlusterFS takes ZERO_RANGE for a mere reservation and says that it is done.
					if ((mode & FALLOC_FL_ZERO_RANGE) !== 0 && root.isFuse) return -ERRNO.EOPNOTSUPP;
					const dropped = dropForUser(fd, caller);
					return dropped < 0 ? dropped : fallocate(fd, mode, offset, length);
				}),
			(mode & MOVES_DATA) === 0 ? repeatable : undefined,
		),

	lseek: (_caller, _nodeid, fh, offset, whence) =>
		guard.read(generation => bindings.withHandle(fh, generation, ({fd}) => lseek(fd, offset, whence))),

	copyFileRange: (caller, from, to, length) =>
		guard.mutate(
			generation =>
				bindings.withHandle(from.fh, generation, source =>
					bindings.withHandle(to.fh, generation, target => {
						// A virtual file has no descriptor: the kernel copies by reading and writing then.
						if (source.fd < 0 || target.fd < 0) return -ERRNO.EOPNOTSUPP;
						const dropped = dropForUser(target.fd, caller);
						if (dropped < 0) return dropped;
						return copyFileRange(source.fd, from.offset, target.fd, to.offset, length);
					}),
				),
			repeatable,
		),
});
