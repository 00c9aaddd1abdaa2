/** A plain directory as the config filesystem, and the example scripts run on it as child processes. */
import {spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type ExecutionContext} from 'ava';

export const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));

export interface Outcome {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

export interface RunOptions {
	readonly input?: string;
	readonly env?: Readonly<Record<string, string>>;
	/** The shell that reads the script; default sh. */
	readonly shell?: readonly string[];
}

export class ScriptTree {
	readonly root: string;

	constructor(t: ExecutionContext) {
		this.root = mkdtempSync(join(tmpdir(), "hekafs script's "));
		for (const name of ['tenants', 'volumes']) mkdirSync(join(this.root, name));
		t.teardown(() => rmSync(this.root, {recursive: true, force: true}));
	}

	path(...names: string[]): string {
		return join(this.root, ...names);
	}

	/** Names below a directory, sorted, hidden ones too. */
	names(...path: string[]): string[] {
		return readdirSync(this.path(...path)).sort();
	}

	async run(script: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
		return await this.spawn([...(options.shell ?? ['sh']), join(EXAMPLES, script), ...args], options);
	}

	/** Runs a piece of shell with the library read in. */
	async shell(code: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
		return await this.spawn(['sh', '-c', `. "${EXAMPLES}/hfs-lib.sh"\n${code}`, 'test'], {env});
	}

	async spawn(command: readonly string[], {input = '', env = {}}: RunOptions): Promise<Outcome> {
		const child = spawn(command[0]!, command.slice(1), {
			env: {...process.env, HEKAFS_ROOT: this.root, ...env},
			timeout: 30_000,
		});
		let out = '';
		let err = '';
		child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
		child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('latin1')));
		child.stdin.on('error', () => undefined);
		child.stdin.end(input);
		const code = await new Promise<number | null>(resolve => child.once('close', resolve));
		return {code, out, err};
	}
}
