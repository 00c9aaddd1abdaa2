/** Binds a server to a Unix socket that only its owner can use, and replaces the socket of a process that is gone. */
import {once} from 'node:events';
import {lstat, mkdir, mkdtemp, chmod, rename, rm, rmdir, unlink} from 'node:fs/promises';
import {connect, type Server} from 'node:net';
import {dirname, join} from 'node:path';
import {HekafsError} from '../errors.ts';

/** sockaddr_un.sun_path has 108 bytes with its NUL (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;
const PROBE_TIMEOUT_MS = 1000;

/** Whether a process accepts connections at this path. A socket whose queue is full or that is silent counts as alive. */
const isAlive = async (path: string): Promise<boolean> =>
	await new Promise(resolve => {
		const socket = connect(path);
		const end = (alive: boolean): void => {
			socket.destroy();
			resolve(alive);
		};
		socket.setTimeout(PROBE_TIMEOUT_MS, () => end(true));
		socket.once('connect', () => end(true));
		socket.once('error', error =>
			end(!('code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED'))),
		);
	});

const refuseUnlessReplaceable = async (path: string): Promise<void> => {
	const found = await lstat(path).catch(() => undefined);
	if (found === undefined) return;
	if (!found.isSocket())
		throw new HekafsError('HEKAFS_STATE_INVALID', `${path} exists and is not a socket`, {
			remedy: 'Move it away, or choose another directory with --run.',
		});
	if (await isAlive(path))
		throw new HekafsError('HEKAFS_ALREADY_RUNNING', `another hekafsd answers at ${path}`, {
			remedy: 'Stop it first, or give this one another directory with --run.',
		});
};

const tooLong = (path: string): HekafsError =>
	new HekafsError(
		'HEKAFS_USAGE',
		`the socket's path is longer than ${MAX_SOCKET_PATH_BYTES} bytes: ${path}`,
		{
			remedy: 'Choose a shorter directory with --run.',
		},
	);

/** Binds under a private name and renames, so that nobody can connect before the mode is set. @returns the inode number */
const bindPrivately = async (server: Server, path: string): Promise<number> => {
	const temporary = await mkdtemp(join(dirname(path), '.s'));
	const bound = join(temporary, 's');
	try {
		if (Buffer.byteLength(bound) > MAX_SOCKET_PATH_BYTES) throw tooLong(path);
		server.listen(bound);
		await once(server, 'listening');
		await chmod(bound, 0o600);
		const {ino} = await lstat(bound);
		await rename(bound, path);
		return ino;
	} catch (error) {
		server.close();
		await rm(bound, {force: true});
		throw error;
	} finally {
		await rmdir(temporary).catch(() => undefined);
	}
};

/**
 * Listens at `path`, mode 0600, in a directory that is made with mode 0700 if it is missing; a stale socket is replaced.
 * @returns a function that removes the socket, unless another process has replaced it meanwhile
 * @throws HekafsError HEKAFS_ALREADY_RUNNING when a process answers there, HEKAFS_STATE_INVALID when the path is taken by
 * something else, HEKAFS_STATE_UNREADABLE when the directory can't be used, HEKAFS_USAGE when the path is too long
 */
export const listenOnUnixSocket = async (server: Server, path: string): Promise<() => Promise<void>> => {
	if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) throw tooLong(path);
	try {
		await mkdir(dirname(path), {recursive: true, mode: 0o700});
		await refuseUnlessReplaceable(path);
		const inode = await bindPrivately(server, path);
		return async () => {
			const now = await lstat(path).catch(() => undefined);
			if (now?.ino === inode) await unlink(path).catch(() => undefined);
		};
	} catch (error) {
		if (error instanceof HekafsError) throw error;
		throw new HekafsError('HEKAFS_STATE_UNREADABLE', `can't make the socket ${path}`, {
			cause: error,
			remedy: 'Check the directory and its permissions and space, or choose another one with --run.',
		});
	}
};
