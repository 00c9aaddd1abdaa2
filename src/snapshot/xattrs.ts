/** The extended attributes that users see: of the other namespaces the overlay shows none. */
import {cstring, type CString} from '../posix/libc.ts';
import {getxattr, lgetxattr, listxattr, llistxattr} from '../posix/xattr.ts';
import {type Xattr} from './tree.ts';

const PREFIXES = ['user.', 'security.'].map(prefix => Buffer.from(prefix));
/** XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h. */
const MAX_BYTES = 65536;
const scratch = Buffer.alloc(MAX_BYTES);

/** @param name in the directory `fd`, not followed when a link; undefined: of the descriptor's file itself */
export const readXattrs = (fd: number, name: CString | undefined): readonly Xattr[] => {
	const own = `/proc/self/fd/${fd}`;
	const path = cstring(name === undefined ? own : Buffer.concat([Buffer.from(`${own}/`), name]));
	const [list, get] = name === undefined ? [listxattr, getxattr] : [llistxattr, lgetxattr];
	const size = list(path, scratch);
	if (size <= 0) return [];
	const found: Xattr[] = [];
	for (const text of scratch.toString('latin1', 0, size).split('\0')) {
		const xattr = cstring(Buffer.from(text, 'latin1'));
		if (!PREFIXES.some(prefix => xattr.subarray(0, prefix.length).equals(prefix))) continue;
		const length = get(path, xattr, scratch);
		if (length >= 0) found.push({name: Buffer.from(xattr), value: Buffer.from(scratch.subarray(0, length))});
	}
	return found;
};
