/** Nodes of a copy, made up. */
import {STATX, STATX_SIZE} from '../../src/posix/statx.ts';
import {type CopyNode, keepAttributes, TYPE} from '../../src/snapshot/tree.ts';

/** A node with that inode number and type; whatever else is asked for. */
export const copyNode = (
	ino: bigint,
	type: number,
	rest: Partial<Omit<CopyNode, 'statx'>> = {},
): CopyNode => {
	const statx = Buffer.alloc(STATX_SIZE);
	statx.writeBigUInt64LE(ino, STATX.ino);
	statx.writeUInt16LE(type | 0o644, STATX.mode);
	statx.writeBigUInt64LE(BigInt(rest.content?.length ?? 0), STATX.size);
	return {
		statx: keepAttributes(statx),
		content: undefined,
		target: undefined,
		xattrs: [],
		children: undefined,
		...rest,
	};
};

export const directoryNode = (ino: bigint, children: ReadonlyMap<string, bigint>): CopyNode =>
	copyNode(ino, TYPE.directory, {children});
