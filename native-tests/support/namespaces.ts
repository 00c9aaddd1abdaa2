/** A set of Linux namespaces (net, mount, pid, uts, ipc) that lives exactly as long as its init process. */
import {execa} from 'execa';
import {childrenOf, pidNamespaceOf, processesIn, type MachineProcess} from './machine-processes.ts';
import {waitFor} from './wait-for.ts';

const START_DEADLINE_MS = 15_000;
const END_DEADLINE_MS = 20_000;

export interface Namespaces {
	/** Number of the init process on the machine. */
	readonly initPid: number;
	/** `nsenter` and its arguments that put a command into all the namespaces, working directory `/`. */
	readonly enter: readonly string[];
	/** `nsenter` into the network namespace only: programs and `/proc` stay the machine's. */
	readonly enterNetwork: readonly string[];
	/** Whether init still runs. */
	alive(): boolean;
	processes(): MachineProcess[];
	/** Kills everything inside with SIGKILL; returns when nothing is left, fails when something is. */
	end(): Promise<void>;
}

// Bash as init reaps the orphans that daemons leave. The set-up script sees the arguments as $1, $2 …
const INIT_LOOP = `
echo ready
exec >&- 2>&-
trap 'exit 0' TERM
while :; do sleep 1000000 & wait $!; done`;

/**
 * Starts namespaces whose init runs the bash text `setup` first and then waits for ever.
 * They end with the process that called this, however it ends: the parent-death signal kills `unshare`, and that kills init.
 */
export const startNamespaces = async (
	setup: string,
	args: readonly string[],
	logFile: string,
): Promise<Namespaces> => {
	const unshare = execa(
		'setpriv',
		[
			...['--pdeathsig', 'KILL', 'unshare', '--net', '--mount', '--pid', '--uts', '--ipc', '--fork'],
			...['--kill-child=KILL', '--mount-proc', '--propagation', 'private'],
			...['bash', '-c', `set -e\n${setup}\nset +e${INIT_LOOP}`, 'init', ...args],
		],
		{stdin: 'ignore', stdout: 'pipe', stderr: {file: logFile}, reject: false, buffer: false, detached: true},
	);
	let exited = false;
	const hasExited = (): boolean => exited;
	const ended = unshare.then(() => {
		exited = true;
	});
	let output = '';
	unshare.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
	await waitFor(() => output.includes('ready') || hasExited(), {
		deadlineMs: START_DEADLINE_MS,
		what: `init is ready (see ${logFile})`,
		intervalMs: 5,
	});
	const initPid = hasExited() ? undefined : childrenOf(unshare.pid!)[0];
	const pidNamespace = initPid === undefined ? null : pidNamespaceOf(initPid);
	if (initPid === undefined || pidNamespace === null) {
		throw new Error(`the namespaces could not be set up; ${logFile} says why`);
	}
	return {
		initPid,
		enter: ['nsenter', '-t', String(initPid), '-m', '-n', '-u', '-i', '-p', '--wd=/', '--'],
		enterNetwork: ['nsenter', '-t', String(initPid), '-n', '--'],
		alive: () => !hasExited() && pidNamespaceOf(initPid) === pidNamespace,
		processes: () => processesIn(pidNamespace),
		end: async () => {
			// The kernel ends every process of a pid namespace before its init counts as dead (pid_namespaces(7)).
			if (!hasExited() && pidNamespaceOf(initPid) === pidNamespace) process.kill(initPid, 'SIGKILL');
			await waitFor(() => hasExited() && processesIn(pidNamespace).length === 0, {
				deadlineMs: END_DEADLINE_MS,
				what: `no process is left in ${pidNamespace}`,
				intervalMs: 10,
			});
			await ended;
		},
	};
};
