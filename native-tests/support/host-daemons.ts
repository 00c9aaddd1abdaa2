/** Starts and stops the daemons of a lab host: glusterd and hekafsd. */
import {readFileSync} from 'node:fs';
import {type Host} from './lab-host.ts';
import {type HostProcess} from './host-process.ts';
import {hekafsdPath} from './programs.ts';
import {waitFor} from './wait-for.ts';

const GLUSTERD_DEADLINE_MS = 30_000;
const HEKAFSD_DEADLINE_MS = 30_000;
const HEKAFSD_STOP_DEADLINE_MS = 30_000;
const DEFAULT_MOUNTPOINT = '/etc/hekafs';

export interface HekafsdOptions {
	/** Further command-line flags. */
	readonly flags?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	/** Must agree with `flags`; default `/etc/hekafs`. */
	readonly mountpoint?: string;
}

/** Type of the topmost filesystem mounted exactly at `path` in the host, or null. Touches no mount: reads the mount table. */
export const filesystemAt = (host: Host, path: string): string | null => {
	const table = readFileSync(`/proc/${host.namespaces.initPid}/mountinfo`, 'utf8');
	// Fields of proc_pid_mountinfo(5): the fifth is the mount point; the type is the first one after the lone hyphen.
	const types = table.split('\n').flatMap(line => {
		const [before, after] = line.split(' - ');
		return before?.split(' ')[4] === path && after !== undefined ? [after.split(' ')[0]!] : [];
	});
	return types.at(-1) ?? null;
};

/** Starts glusterd as Debian's unit does (a daemon with a pid file) and waits until the `gluster` command answers. */
export const startGlusterd = async (host: Host): Promise<void> => {
	await host.run(['glusterd', '-p', '/run/glusterd.pid', '--log-level', 'INFO'], {
		timeoutMs: GLUSTERD_DEADLINE_MS,
	});
	await waitFor(async () => (await host.exec(['gluster', '--mode=script', 'pool', 'list'])).exitCode === 0, {
		deadlineMs: GLUSTERD_DEADLINE_MS,
		what: `glusterd of ${host.name} answers`,
		intervalMs: 100,
	});
};

/** Starts hekafsd in the foreground; returns when the overlay is in the host's mount table. */
export const startHekafsd = async (
	host: Host,
	{flags = [], env, mountpoint = DEFAULT_MOUNTPOINT}: HekafsdOptions = {},
): Promise<HostProcess> => {
	const daemon = await host.spawn(['node', hekafsdPath, '--foreground', ...flags], env);
	try {
		await waitFor(() => filesystemAt(host, mountpoint) === 'fuse.hekafs' || !daemon.running(), {
			deadlineMs: HEKAFSD_DEADLINE_MS,
			what: `hekafsd of ${host.name} mounts ${mountpoint}`,
		});
		if (!daemon.running()) throw new Error(`hekafsd of ${host.name} ended`);
	} catch (error) {
		await daemon[Symbol.asyncDispose]();
		throw new Error(`hekafsd of ${host.name} did not start; it said:\n${daemon.output()}`, {cause: error});
	}
	return daemon;
};

/** Ends hekafsd with SIGTERM; returns its exit code; an error when it is still there at the deadline. */
export const stopHekafsd = async (daemon: HostProcess): Promise<number | null> => {
	daemon.signal('SIGTERM');
	await waitFor(() => !daemon.running(), {
		deadlineMs: HEKAFSD_STOP_DEADLINE_MS,
		what: 'hekafsd ends after SIGTERM',
	});
	return daemon.exited;
};
