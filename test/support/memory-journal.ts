/** The journal's files in memory, which fail when they are told to; and records to put into them. */
import {createHash} from 'node:crypto';
import {type JournalFiles, type KeptState} from '../../src/journal/ports.ts';
import {type FileState, type JournalRecord} from '../../src/journal/record.ts';

export class MemoryJournal implements JournalFiles {
	readonly files = new Map<string, Buffer>();
	readonly directories = new Set<string>();
	readonly states_ = new Map<string, FileState>();
	/** How many bytes of the next append arrive before it fails. */
	failAfter: number | undefined;

	async list(path: string): Promise<readonly string[] | null> {
		const names = [...this.files.keys(), ...this.directories]
			.filter(each => each.startsWith(`${path}/`))
			.map(each => each.slice(path.length + 1).split('/', 1)[0]!);
		return Promise.resolve(this.directories.has(path) ? [...new Set(names)].toSorted() : null);
	}

	async mkdir(path: string): Promise<boolean> {
		const fresh = !this.directories.has(path);
		this.directories.add(path);
		return Promise.resolve(fresh);
	}

	async append(path: string, data: Uint8Array): Promise<number> {
		const failAfter = this.failAfter;
		this.failAfter = undefined;
		const arrived = data.subarray(0, failAfter ?? data.length);
		const whole = Buffer.concat([this.files.get(path) ?? Buffer.alloc(0), arrived]);
		this.files.set(path, whole);
		return failAfter === undefined ? Promise.resolve(whole.length) : Promise.reject(new Error('no quorum'));
	}

	async readAt(path: string, offset: number, maxBytes: number): Promise<Buffer | null> {
		return Promise.resolve(this.files.get(path)?.subarray(offset, offset + maxBytes) ?? null);
	}

	async remove(path: string): Promise<void> {
		this.files.delete(path);
		return Promise.resolve();
	}

	async replace(path: string, data: Uint8Array): Promise<void> {
		this.files.set(path, Buffer.from(data));
		return Promise.resolve();
	}

	async read(path: string): Promise<Buffer | null> {
		return Promise.resolve(this.files.get(path) ?? null);
	}

	async keep(path: Uint8Array, directory: string, maxBytes: number): Promise<KeptState | null> {
		const name = Buffer.from(path).toString();
		const content = this.files.get(name);
		if (content === undefined || content.length > maxBytes) return Promise.resolve(null);
		const hash = createHash('sha256').update(content).digest('hex');
		this.files.set(`${directory}/${hash}`, content);
		return Promise.resolve({...(this.states_.get(name) ?? stateOf()), size: content.length, hash});
	}

	async states(paths: readonly Uint8Array[]): Promise<ReadonlyArray<FileState | null>> {
		return Promise.resolve(paths.map(path => this.states_.get(Buffer.from(path).toString()) ?? null));
	}
}

export const stateOf = (over: Partial<FileState> = {}): FileState => ({
	ino: '00000000000000ab',
	size: 3,
	mtimeSec: 1_700_000_000,
	mtimeNsec: 5,
	mode: 0o100644,
	uid: 0,
	gid: 0,
	...over,
});

export const recordOf = (counter: number, over: Partial<JournalRecord> = {}): JournalRecord => ({
	counter,
	timeMs: 1_700_000_000_000 + counter,
	operation: 'write',
	path: Buffer.from('a/b'),
	to: null,
	uid: 0,
	pid: 12,
	command: 'sh',
	errno: 0,
	writes: 1,
	bytes: 3,
	after: null,
	...over,
});
