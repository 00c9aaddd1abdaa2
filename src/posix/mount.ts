/** mount(2) and umount2(2), in-process: no mount program is needed. */
import {bind, checked, cstring, type CString} from './libc.ts';

const sysMount = bind<
	(source: CString, target: CString, type: CString, flags: number, data: CString) => number
>(
	'int mount(const void *source, const void *target, const void *type, unsigned long flags, const void *data)',
);
const sysUmount2 = bind<(target: CString, flags: number) => number>(
	'int umount2(const void *target, int flags)',
);

/** Flags of mount(2), linux/mount.h. */
export const MS = {
	RDONLY: 1,
	NOSUID: 2,
	NODEV: 4,
	NOEXEC: 8,
	REMOUNT: 32,
	NOATIME: 1024,
	BIND: 4096,
	REC: 16384,
	PRIVATE: 1 << 18,
} as const;

/** Flags of umount2(2). DETACH: lazy, the name goes at once and the rest when nobody uses it any more. */
export const MNT = {FORCE: 1, DETACH: 2, EXPIRE: 4} as const;
/** umount2: do not follow a symbolic link at the end of the path. */
export const UMOUNT_NOFOLLOW = 8;

/**
 * Mounts a filesystem; strings are UTF-8.
 * @param flags MS.*
 * @param data the options that belong to the filesystem type
 * @returns 0 or a negative errno
 */
export const mount = (source: string, target: string, type: string, flags: number, data: string): number =>
	checked(sysMount(cstring(source), cstring(target), cstring(type), flags, cstring(data)));

/** @param flags MNT.*, UMOUNT_NOFOLLOW or 0. @returns 0 or a negative errno (EBUSY: in use, EINVAL: no mount) */
export const umount2 = (target: string, flags = 0): number => checked(sysUmount2(cstring(target), flags));
