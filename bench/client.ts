/** Builds and runs `bench/client.c`: only children touch what is measured. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {run} from '../native-tests/support/child.ts';
import {type Operation} from './operations.ts';
import {type Row} from './row.ts';

const SOURCE = fileURLToPath(new URL('../../bench/client.c', import.meta.url));
const PREPARE_TIMEOUT_MS = 120_000;
/** How long one run may take beyond the time that it measures: it makes and removes files before and after. */
const RUN_GRACE_MS = 120_000;

/** One run's figures. */
export interface Figures {
	readonly operations: number;
	/** Of all clients together. */
	readonly perSecond: number;
	readonly p50Us: number;
	readonly p99Us: number;
	/** CPU time of the serving processes, per operation. */
	readonly cpuUs: number;
}

/** How much work one run is. */
export interface Amount {
	readonly milliseconds: number;
	/** Of sequential operations, MiB of all clients together. */
	readonly mib: number;
}

export class Client {
	readonly #program: string;

	/**
	 * Compiles the client.
	 * @param directory where the program goes
	 * @throws Error when there is no C compiler
	 */
	constructor(directory: string) {
		this.#program = join(directory, 'client');
		try {
			execFileSync('cc', ['-O2', '-o', this.#program, SOURCE], {stdio: ['ignore', 'ignore', 'pipe']});
		} catch (cause) {
			throw new Error('the client was not compiled; it needs a C compiler (Debian: gcc and libc6-dev)', {
				cause,
			});
		}
	}

	/** Makes the files that the operations use. */
	async prepare(directory: string): Promise<void> {
		await this.#run([directory, 'prepare'], PREPARE_TIMEOUT_MS);
	}

	/** @throws Error when an operation failed or its result was not what it must be */
	async measure(row: Row, {name}: Operation, clients: number, amount: Amount): Promise<Figures> {
		const {milliseconds, mib} = amount;
		const numbers = [clients, milliseconds, mib, ...row.pids].map(String);
		return JSON.parse(
			await this.#run([row.directory, name, ...numbers], milliseconds + RUN_GRACE_MS),
		) as Figures;
	}

	async #run(args: readonly string[], timeoutMs: number): Promise<string> {
		const {code, stdout, stderr, timedOut} = await run(this.#program, args, timeoutMs);
		if (code === 0) return stdout;
		throw new Error(`client ${args.join(' ')}: ${timedOut ? 'does not end' : stderr.trim()}`);
	}
}
