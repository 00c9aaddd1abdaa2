/** A private mount of the backing filesystem: one glusterfs process, one directory, one FUSE connection. */
import {setTimeout as delay} from 'node:timers/promises';
import {HekafsError} from '../errors.ts';
import {pidFileOf, startDaemon, stopDaemon, volfilePathOf} from './daemon.ts';
import {abortConnection} from './fuse-connection.ts';
import {findMount, GLUSTER_MOUNT_TYPE, prepareMountPoint, removeMountPoint, takeAway} from './mount-point.ts';
import {type Mount} from './mount-table.ts';
import {isAlive, stopProcess, waitForEnd, type VerifiedProcess} from './process.ts';
import {rm} from 'node:fs/promises';

export interface MountOptions {
	/** Text of the client volfile. */
	readonly volfile: string;
	/** Absolute path of the mount point; made when absent, removed after the unmount. */
	readonly directory: string;
	/** For pid file and volfile; the mount point should lie below it too, so that `cleanStale` finds it. */
	readonly runDirectory: string;
	/** Names these files; one mount each. */
	readonly name: string;
	readonly logFile: string;
	/** How long the kernel may use attributes and names without asking. Default 0.2 s. */
	readonly attributeTimeoutS?: number;
	readonly entryTimeoutS?: number;
	/** Negative numbers are GlusterFS' own programs (-12: add-brick). */
	readonly clientPid?: number;
	readonly timeoutMs?: number;
}

export interface UnmountOptions {
	/** Leave the process to those who have files open in the mount; it ends with the last of them. */
	readonly lazy?: boolean;
	/** How long the process may take to end by itself before the connection is aborted. */
	readonly endMs?: number;
}

export interface ClientMount extends AsyncDisposable {
	readonly directory: string;
	readonly pid: number;
	/** Number in /sys/fs/fuse/connections; also the minor device number (the major is 0). */
	readonly connection: number;
	/** Whether the process runs and this very mount is the one at the directory. */
	alive(): Promise<boolean>;
	/** Ends every call that hangs in the mount, now and for ever. @returns false when the kernel gives no way to it */
	abort(): Promise<boolean>;
	/** Takes the mount away; ends the process, by force if need be, unless `lazy`. May be called again. */
	unmount(options?: UnmountOptions): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_END_MS = 3000;
/** The kernel keeps what the overlay says 0.8 s more: together a second, after which no change of another node is missed. */
const DEFAULT_CACHE_S = 0.2;
const POLL_MS = 10;

/** Command line of the client, behind the files. */
export const clientArguments = (o: MountOptions): string[] => [
	'--process-name',
	'fuse',
	`--attribute-timeout=${o.attributeTimeoutS ?? DEFAULT_CACHE_S}`,
	`--entry-timeout=${o.entryTimeoutS ?? DEFAULT_CACHE_S}`,
	// Else a page that was read once is served for ever, whatever other nodes write (observed on 10.3).
	'--fopen-keep-cache=no',
	'--auto-invalidation=yes',
	'--fuse-mountopts=nosuid,nodev',
	...(o.clientPid === undefined ? [] : [`--client-pid=${o.clientPid}`]),
	o.directory,
];

const isOurs = (mount: Mount | undefined, connection?: number): mount is Mount =>
	mount?.type === GLUSTER_MOUNT_TYPE && (connection === undefined || mount.minor === connection);

const mountFailed = (o: MountOptions, why: string): HekafsError =>
	new HekafsError('HEKAFS_MOUNT_FAILED', `Can't mount the config filesystem on ${o.directory}`, {
		cause: new Error(why),
		remedy: `Read the lines with " E " at the end of ${o.logFile}.`,
	});

/** glusterfs answers 0 whatever happens, and a rejected client unmounts itself again: only the mount table counts. */
const waitForMount = async (o: MountOptions, process: VerifiedProcess): Promise<Mount> => {
	const deadline = performance.now() + (o.timeoutMs ?? DEFAULT_TIMEOUT_MS);
	for (;;) {
		const mount = await findMount(o.directory);
		if (isOurs(mount)) return mount;
		if (!(await isAlive(process))) throw mountFailed(o, 'glusterfs ended without mounting');
		if (performance.now() >= deadline) throw mountFailed(o, 'glusterfs runs, but did not mount in time');
		await delay(POLL_MS);
	}
};

class GlusterMount implements ClientMount {
	readonly directory: string;
	readonly connection: number;
	readonly #process: VerifiedProcess;
	readonly #options: MountOptions;

	constructor(options: MountOptions, process: VerifiedProcess, mount: Mount) {
		this.directory = options.directory;
		this.connection = mount.minor;
		this.#process = process;
		this.#options = options;
	}

	get pid(): number {
		return this.#process.pid;
	}

	async #isMounted(): Promise<boolean> {
		return isOurs(await findMount(this.directory), this.connection);
	}

	async alive(): Promise<boolean> {
		return (await this.#isMounted()) && (await isAlive(this.#process));
	}

	async abort(): Promise<boolean> {
		// The kernel reuses numbers: once the process is gone, this one may be another mount's.
		if (!(await isAlive(this.#process)) && !(await this.#isMounted())) return false;
		return abortConnection(this.connection);
	}

	async unmount({lazy = false, endMs = DEFAULT_END_MS}: UnmountOptions = {}): Promise<void> {
		if (await this.#isMounted()) takeAway(this.directory);
		if (!lazy && !(await waitForEnd(this.#process, endMs))) {
			await this.abort();
			await stopProcess(this.#process, {termMs: 1000});
		}
		await rm(volfilePathOf(this.#options), {force: true});
		if (!(await isAlive(this.#process))) await rm(pidFileOf(this.#options), {force: true});
		await removeMountPoint(this.directory);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.unmount();
	}
}

/**
 * Mounts a generation of the backing filesystem. That it is mounted says nothing about its servers: with all of them
 * down it mounts too, and every call fails with ENOTCONN until they are back.
 * @throws HEKAFS_MOUNT_FAILED · HEKAFS_BUSY · HEKAFS_MOUNTPOINT_NOT_EMPTY · HEKAFS_PROGRAM_MISSING · HEKAFS_NO_SPACE ·
 * HEKAFS_TIMEOUT; nothing is left behind then
 */
export const mountGeneration = async (o: MountOptions): Promise<ClientMount> => {
	await prepareMountPoint(o.directory);
	try {
		const start = await startDaemon({
			runDirectory: o.runDirectory,
			name: o.name,
			program: 'glusterfs',
			volfile: o.volfile,
			logFile: o.logFile,
			args: clientArguments(o),
			timeoutMs: o.timeoutMs ?? DEFAULT_TIMEOUT_MS,
		});
		if (start.kind === 'failed')
			throw mountFailed(o, start.messages.slice(0, 3).join('; ') || `exit code ${start.exitCode}`);
		return new GlusterMount(o, start.process, await waitForMount(o, start.process));
	} catch (error) {
		takeAway(o.directory);
		await stopDaemon(o, {termMs: 1000});
		await removeMountPoint(o.directory);
		throw error;
	}
};
