/** Frames of a journal file: length, checksum, payload; so that a torn tail is recognised. Pure. */
import {crc32} from 'node:zlib';

/** Length and CRC-32 of the payload, each 32 bits, little endian. */
const HEADER_BYTES = 8;
/** What is longer is no frame of ours: two paths of PATH_MAX and a command fit many times. */
export const FRAME_MAX_BYTES = 64 * 1024;

/** @returns the payload as a frame. Throws RangeError when it is longer than FRAME_MAX_BYTES */
export const encodeFrame = (payload: Uint8Array): Buffer => {
	if (payload.length === 0 || payload.length > FRAME_MAX_BYTES)
		throw new RangeError(`a frame of ${payload.length} bytes`);
	const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
	frame.writeUInt32LE(payload.length, 0);
	frame.writeUInt32LE(crc32(payload), 4);
	frame.set(payload, HEADER_BYTES);
	return frame;
};

export interface Frames {
	readonly payloads: readonly Buffer[];
	/** Bytes up to the end of the last whole frame. */
	readonly used: number;
	/**
	 * `end`: nothing is left. `short`: what is left may be the beginning of a frame that is still being written.
	 * `broken`: what is left can't become one, whatever follows.
	 */
	readonly rest: 'end' | 'short' | 'broken';
}

/** Reads the whole frames at the beginning of `bytes`. The payloads are views. Never throws, whatever the bytes are. */
export const readFrames = (bytes: Buffer): Frames => {
	const payloads: Buffer[] = [];
	let used = 0;
	for (;;) {
		const left = bytes.length - used;
		if (left === 0) return {payloads, used, rest: 'end'};
		if (left < HEADER_BYTES) return {payloads, used, rest: 'short'};
		const length = bytes.readUInt32LE(used);
		if (length === 0 || length > FRAME_MAX_BYTES) return {payloads, used, rest: 'broken'};
		if (left < HEADER_BYTES + length) return {payloads, used, rest: 'short'};
		const payload = bytes.subarray(used + HEADER_BYTES, used + HEADER_BYTES + length);
		if (crc32(payload) !== bytes.readUInt32LE(used + 4)) return {payloads, used, rest: 'broken'};
		payloads.push(payload);
		used += HEADER_BYTES + length;
	}
};
