/** An entry of the tree that `hfs_config init --from DIR` sends to hekafsd, and the limits of such a tree. */

interface Owned {
	/** Relative to the root of the config filesystem, `/` between names, UTF-8. */
	readonly path: string;
	readonly uid: number;
	readonly gid: number;
}

/** Entries come in an order in which each directory stands before what is in it. */
export type InitEntry =
	| (Owned & {readonly kind: 'dir'; readonly mode: number})
	| (Owned & {readonly kind: 'file'; readonly mode: number; readonly content: Buffer})
	| (Owned & {readonly kind: 'symlink'; readonly target: string});

/** Names at the top that belong to HekaFS itself, or that GlusterFS keeps to itself on a brick (EPERM). */
const isReserved = (name: string): boolean => name === '.hekafs' || name.startsWith('.glusterfs');

/** Limits of a tree: a configuration, not a data store. */
export const INIT_LIMITS = {entries: 10_000, bytes: 16 * 1024 * 1024, depth: 32} as const;

/** Room for the contents in base64 and for 400 characters of names and modes per entry. */
export const INIT_MAX_BODY_BYTES = Math.ceil(INIT_LIMITS.bytes / 3) * 4 + INIT_LIMITS.entries * 400;

/** Whether a path is relative, has no `.`, `..`, empty or over-long names, and does not begin with a reserved name. */
export const isInitPath = (path: string): boolean => {
	const names = path.split('/');
	return (
		names.length <= INIT_LIMITS.depth &&
		!isReserved(names[0]!) &&
		names.every(
			name =>
				name !== '' &&
				name !== '.' &&
				name !== '..' &&
				!name.includes('\0') &&
				Buffer.byteLength(name) <= 255,
		)
	);
};

/** The entry as JSON: content becomes base64. */
export const encodeInitEntry = (entry: InitEntry): object =>
	entry.kind === 'file' ? {...entry, content: entry.content.toString('base64')} : entry;
