/** The one door for mutations: which requests mutate, and whether the gate admits them now. */
import {OPCODE, OPCODE_LIMIT, type OpcodeName} from '../fuse/wire/abi.ts';
import {type GateReader} from '../membership/gate.ts';
import {ERRNO} from '../posix/errno.ts';
import {O} from '../posix/open-flags.ts';
import {COPY_SERVES, copyOf} from './copy-generation.ts';
import {type CurrentRoot} from './current-root.ts';

/** `by flags`: OPEN, whose flags say whether it is for writing. */
type Mutates = 'always' | 'never' | 'by flags';

/**
 * Whether a request changes the filesystem; an opcode without an answer does not compile. Locks don't: they are had on a
 * read-only filesystem too. FSYNC and FLUSH carry only what was admitted before.
 */
const MUTATES = {
	LOOKUP: 'never',
	FORGET: 'never',
	GETATTR: 'never',
	SETATTR: 'always',
	READLINK: 'never',
	SYMLINK: 'always',
	MKNOD: 'always',
	MKDIR: 'always',
	UNLINK: 'always',
	RMDIR: 'always',
	RENAME: 'always',
	LINK: 'always',
	OPEN: 'by flags',
	READ: 'never',
	WRITE: 'always',
	STATFS: 'never',
	RELEASE: 'never',
	FSYNC: 'never',
	SETXATTR: 'always',
	GETXATTR: 'never',
	LISTXATTR: 'never',
	REMOVEXATTR: 'always',
	FLUSH: 'never',
	INIT: 'never',
	OPENDIR: 'never',
	READDIR: 'never',
	RELEASEDIR: 'never',
	FSYNCDIR: 'never',
	GETLK: 'never',
	SETLK: 'never',
	SETLKW: 'never',
	ACCESS: 'never',
	CREATE: 'always',
	INTERRUPT: 'never',
	BMAP: 'never',
	DESTROY: 'never',
	IOCTL: 'never',
	POLL: 'never',
	NOTIFY_REPLY: 'never',
	BATCH_FORGET: 'never',
	FALLOCATE: 'always',
	READDIRPLUS: 'never',
	RENAME2: 'always',
	LSEEK: 'never',
	COPY_FILE_RANGE: 'always',
	SETUPMAPPING: 'never',
	REMOVEMAPPING: 'never',
	SYNCFS: 'never',
	TMPFILE: 'always',
	STATX: 'never',
	COPY_FILE_RANGE_64: 'always',
} as const satisfies Record<OpcodeName, Mutates>;

const ALWAYS_MUTATES = new Array<boolean>(OPCODE_LIMIT).fill(false);
for (const [name, mutates] of Object.entries(MUTATES))
	ALWAYS_MUTATES[OPCODE[name as OpcodeName]] = mutates === 'always';

/** Whether requests of this opcode mutate whatever their arguments are. */
export const alwaysMutates = (opcode: number): boolean => ALWAYS_MUTATES[opcode] ?? false;

/** Whether OPEN or CREATE with these flags is for writing. */
export const opensForWriting = (flags: number): boolean =>
	(flags & O.ACCMODE) !== O.RDONLY || (flags & O.TRUNC) !== 0;

const {EROFS, ENOTCONN, ESTALE, EIO, ECONNABORTED, EXDEV} = ERRNO;

/** Permission bits that are shown while the gate is open, and while it is closed: no write bits. */
const ALL_BITS = 0o7777;
const NO_WRITE_BITS = 0o7555;

/** What a dying mount gives; EXDEV is what its files look like once another one is current. */
const LOST = new Set<unknown>([-ENOTCONN, -ESTALE, -EIO, -ECONNABORTED, -EXDEV]);

/** Whether an answer may come from a mount that is not the current one any more. */
export const isLost = (result: unknown): boolean => LOST.has(result);

/** How long a look at what was changed already is repeated, and how often. Shorter than the deadline of a request. */
const PATIENCE_MS = 3000;
const PAUSE_MS = 20;
/** Nobody changes it: to sleep on. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Admits what runs on one thread. */
export class Guard {
	readonly #gate: GateReader;
	readonly #root: CurrentRoot;
	readonly #waitMs: number;
	/**
	 * Set for one request, by `isLocal`, when the answer was promised to come from memory: then nothing is admitted, even
	 * if the gate has opened or a backing has come since. The last free thread relies on it.
	 */
	memoryOnly = false;

	/** @param waitMs how long a mutation waits while the gate is `switching` */
	constructor(gate: GateReader, root: CurrentRoot, waitMs: number) {
		this.#gate = gate;
		this.#root = root;
		this.#waitMs = waitMs;
	}

	/** Whether a mutation would be refused at once. */
	get refusing(): boolean {
		return this.#gate.state === 'refusing';
	}

	/** What modes are ANDed with: without an open gate no write bits are shown. */
	get modeMask(): number {
		return this.#gate.state === 'open' ? ALL_BITS : NO_WRITE_BITS;
	}

	view(): ReturnType<GateReader['view']> {
		return this.#gate.view();
	}

	/**
	 * Runs a mutation in the generation that the gate admits it in, which must be the current one (P1); -EROFS if not.
	 * @param repeatable doing it twice is the same as once: it is tried again when its mount was lost in a switch
	 */
	mutate<T>(run: (generation: number) => T, repeatable = false): T | number {
		if (this.memoryOnly) return -EROFS;
		for (let first = true; ; first = false) {
			const generation = this.#gate.enter(this.#waitMs);
			if (generation === 0) return -EROFS;
			let result: T;
			try {
				if (this.#root.generation !== generation) return -EROFS;
				result = run(generation);
			} finally {
				this.#gate.leave();
			}
			if (!first || !repeatable || !isLost(result) || this.#gate.state !== 'switching') return result;
		}
	}

	/**
	 * Runs a reading in the current generation; -ENOTCONN without one, COPY_SERVES when the copy is current. Waits for a
	 * switch that took its mount away.
	 */
	read<T>(run: (generation: number) => T): T | number {
		for (let first = true; ; first = false) {
			const generation = this.#root.generation;
			if (generation === 0 || this.memoryOnly) return -ENOTCONN;
			if (copyOf(generation) !== 0) return COPY_SERVES;
			const result = run(generation);
			if (!first || !isLost(result)) return result;
			if (this.#root.generation !== generation) continue;
			if (this.#gate.state !== 'switching') return result;
			if (this.#gate.enter(this.#waitMs) !== 0) this.#gate.leave();
		}
	}

	/** As `read`, and looks again for a while when the mount gives no answer: for looks at what was changed already. */
	readPatiently<T>(run: (generation: number) => T): T | number {
		let result = this.read(run);
		for (let waitedMs = 0; isLost(result) && waitedMs < PATIENCE_MS; waitedMs += PAUSE_MS) {
			Atomics.wait(NEVER, 0, 0, PAUSE_MS);
			result = this.read(run);
		}
		return result;
	}
}
