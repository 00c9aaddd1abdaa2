/** Reads what a GlusterFS client shows about itself in its virtual `.meta` directory; pure. Observed on 10.3. */

/** Below the root of the mount; `afr` is the name of the replicate translator in our volfiles. */
export const REPLICATE_META = '.meta/graphs/active/afr/private';
/** Virtual xattr of any file or directory of the mount: how many entries one brick holds as not healed. */
export const PENDING_XATTR = 'glusterfs.xattrop_index_count';

/** State of cluster/replicate. Arrays have one element for each child, in the volfile's order. */
export interface ReplicateState {
	readonly childCount: number;
	readonly up: readonly boolean[];
	/** `trusted.afr.<client translator>`: which brick stands at which place. */
	readonly pendingKeys: readonly string[];
	readonly quorumType: string | undefined;
	/** Whether quorum is met. */
	readonly hasQuorum: boolean;
}

/** More children than GlusterFS admits in one replica set is garbage. */
const MAX_CHILDREN = 64;

/**
 * @param text content of REPLICATE_META. Without quorum that file can't even be read (ENOTCONN).
 * @returns undefined when the text is not of that form or does not describe each child
 */
export const parseReplicateState = (text: string): ReplicateState | undefined => {
	const values = new Map<string, string>();
	for (const line of text.split('\n')) {
		const match = /^(\S+) = (.*)$/.exec(line);
		if (match !== null) values.set(match[1]!, match[2]!);
	}
	const childCount = Number(values.get('child_count'));
	if (!Number.isInteger(childCount) || childCount < 1 || childCount > MAX_CHILDREN) return undefined;
	const children = Array.from({length: childCount}, (_, i) => ({
		up: values.get(`child_up[${i}]`),
		pendingKey: values.get(`pending_key[${i}]`),
	}));
	if (children.some(child => child.up === undefined || child.pendingKey === undefined)) return undefined;
	return {
		childCount,
		up: children.map(child => child.up === '1'),
		pendingKeys: children.map(child => child.pendingKey!),
		quorumType: values.get('quorum-type'),
		hasQuorum: values.get('up') === '1',
	};
};

/** @param value of PENDING_XATTR: decimal digits, NUL at the end. @returns undefined when it is something else */
export const parsePendingCount = (value: Buffer): number | undefined => {
	const text = value.toString('latin1').replace(/\0$/, '');
	return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};
