/** The kernel's side of a FUSE mount: its connection can be aborted, which ends every call that hangs in it. */
import {access, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {mount} from '../posix/mount.ts';

/** Where fusectl is mounted: Documentation/filesystems/fuse.rst, "Control filesystem". */
const CONNECTIONS = '/sys/fs/fuse/connections';

const exists = async (path: string): Promise<boolean> =>
	access(path).then(
		() => true,
		() => false,
	);

/**
 * Aborts a connection: all calls waiting in that mount, and all later ones, fail at once. Mounts fusectl when it is not.
 * @param connection the minor device number of the mount
 * @returns false when there is no such connection any more, or this machine gives no access to it
 */
export const abortConnection = async (connection: number): Promise<boolean> => {
	const file = join(CONNECTIONS, String(connection), 'abort');
	if (!(await exists(file))) mount('fusectl', CONNECTIONS, 'fusectl', 0, '');
	return writeFile(file, '1', {flag: 'r+'}).then(
		() => true,
		() => false,
	);
};
