/** The brick's process: starts and stops glusterfsd, and says in our words why it did not start. */
import {HekafsError} from '../errors.ts';
import {isFull, noSpace, pidFileOf, runningWith, startDaemon, stopDaemon} from './daemon.ts';
import {findProcess, type StopOptions, type VerifiedProcess} from './process.ts';

export interface BrickOptions {
	/** Text of the server volfile; what follows must agree with it. */
	readonly volfile: string;
	/** The brick directory. */
	readonly directory: string;
	readonly port: number;
	readonly runDirectory: string;
	readonly logFile: string;
	readonly timeoutMs?: number;
}

const NAME = 'brick';

/**
 * What the messages of a failed start mean. Texts of GlusterFS 10.3: posix-common.c, name.c and socket.c.
 * @param messages errors in the log, first cause first
 */
export const brickFailure = (
	{directory, port, logFile}: Pick<BrickOptions, 'directory' | 'port' | 'logFile'>,
	exitCode: number,
	messages: readonly string[],
): HekafsError => {
	const cause = new Error(messages.slice(0, 3).join('; ') || `glusterfsd ended with exit code ${exitCode}`);
	const says = (pattern: RegExp): boolean => messages.some(message => pattern.test(message));
	if (says(/Address already in use|Port is already in use/i))
		return new HekafsError('HEKAFS_PORT_IN_USE', `Port ${port} is in use, so the brick can't listen`, {
			cause,
			remedy: `See who has it (ss -ltnp 'sport = :${port}') and end that, or choose another --brick-port.`,
		});
	if (says(/No space left on device|Disk quota exceeded/i)) return noSpace(directory, cause);
	if (says(/mismatching volume-id/i))
		return new HekafsError('HEKAFS_BRICK_FAILED', `${directory} is a brick of another filesystem`, {
			cause,
			remedy: 'Move that directory aside if it is not needed; this server then joins with a new one.',
		});
	if (says(/volume-id is absent/i))
		return new HekafsError('HEKAFS_BRICK_FAILED', `${directory} is not a brick (no volume-id on it)`, {
			cause,
			remedy: 'Is its disk mounted? If the brick is lost, retire this server and let it join again.',
		});
	if (says(/Directory '.*' doesn't exist|Failed to find parent dir .*No such file/i))
		return new HekafsError('HEKAFS_BRICK_FAILED', `${directory} does not exist, or is not a brick`, {
			cause,
			remedy: 'Is its disk mounted? If the brick is lost, retire this server and let it join again.',
		});
	if (says(/Extended attribute not supported|Operation not supported/i))
		return new HekafsError('HEKAFS_BRICK_FAILED', `The filesystem of ${directory} has no trusted xattrs`, {
			cause,
			remedy: 'Put the state directory on ext4 or XFS.',
		});
	if (says(/Cannot assign requested address|Name or service not known|getaddrinfo failed/i))
		return new HekafsError(
			'HEKAFS_BRICK_FAILED',
			`The brick can't listen: its address is not one of this machine`,
			{cause, remedy: `Compare this node's address in the server set with: ip address`},
		);
	return new HekafsError('HEKAFS_BRICK_FAILED', `The brick at ${directory} did not start`, {
		cause,
		remedy: `Read the lines with " E " at the end of ${logFile}.`,
	});
};

/**
 * Makes sure that the brick runs with exactly this volfile: leaves it alone when it does, restarts it when it runs with
 * another one (which cuts off all clients that ask for another exported name: the fence).
 * @throws HEKAFS_PORT_IN_USE · HEKAFS_NO_SPACE · HEKAFS_BRICK_FAILED · HEKAFS_PROGRAM_MISSING · HEKAFS_TIMEOUT
 */
export const startBrick = async (o: BrickOptions): Promise<VerifiedProcess> => {
	const files = {runDirectory: o.runDirectory, name: NAME};
	const running = await runningWith(files, o.volfile);
	if (running !== undefined) return running;
	// Stopped before the volfile is replaced: so the file always tells what a running brick was started with.
	await stopDaemon(files);
	const start = await startDaemon({
		...files,
		program: 'glusterfsd',
		volfile: o.volfile,
		logFile: o.logFile,
		args: ['--process-name', 'brick'],
		timeoutMs: o.timeoutMs,
	});
	if (start.kind === 'started') return start.process;
	if (start.messages.length === 0)
		for (const path of [o.directory, o.logFile, o.runDirectory]) if (await isFull(path)) throw noSpace(path);
	throw brickFailure(o, start.exitCode, start.messages);
};

/** The running brick, undefined when none runs. */
export const findBrick = async (runDirectory: string): Promise<VerifiedProcess | undefined> =>
	findProcess(pidFileOf({runDirectory, name: NAME}));

export const isBrickRunning = async (runDirectory: string): Promise<boolean> =>
	(await findBrick(runDirectory)) !== undefined;

/** @returns whether one ran. @throws HEKAFS_TIMEOUT when it does not end */
export const stopBrick = async (runDirectory: string, options?: StopOptions): Promise<boolean> =>
	stopDaemon({runDirectory, name: NAME}, options);
