/** Every error that HekaFS reports: a stable code, what it means for a program's exit, and what to do about it. */

/** Exit codes of `hekafsd` and `hfs_config`. A number once used is never reused; `docs/INTERFACE.md` lists them. */
export const EXIT = {
	ok: 0,
	/** Something failed that has no code of its own. */
	failure: 1,
	/** Wrong arguments. */
	usage: 2,
	/** `hfs_config status`: writes are admitted, but a server is down or heals are pending. */
	degraded: 3,
	/** `hfs_config status`: the gate is closed, writes are refused. */
	refusing: 4,
	/** `hfs_config`: hekafsd is not running on this node. */
	down: 5,
	/** The request was understood and refused in order to protect data. */
	refused: 6,
	/** The machine lacks something: root, a program, `/dev/fuse`, a free port, space. */
	environment: 7,
	/** Another hekafsd already runs with these paths. */
	alreadyRunning: 8,
	/** A deadline passed. */
	timeout: 9,
	/** A file of ours can't be read or holds something that it must not. */
	badState: 10,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The codes and the exit code that each leads to. */
export const ERROR_CODES = {
	HEKAFS_INTERNAL: EXIT.failure,
	HEKAFS_USAGE: EXIT.usage,
	HEKAFS_NOT_ROOT: EXIT.environment,
	HEKAFS_PROGRAM_MISSING: EXIT.environment,
	HEKAFS_PROGRAM_FAILED: EXIT.failure,
	HEKAFS_NO_FUSE: EXIT.environment,
	HEKAFS_PORT_IN_USE: EXIT.environment,
	HEKAFS_NO_SPACE: EXIT.environment,
	HEKAFS_MOUNT_FAILED: EXIT.environment,
	HEKAFS_MOUNTPOINT_NOT_EMPTY: EXIT.refused,
	HEKAFS_MOUNT_LOST: EXIT.failure,
	HEKAFS_BRICK_FAILED: EXIT.environment,
	HEKAFS_STATE_UNREADABLE: EXIT.badState,
	HEKAFS_STATE_INVALID: EXIT.badState,
	HEKAFS_ALREADY_RUNNING: EXIT.alreadyRunning,
	HEKAFS_NOT_RUNNING: EXIT.down,
	HEKAFS_TIMEOUT: EXIT.timeout,
	HEKAFS_REFUSED: EXIT.refused,
	HEKAFS_POPULATED: EXIT.refused,
	HEKAFS_BUSY: EXIT.refused,
	HEKAFS_PEER_UNREACHABLE: EXIT.failure,
	HEKAFS_PEER_INVALID: EXIT.failure,
	HEKAFS_UNAUTHENTICATED: EXIT.refused,
} as const satisfies Record<string, ExitCode>;
export type HekafsErrorCode = keyof typeof ERROR_CODES;

export interface HekafsErrorOptions {
	/** The original error; printed after the message, never repeated in it. */
	readonly cause?: unknown;
	/** What the reader can do, as a sentence. */
	readonly remedy?: string;
}

/** An operating error. Match on `code`, not on `instanceof`, across process and HTTP borders. */
export class HekafsError extends Error {
	override readonly name = 'HekafsError';
	readonly code: HekafsErrorCode;
	readonly remedy: string | undefined;

	constructor(code: HekafsErrorCode, message: string, options: HekafsErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : {cause: options.cause});
		this.code = code;
		this.remedy = options.remedy;
	}

	get exitCode(): ExitCode {
		return ERROR_CODES[this.code];
	}
}

/** The error's code when it is one of ours, else undefined. Works on objects that crossed a thread or HTTP border. */
export const errorCodeOf = (error: unknown): HekafsErrorCode | undefined => {
	if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
	const {code} = error;
	return typeof code === 'string' && code in ERROR_CODES ? (code as HekafsErrorCode) : undefined;
};

/** The message with its chain of causes and the remedy, for a terminal or a log. */
export const describeError = (error: unknown): string => {
	const parts: string[] = [];
	for (let e: unknown = error; e !== undefined && parts.length < 8;) {
		parts.push(e instanceof Error ? e.message : typeof e === 'string' ? e : JSON.stringify(e));
		e = e instanceof Error ? e.cause : undefined;
	}
	const remedy = error instanceof HekafsError && error.remedy !== undefined ? `\n  ${error.remedy}` : '';
	return parts.join(': ') + remedy;
};
