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

const isFailure = (result: unknown): boolean => typeof result === 'number' && result < 0;

/** Whether an answer may come from a mount that is not the current one any more. */
export const isLost = (result: unknown): boolean => LOST.has(result);

/** What GlusterFS answers at the moment when it loses a server, though the others go on; the next call works. */
const isCutOff = (result: unknown): boolean => result === -ENOTCONN;

/** Tells that a mutation whose answer was lost was not done, so that it may be done now. */
export const NOT_DONE = Symbol('not done');

/** The answer to a mutation of which it can't be told whether it was done. */
export const UNKNOWN = -EIO;

/**
 * Finds out, in the generation given, what became of a mutation whose answer was lost: NOT_DONE, the answer that it should
 * have had, UNKNOWN, or a lost answer again when it could not look.
 */
export type Inspect<T> = (generation: number) => T | number | typeof NOT_DONE;

/** For mutations that may be done twice. */
export const repeatable = (): typeof NOT_DONE => NOT_DONE;

/** How long what was cut off is tried again, and how often. Shorter than the deadline of a request. */
const PATIENCE_MS = 3000;
const PAUSE_MS = 20;
/** Nobody changes it: to sleep on. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));
const pause = (): void => {
	Atomics.wait(NEVER, 0, 0, PAUSE_MS);
};

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
	 * @param inspect when the answer was lost with the mount or with a server, it says whether the mutation is to be done
	 * again; without it a lost answer is the answer
	 */
	mutate<T>(run: (generation: number) => T, inspect?: Inspect<T>): T | number {
		if (this.memoryOnly) return -EROFS;
		let lost: T | number | undefined;
		let giveUpAtMs = Infinity;
		for (;;) {
			const generation = this.#gate.enter(this.#waitMs);
			if (generation === 0) return lost ?? -EROFS;
			let result: T | number;
			try {
				if (this.#root.generation !== generation) return lost ?? -EROFS;
				const found = lost === undefined ? NOT_DONE : inspect!(generation);
				result = found === NOT_DONE ? run(generation) : found;
			} finally {
				this.#gate.leave();
			}
			if (!isFailure(result)) this.#root.uncover(generation);
			if (inspect === undefined || !this.#mayGoOn(result)) return result;
			if (lost === undefined) giveUpAtMs = performance.now() + PATIENCE_MS;
			else if (performance.now() >= giveUpAtMs) return result;
			lost = result;
			if (this.#gate.state === 'open') pause();
		}
	}

	/** Whether the same may be answered otherwise in a moment: after a switch that goes on, or by the servers that are left. */
	#mayGoOn(result: unknown): boolean {
		const {state} = this.#gate;
		return (isLost(result) && state === 'switching') || (isCutOff(result) && state === 'open');
	}

	/**
	 * Runs a reading in the current generation; -ENOTCONN without one, COPY_SERVES when the copy is current. Waits for a
	 * switch that took its mount away, and asks again while a lost server has not been noticed.
	 */
	read<T>(run: (generation: number) => T): T | number {
		let giveUpAtMs: number | undefined;
		for (let switched = false; ;) {
			const generation = this.#root.generation;
			if (generation === 0 || this.memoryOnly) return -ENOTCONN;
			if (copyOf(generation) !== 0) return COPY_SERVES;
			const result = run(generation);
			if (!isLost(result)) return result;
			const moved = this.#root.generation !== generation;
			if (!moved && !this.#mayGoOn(result)) return result;
			if (!moved && this.#gate.state === 'open') {
				giveUpAtMs ??= performance.now() + PATIENCE_MS;
				if (performance.now() >= giveUpAtMs) return result;
				pause();
				continue;
			}
			// Once: what is lost in the new mount, too, is so for another reason.
			if (switched) return result;
			switched = true;
			if (!moved && this.#gate.enter(this.#waitMs) !== 0) this.#gate.leave();
		}
	}

	/** As `read`, for what brings to the servers what was changed before: from then on the copy must not stand for them. */
	finish<T>(run: (generation: number) => T): T | number {
		return this.read(generation => {
			const result = run(generation);
			if (!isFailure(result)) this.#root.uncover(generation);
			return result;
		});
	}

	/** As `read`, and looks again for a while when the mount gives no answer: for looks at what was changed already. */
	readPatiently<T>(run: (generation: number) => T): T | number {
		let result = this.read(run);
		for (let waitedMs = 0; isLost(result) && waitedMs < PATIENCE_MS; waitedMs += PAUSE_MS) {
			pause();
			result = this.read(run);
		}
		return result;
	}
}
