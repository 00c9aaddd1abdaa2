/** Extended attributes of the backing: only the namespaces that are the users'. */
import {type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {getxattr, listxattr, removexattr, setxattr} from '../posix/xattr.ts';
import {type Context} from './context.ts';
import {repeatable} from './guard.ts';
import {pathOfDescriptor} from './nodes.ts';

type XattrOperations = Pick<FilesystemOps, 'setxattr' | 'getxattr' | 'listxattr' | 'removexattr'>;

const {ENODATA, EOPNOTSUPP, ERANGE} = ERRNO;

/**
 * `trusted.*`, `glusterfs.*` and the like steer replication and heal below us; `system.posix_acl_*` would not be honoured
 * by the permission check (no FUSE_POSIX_ACL). Both are as if the filesystem had none.
 */
const PREFIXES = ['user.', 'security.'].map(prefix => Buffer.from(prefix));

/**
 * The kernel asks for it at each write. The mount is nosuid, so capabilities have no effect: they are not kept, and the
 * question is answered from memory.
 */
const CAPABILITY = Buffer.from('security.capability');

/** Room for a list from the backing: XATTR_LIST_MAX, linux/limits.h. */
const LIST_MAX = 65536;

const isOurs = (name: Buffer): boolean =>
	PREFIXES.some(prefix => name.subarray(0, prefix.length).equals(prefix)) && !name.equals(CAPABILITY);

/** Keeps the users' names of a list of NUL-terminated names. @returns bytes kept, moved to the front */
export const filterNames = (list: Buffer): number => {
	let kept = 0;
	for (let start = 0; start < list.length;) {
		const end = list.indexOf(0, start);
		if (end < 0) break;
		if (isOurs(list.subarray(start, end))) {
			list.copy(list, kept, start, end + 1);
			kept += end + 1 - start;
		}
		start = end + 1;
	}
	return kept;
};

export const xattrOperations = ({guard, nodes}: Context): XattrOperations => {
	const list = Buffer.alloc(LIST_MAX);

	return {
		setxattr(_caller, nodeid, name, value, flags) {
			if (!isOurs(name)) return -EOPNOTSUPP;
			return guard.mutate(
				generation =>
					nodes.withFile(nodeid, generation, fd => setxattr(pathOfDescriptor(fd), name, value, flags)),
				// With XATTR_CREATE or XATTR_REPLACE the second time may be answered otherwise.
				flags === 0 ? repeatable : undefined,
			);
		},

		getxattr(_caller, nodeid, name, into) {
			if (!isOurs(name)) return name.equals(CAPABILITY) ? -ENODATA : -EOPNOTSUPP;
			return guard.read(generation =>
				nodes.withFile(nodeid, generation, fd => getxattr(pathOfDescriptor(fd), name, into)),
			);
		},

		listxattr(_caller, nodeid, into) {
			const result = guard.read(generation =>
				nodes.withFile(nodeid, generation, fd => listxattr(pathOfDescriptor(fd), list)),
			);
			if (result <= 0) return result;
			const size = filterNames(list.subarray(0, result));
			if (into.length === 0) return size;
			if (size > into.length) return -ERANGE;
			list.copy(into, 0, 0, size);
			return size;
		},

		removexattr(_caller, nodeid, name) {
			if (!isOurs(name)) return -EOPNOTSUPP;
			return guard.mutate(generation =>
				nodes.withFile(nodeid, generation, fd => removexattr(pathOfDescriptor(fd), name)),
			);
		},
	};
};
