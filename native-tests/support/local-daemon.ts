/** A hekafsd over a local directory, with every path and port its own, for tests of one machine. */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {type CommandOptions, type CommandResult, runCommand} from './run-command.ts';
import {hekafsdPath, hfsConfigPath} from './programs.ts';
import {waitFor} from './wait-for.ts';

export interface Ended {
	readonly exitCode: number | null;
	readonly signal: NodeJS.Signals | null;
}

/** A running (or ended) hekafsd of a test. */
export interface Running {
	readonly child: ChildProcess;
	/** What it has written so far, standard output and error together. */
	readonly output: () => string;
	readonly ended: Promise<Ended>;
}

export class LocalDaemon implements AsyncDisposable {
	readonly directory = mkdtempSync(path.join(tmpdir(), 'hekafs-daemon-'));
	readonly backing = path.join(this.directory, 'backing');
	readonly mountpoint = path.join(this.directory, 'mnt');
	readonly run = path.join(this.directory, 'run');
	readonly state = path.join(this.directory, 'state');
	readonly #running: Running[] = [];

	constructor() {
		mkdirSync(this.backing);
	}

	flags(over: Readonly<Record<string, string>> = {}): readonly string[] {
		const flags = {
			'--backend': `local:${this.backing}`,
			'--mountpoint': this.mountpoint,
			'--run': this.run,
			'--state': this.state,
			'--log': path.join(this.directory, 'log'),
			'--listen': '127.0.0.1:0',
			'--glusterd-dir': path.join(this.directory, 'glusterd'),
			...over,
		};
		return Object.entries(flags).flat();
	}

	/** Starts without waiting. `prefix` stands before node, as `setpriv …` does. */
	spawn(
		over: Readonly<Record<string, string>> = {},
		{prefix = [] as readonly string[], env = {}} = {},
	): Running {
		const [program, ...args] = [...prefix, process.execPath, hekafsdPath, ...this.flags(over)];
		const child = spawn(program!, args, {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env}});
		const parts: string[] = [];
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding('utf8').on('data', (text: string) => parts.push(text));
		const ended = new Promise<Ended>(resolve =>
			child.once('close', (exitCode, signal) => resolve({exitCode, signal})),
		);
		const running = {child, output: () => parts.join(''), ended};
		this.#running.push(running);
		return running;
	}

	/** Starts and waits until it says that the overlay is mounted. */
	async start(over: Readonly<Record<string, string>> = {}): Promise<Running> {
		const running = this.spawn(over);
		let hasEnded = false;
		void running.ended.then(() => (hasEnded = true));
		await waitFor(() => Promise.resolve(running.output().includes('hekafsd: mounted') || hasEnded), {
			deadlineMs: 15_000,
			what: `hekafsd is mounted; it said: ${running.output()}`,
		});
		if (running.child.exitCode !== null) throw new Error(`hekafsd ended: ${running.output()}`);
		return running;
	}

	/** A command in a child process, which alone may touch the mount. */
	async exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
		return runCommand([], argv, options);
	}

	async shell(line: string, options?: CommandOptions): Promise<CommandResult> {
		return this.exec(['sh', '-c', line, 'sh', this.mountpoint], options);
	}

	async hfs(...args: readonly string[]): Promise<CommandResult> {
		return this.exec([process.execPath, hfsConfigPath, '--run', this.run, ...args]);
	}

	/** Type of what is mounted at the mount point, from the mount table; undefined when nothing is. */
	mountedType(): string | undefined {
		const line = readFileSync('/proc/self/mountinfo', 'utf8')
			.split('\n')
			.find(text => text.split(' ')[4] === this.mountpoint);
		return line?.split(' - ')[1]?.split(' ')[0];
	}

	/** Ends every daemon of this test. */
	async stop(): Promise<void> {
		for (const {child, ended} of this.#running) {
			if (child.exitCode === null && child.signalCode === null) {
				child.kill('SIGTERM');
				const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
				await ended;
				clearTimeout(late);
			}
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
		await this.exec(['umount', '-l', this.mountpoint]);
		await this.exec(['chattr', '-i', this.mountpoint]);
		rmSync(this.directory, {recursive: true, force: true});
	}
}
