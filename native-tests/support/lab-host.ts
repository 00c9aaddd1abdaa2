/** One host of the lab: namespaces with an own `/run`, `/etc`, `/srv`, glusterd and HekaFS directories, and what tests do with it. */
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {startGlusterd, startHekafsd, type HekafsdOptions} from './host-daemons.ts';
import {startHostProcess, type HostProcess} from './host-process.ts';
import {type LabNetwork, type Plug} from './lab-network.ts';
import {type MachineProcess} from './machine-processes.ts';
import {startNamespaces, type Namespaces} from './namespaces.ts';
import {runCommand, runOrThrow, type CommandOptions, type CommandResult} from './run-command.ts';
import {hfsConfigPath} from './programs.ts';

/** Directories of a host that are private and outlive a power-off. */
const KEPT = ['var/lib/glusterd', 'var/lib/hekafs', 'var/log/glusterfs', 'var/log/hekafs', 'srv', 'mnt'];

// $1 = the host's directory on the machine, $2 = its name, the rest = KEPT. What is written elsewhere in /etc, /var/lib and
// /var/log goes to a tmpfs, so that the machine's own directories are seen but never changed.
const SETUP = `
directory=$1 name=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/gluster
mount -t tmpfs -o mode=755 tmpfs "$directory/layers"
for top in etc var/lib var/log; do
	mkdir -p "$directory/layers/$top/upper" "$directory/layers/$top/work"
	mount -t overlay -o "lowerdir=/$top,upperdir=$directory/layers/$top/upper,workdir=$directory/layers/$top/work" overlay "/$top"
done
for kept; do mkdir -p "/$kept"; mount --bind "$directory/$kept" "/$kept"; done
mkdir -p /etc/hekafs
cat "$directory/hosts" >/etc/hosts
hostname "$name"
ip link set lo up`;

export interface HostPlan {
	readonly name: string;
	readonly index: number;
	readonly address: string;
	/** Directory on the machine with everything of this host. */
	readonly directory: string;
	/** Content of `/etc/hosts`. */
	readonly hosts: string;
}

/** Names are those of the contract with test authors: every method works on the host as it is now, and fails while it is off. */
export class Host implements Plug {
	readonly name: string;
	readonly index: number;
	readonly address: string;
	readonly directory: string;
	readonly #network: LabNetwork;
	#namespaces: Namespaces | null = null;

	constructor(plan: HostPlan, network: LabNetwork) {
		({name: this.name, index: this.index, address: this.address, directory: this.directory} = plan);
		this.#network = network;
	}

	/** Makes the directories and powers the host on. */
	static async create(plan: HostPlan, network: LabNetwork): Promise<Host> {
		for (const kept of [...KEPT, 'layers']) await mkdir(join(plan.directory, kept), {recursive: true});
		await writeFile(join(plan.directory, 'hosts'), plan.hosts);
		const host = new Host(plan, network);
		await host.powerOn();
		return host;
	}

	get namespaces(): Namespaces {
		if (this.#namespaces === null) throw new Error(`host ${this.name} is off`);
		return this.#namespaces;
	}

	isOn(): boolean {
		return this.#namespaces !== null;
	}

	/** Runs a command to its end; default time-out 10 s. How it ended is in the result. */
	exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
		return runCommand(this.namespaces.enter, argv, options);
	}

	/** Runs a command that must succeed; returns its standard output. */
	run(argv: readonly string[], options?: CommandOptions): Promise<string> {
		return runOrThrow(this.namespaces.enter, argv, options);
	}

	/** Runs a line of POSIX shell that must succeed; `args` are $1, $2, …. */
	shell(line: string, args: readonly string[] = [], options?: CommandOptions): Promise<string> {
		return this.run(['sh', '-c', line, 'sh', ...args], options);
	}

	/** Starts a command and leaves it running. */
	spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<HostProcess> {
		return startHostProcess(this.namespaces.enter, argv, env);
	}

	/** All processes of the host whose command line, joined with spaces, contains `text`; our own `timeout` wrappers are left out. */
	processes(text = ''): MachineProcess[] {
		const all = this.namespaces.processes();
		return all.filter(({argv}) => argv[0] !== 'timeout' && argv.join(' ').includes(text));
	}

	/** Sends a signal to a process by its number inside the host; an error when there is none. */
	signal(pid: number, name: NodeJS.Signals): void {
		const found = this.namespaces.processes().find(candidate => candidate.pid === pid);
		if (found === undefined) throw new Error(`host ${this.name} has no process ${pid}`);
		process.kill(found.outsidePid, name);
	}

	kill(pid: number): void {
		this.signal(pid, 'SIGKILL');
	}

	/** Stops a process as SIGSTOP does: it hangs, its sockets stay open. */
	stop(pid: number): void {
		this.signal(pid, 'SIGSTOP');
	}

	cont(pid: number): void {
		this.signal(pid, 'SIGCONT');
	}

	readFile(path: string, options?: CommandOptions): Promise<string> {
		return this.run(['cat', '--', path], options);
	}

	/** Writes a file as `cat > path` does in a shell: truncates, keeps the inode. */
	async writeFile(path: string, content: string | Uint8Array, options?: CommandOptions): Promise<void> {
		await this.shell('cat > "$1"', [path], {...options, input: content});
	}

	async exists(path: string): Promise<boolean> {
		return (await this.exec(['stat', '--', path])).exitCode === 0;
	}

	/** Drops all packets of this host silently. */
	partition(): Promise<void> {
		return this.#network.partition(this.index);
	}

	/** Drops the packets between this host and another one silently. */
	cut(other: Host): Promise<void> {
		return this.#network.cut(this, other);
	}

	/** Undoes `partition` and this host's end of every `cut`; `Lab.healNet` undoes everything. */
	healNet(): Promise<void> {
		return this.#network.heal(this);
	}

	/** Pulls the plug: the cable first, so that no connection is closed, then every process. What is on its disks stays. */
	async powerOff(): Promise<void> {
		const {namespaces} = this;
		await this.#network.unplug(this.index);
		await namespaces.end();
		this.#namespaces = null;
	}

	/** Switches the host on with its disks as they were, `/run` and `/etc` fresh; starts no daemon. */
	async powerOn(): Promise<void> {
		if (this.#namespaces !== null) throw new Error(`host ${this.name} is on`);
		const log = join(this.directory, 'init.log');
		this.#namespaces = await startNamespaces(SETUP, [this.directory, this.name, ...KEPT], log);
		await this.#network.plugIn(this);
	}

	/** Ends the host for good and removes its files. */
	async destroy(): Promise<void> {
		await this.#namespaces?.end();
		this.#namespaces = null;
		await rm(this.directory, {recursive: true, force: true});
	}

	/** Starts glusterd and waits until its command answers. */
	startGlusterd(): Promise<void> {
		return startGlusterd(this);
	}

	/** Starts hekafsd in the foreground and waits until the overlay is mounted. */
	startHekafsd(options?: HekafsdOptions): Promise<HostProcess> {
		return startHekafsd(this, options);
	}

	/** Runs `hfs_config` with these arguments. */
	hfs(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
		return this.exec(['node', hfsConfigPath, ...args], {timeoutMs: 60_000, ...options});
	}
}
