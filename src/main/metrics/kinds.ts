/** Kinds of file operations, as figures tell them apart: coarser than the kernel's requests. */
import {type OpcodeName, OPCODE, OPCODE_LIMIT} from '../../fuse/wire/abi.ts';
import {BOUNDS_MS, RESULTS, type Tallied} from '../../fuse/tally.ts';

export const KINDS = [
	'lookup',
	'attributes',
	'open',
	'read',
	'list',
	'create',
	'remove',
	'rename',
	'write',
	'change',
	'sync',
	'close',
	'lock',
	'other',
] as const;
export type Kind = (typeof KINDS)[number];

/** An opcode without a kind does not compile. */
const KIND_OF = {
	LOOKUP: 'lookup',
	FORGET: 'other',
	GETATTR: 'attributes',
	SETATTR: 'change',
	READLINK: 'read',
	SYMLINK: 'create',
	MKNOD: 'create',
	MKDIR: 'create',
	UNLINK: 'remove',
	RMDIR: 'remove',
	RENAME: 'rename',
	LINK: 'create',
	OPEN: 'open',
	READ: 'read',
	WRITE: 'write',
	STATFS: 'other',
	RELEASE: 'close',
	FSYNC: 'sync',
	SETXATTR: 'change',
	GETXATTR: 'attributes',
	LISTXATTR: 'attributes',
	REMOVEXATTR: 'change',
	FLUSH: 'close',
	INIT: 'other',
	OPENDIR: 'open',
	READDIR: 'list',
	RELEASEDIR: 'close',
	FSYNCDIR: 'sync',
	GETLK: 'lock',
	SETLK: 'lock',
	SETLKW: 'lock',
	ACCESS: 'attributes',
	CREATE: 'create',
	INTERRUPT: 'other',
	BMAP: 'other',
	DESTROY: 'other',
	IOCTL: 'other',
	POLL: 'other',
	NOTIFY_REPLY: 'other',
	BATCH_FORGET: 'other',
	FALLOCATE: 'write',
	READDIRPLUS: 'list',
	RENAME2: 'rename',
	LSEEK: 'read',
	COPY_FILE_RANGE: 'write',
	SETUPMAPPING: 'other',
	REMOVEMAPPING: 'other',
	SYNCFS: 'sync',
	TMPFILE: 'create',
	STATX: 'attributes',
	COPY_FILE_RANGE_64: 'write',
} as const satisfies Record<OpcodeName, Kind>;

const BY_OPCODE = new Array<Kind>(OPCODE_LIMIT).fill('other');
for (const [name, kind] of Object.entries(KIND_OF)) BY_OPCODE[OPCODE[name as OpcodeName]] = kind;

export interface KindFigures {
	readonly kind: Kind;
	/** In the order of RESULTS. */
	readonly results: readonly number[];
	/** In the order of BOUNDS_MS, the longer ones last; not cumulated. */
	readonly durations: readonly number[];
	readonly durationsMs: number;
}

const added = (rows: ReadonlyArray<readonly number[]>, length: number): number[] =>
	Array.from({length}, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0));

/** What was answered, by kind: each kind has an entry, in the order of KINDS. */
export const byKind = (tallied: readonly Tallied[]): readonly KindFigures[] =>
	KINDS.map(kind => {
		const rows = tallied.filter(({opcode}) => BY_OPCODE[opcode] === kind);
		return {
			kind,
			results: added(
				rows.map(row => row.results),
				RESULTS.length,
			),
			durations: added(
				rows.map(row => row.durations),
				BOUNDS_MS.length + 1,
			),
			durationsMs: rows.reduce((sum, row) => sum + row.durationsMs, 0),
		};
	});

/** How many of all requests were answered with EROFS. */
export const refusedOf = (tallied: readonly Tallied[]): number =>
	tallied.reduce((sum, {results}) => sum + results[RESULTS.indexOf('refused')]!, 0);
