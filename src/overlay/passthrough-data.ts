/** READ, WRITE, FALLOCATE, LSEEK, COPY_FILE_RANGE on open files of the backing. */
import {type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {copyFileRange, fallocate, lseek, pread, pwrite} from '../posix/files.ts';
import {O} from '../posix/open-flags.ts';
import {type Context} from './context.ts';

type DataOperations = Pick<FilesystemOps, 'read' | 'write' | 'fallocate' | 'lseek' | 'copyFileRange'>;

export const dataOperations = ({guard, bindings}: Context): DataOperations => ({
	read: (_caller, _nodeid, fh, offset, _flags, into) =>
		guard.read(generation => bindings.withHandle(fh, generation, ({fd}) => pread(fd, into, offset))),

	write(_caller, _nodeid, fh, offset, flags, data) {
		// With O_APPEND on the backing's descriptor pwrite appends whatever the offset is, so that writers on other
		// nodes are not overwritten; twice would be two lines.
		const repeatable = (flags & O.APPEND) === 0;
		return guard.mutate(
			generation => bindings.withHandle(fh, generation, ({fd}) => pwrite(fd, data, offset)),
			repeatable,
		);
	},

	fallocate: (_caller, _nodeid, fh, mode, offset, length) =>
		guard.mutate(generation =>
			bindings.withHandle(fh, generation, ({fd}) => fallocate(fd, mode, offset, length)),
		),

	lseek: (_caller, _nodeid, fh, offset, whence) =>
		guard.read(generation => bindings.withHandle(fh, generation, ({fd}) => lseek(fd, offset, whence))),

	copyFileRange: (_caller, from, to, length) =>
		guard.mutate(
			generation =>
				bindings.withHandle(from.fh, generation, source =>
					bindings.withHandle(to.fh, generation, target =>
						// A virtual file has no descriptor: the kernel copies by reading and writing then.
						source.fd < 0 || target.fd < 0
							? -ERRNO.EOPNOTSUPP
							: copyFileRange(source.fd, from.offset, target.fd, to.offset, length),
					),
				),
			true,
		),
});
