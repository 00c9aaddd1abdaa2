/** Runs a creating call with the caller's identity, so that what it makes belongs to the caller from the first moment. */
import {type Caller} from '../fuse/filesystem.ts';
import {setfsgid, setfsuid, setThreadGroups} from '../posix/credentials.ts';

/**
 * The identity is this thread's only while `create` runs: user, group, and the one supplementary group that the kernel
 * says matters (FUSE_CREATE_SUPP_GROUP). Everything else runs as root; the kernel has checked permissions before.
 */
export const asCaller = <T>(caller: Caller, create: () => T): T => {
	if (caller.uid === 0 && caller.gid === 0) return create();
	if (caller.suppGroup !== undefined) setThreadGroups([caller.suppGroup]);
	setfsgid(caller.gid);
	setfsuid(caller.uid);
	try {
		return create();
	} finally {
		setfsuid(0);
		setfsgid(0);
		if (caller.suppGroup !== undefined) setThreadGroups([]);
	}
};
