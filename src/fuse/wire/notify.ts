/** Messages from us to the kernel that answer nothing: `unique` is 0 and the error field holds the notify code. */
import {NOTIFY, OUT_HEADER_SIZE} from './abi.ts';

const start = (size: number, code: number): Buffer => {
	const message = Buffer.alloc(OUT_HEADER_SIZE + size);
	message.writeUInt32LE(message.length, 0);
	message.writeInt32LE(code, 4);
	return message;
};

/**
 * FUSE_NOTIFY_INVAL_INODE: drops the cached attributes, and with `offset` ≥ 0 the cached pages too.
 * @param offset -1: attributes only, which never blocks
 * @param length 0: to the end of the file
 */
export const encodeInvalInode = (nodeid: number, offset: bigint, length: bigint): Buffer => {
	const message = start(24, NOTIFY.INVAL_INODE);
	message.writeBigUInt64LE(BigInt(nodeid), 16);
	message.writeBigInt64LE(offset, 24);
	message.writeBigInt64LE(length, 32);
	return message;
};

/** FUSE_NOTIFY_INVAL_ENTRY: drops a name from the dentry cache. Waits for the parent directory's lock in the kernel. */
export const encodeInvalEntry = (parent: number, name: Uint8Array): Buffer => {
	const message = start(16 + name.length + 1, NOTIFY.INVAL_ENTRY);
	message.writeBigUInt64LE(BigInt(parent), 16);
	message.writeUInt32LE(name.length, 24);
	message.set(name, 32);
	return message;
};
