/** A small GlusterFS on loopback for one test: bricks, mounts and files below a directory of its own, gone at the end. */
import {readFileSync} from 'node:fs';
import {mkdtemp, realpath, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {startBrick, stopBrick} from '../../src/gluster/brick.ts';
import {prepareBrick} from '../../src/gluster/brick-directory.ts';
import {cleanStale} from '../../src/gluster/clean-stale.ts';
import {mountGeneration, type ClientMount, type MountOptions} from '../../src/gluster/client-mount.ts';
import {findProcessesBelow, type VerifiedProcess} from '../../src/gluster/process.ts';
import {clientVolfile, serverVolfile, type TestBrick} from './volfiles.ts';

export const FILESYSTEM_ID = '11111111-2222-4333-8444-555555555555';
export const EXPORTED = 'conf-a';
/**
 * Ports of these tests; no default port of GlusterFS or of HekaFS lies among them, nor one that the kernel gives away.
 * Each process has some of its own, so that two runs on one machine don't meet.
 */
const PORTS = {first: 25_000, perProcess: 8, processes: 970};
const firstPort = PORTS.first + (process.pid % PORTS.processes) * PORTS.perProcess;

export class GlusterLab implements AsyncDisposable {
	readonly directory: string;
	#mounts = 0;

	static async make(): Promise<GlusterLab> {
		return new GlusterLab(await realpath(await mkdtemp(join(tmpdir(), 'hekafs-gluster-'))));
	}

	private constructor(directory: string) {
		this.directory = directory;
	}

	/** The n-th brick, from 1. */
	brick(n: number): TestBrick {
		return {name: `cfs-${n}`, directory: join(this.directory, `brick${n}`), port: firstPort + n};
	}

	bricks(count: number): TestBrick[] {
		return Array.from({length: count}, (_, i) => this.brick(i + 1));
	}

	runDirectory(n: number): string {
		return join(this.directory, `run${n}`);
	}

	log(name: string): string {
		return join(this.directory, `${name}.log`);
	}

	async prepare(n: number): Promise<void> {
		await prepareBrick(this.brick(n).directory, FILESYSTEM_ID);
	}

	async start(n: number, exported = EXPORTED, volumeId = FILESYSTEM_ID): Promise<VerifiedProcess> {
		const brick = this.brick(n);
		return startBrick({
			volfile: serverVolfile(brick, exported, volumeId),
			directory: brick.directory,
			port: brick.port,
			runDirectory: this.runDirectory(n),
			logFile: this.log(`brick${n}`),
		});
	}

	async stop(n: number): Promise<boolean> {
		return stopBrick(this.runDirectory(n));
	}

	/** Options of a new mount of the first `count` bricks. */
	mountOptions(count: number, exported = EXPORTED): MountOptions {
		const name = `gen-${++this.#mounts}`;
		return {
			volfile: clientVolfile(this.bricks(count), exported, FILESYSTEM_ID),
			directory: join(this.directory, 'run', 'gen', name),
			runDirectory: join(this.directory, 'run'),
			name,
			logFile: this.log(name),
		};
	}

	async mount(count: number, exported = EXPORTED): Promise<ClientMount> {
		return mountGeneration(this.mountOptions(count, exported));
	}

	/** What is left: mounts and processes below the lab's directory. */
	async leftovers(): Promise<string[]> {
		const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
			.split('\n')
			.filter(line => line.includes(this.directory));
		const processes = await findProcessesBelow(this.directory);
		return [...mounts, ...processes.map(process => `${process.pid} ${process.pidFile}`)];
	}

	/** Removes everything by force, so that a failed test does not disturb the next one. */
	async [Symbol.asyncDispose](): Promise<void> {
		await cleanStale(this.directory, {termMs: 0});
		await rm(this.directory, {recursive: true, force: true});
	}
}
