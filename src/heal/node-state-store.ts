/** What this node remembers between runs: its state file, its copy of the cluster's secret, its own UUID if glusterd has none. */
import {randomUUID} from 'node:crypto';
import {
	chmodSync,
	closeSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import {HekafsError} from '../errors.ts';
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {formatNodeState, type NodeState, parseNodeState} from '../membership/node-state.ts';
import {UNKNOWN_FORMAT} from '../membership/schema.ts';

const isErrno = (error: unknown, code: string): boolean =>
	error instanceof Error && 'code' in error && error.code === code;

/** Survives a crash at any moment: temporary file, fsync, rename, fsync of the directory. */
const replaceFile = (file: string, text: string): void => {
	const temporary = `${file}.new`;
	const fd = openSync(temporary, 'w', 0o600);
	try {
		writeSync(fd, text);
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
	renameSync(temporary, file);
	const directory = openSync(path.dirname(file), 'r');
	try {
		fsyncSync(directory);
	} finally {
		closeSync(directory);
	}
};

/** What heal/ does with it. */
export type StateStore = Pick<NodeStateStore, 'read' | 'write' | 'remove' | 'readSecret' | 'writeSecret'>;

export class NodeStateStore {
	readonly #directory: string;

	/** Creates the directory (0700). Throws HEKAFS_STATE_UNREADABLE or HEKAFS_NO_SPACE. */
	constructor(directory: string) {
		this.#directory = directory;
		this.#guard(directory, () => {
			mkdirSync(directory, {recursive: true, mode: 0o700});
			chmodSync(directory, 0o700);
		});
	}

	/** Undefined when this node has never been part of a config filesystem. Throws HEKAFS_STATE_UNREADABLE, HEKAFS_STATE_INVALID. */
	read(): NodeState | undefined {
		const bytes = this.#read('state.json');
		if (bytes === undefined) return undefined;
		const read = parseNodeState(bytes);
		if (read.kind === 'invalid' && read.problem.includes(UNKNOWN_FORMAT)) {
			throw new HekafsError('HEKAFS_STATE_INVALID', `${this.#file('state.json')}: ${read.problem}`, {
				remedy:
					'Nothing was changed. Install the version of HekaFS that wrote it, or a newer one: the same on all nodes (`hekafsd --version`).',
			});
		}
		if (read.kind !== 'state') {
			throw new HekafsError(
				'HEKAFS_STATE_INVALID',
				`${this.#file('state.json')}: ${read.kind === 'invalid' ? read.problem : 'it is empty'}`,
				{
					remedy:
						'Restore the file from a backup. If this node is no config server you may move it away: the node learns the server set again from its peers.',
				},
			);
		}
		return read.state;
	}

	write(state: NodeState): void {
		this.#write('state.json', formatNodeState(state));
	}

	/** This node has never been part of a config filesystem, after all. */
	remove(): void {
		this.#guard(this.#file('state.json'), () => rmSync(this.#file('state.json'), {force: true}));
	}

	readSecret(): string | undefined {
		return this.#read('secret')?.toString('latin1').trim();
	}

	writeSecret(secret: string): void {
		if (this.readSecret() !== secret) this.#write('secret', `${secret}\n`);
	}

	/** A UUID of our own, made once: for machines on which glusterd has never run. */
	ownUuid(): NodeUuid {
		const stored = parseNodeUuid(this.#read('node-uuid')?.toString('latin1').trim() ?? '');
		if (stored !== undefined) return stored;
		const uuid = randomUUID() as string as NodeUuid;
		this.#write('node-uuid', `${uuid}\n`);
		return uuid;
	}

	#file(name: string): string {
		return path.join(this.#directory, name);
	}

	#read(name: string): Buffer | undefined {
		return this.#guard(this.#file(name), () => {
			try {
				return readFileSync(this.#file(name));
			} catch (error) {
				if (isErrno(error, 'ENOENT')) return undefined;
				throw error;
			}
		});
	}

	#write(name: string, text: string): void {
		this.#guard(this.#file(name), () => replaceFile(this.#file(name), text));
	}

	#guard<T>(what: string, action: () => T): T {
		try {
			return action();
		} catch (error) {
			if (isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT')) {
				throw new HekafsError('HEKAFS_NO_SPACE', `no space to write ${what}`, {
					cause: error,
					remedy: 'Free space on that disk (df -h); nothing was changed.',
				});
			}
			throw new HekafsError('HEKAFS_STATE_UNREADABLE', `can't read or write ${what}`, {
				cause: error,
				remedy: 'hekafsd must run as root, with a readable and writable state directory (--state).',
			});
		}
	}
}
