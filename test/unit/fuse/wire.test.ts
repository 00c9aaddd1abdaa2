/** The codec alone: malformed messages, INIT, notifications. */
import test from 'ava';
import fc from 'fast-check';
import {answerInit} from '../../../src/fuse/wire/init.ts';
import {encodeInvalEntry, encodeInvalInode} from '../../../src/fuse/wire/notify.ts';
import {OPCODE, OUT_HEADER_SIZE} from '../../../src/fuse/wire/abi.ts';
import {encodeErrorReply, ReplyBuffer} from '../../../src/fuse/wire/reply.ts';
import {RequestBuffer, type ParseFailure} from '../../../src/fuse/wire/request.ts';
import {encodeDevice} from '../../../src/fuse/attributes.ts';
import {nameLengthOf} from '../../../src/posix/dents.ts';
import {goldenBytes} from '../../support/golden-bytes.ts';

const load = (bytes: Uint8Array): RequestBuffer => {
	const request = new RequestBuffer(65536);
	request.memory.fill(0xee);
	request.memory.set(bytes);
	return request;
};

/** The golden message after a change, and what the parser says to it. */
const parse = (
	name: string,
	change: (bytes: Buffer) => Buffer = bytes => bytes,
): ParseFailure | undefined => {
	const bytes = change(goldenBytes(`request-${name}`));
	return load(bytes).parse(bytes.length);
};
const withLength = (bytes: Buffer): Buffer => (bytes.writeUInt32LE(bytes.length, 0), bytes);

for (const name of [
	'lookup',
	'getattr',
	'setattr',
	'write',
	'read',
	'rename2',
	'setxattr',
	'batch-forget',
	'create',
	'init',
])
	test(`${name}: accepted whole, refused at every shorter length`, t => {
		t.is(parse(name), undefined);
		const {length} = goldenBytes(`request-${name}`);
		// INIT of an older kernel ends after its flags.
		const shortest = name === 'init' ? 56 : length;
		for (let cut = 0; cut < shortest; cut++) {
			t.truthy(
				parse(name, b => b.subarray(0, cut)),
				`${cut} bytes`,
			);
			if (cut >= 40)
				t.truthy(
					parse(name, b => withLength(b.subarray(0, cut))),
					`${cut} bytes, length set`,
				);
		}
	});

test('says why a message is no request', t => {
	const change = (at: number, value: number) => (b: Buffer) => (b.writeUInt32LE(value, at), b);
	t.is(
		parse('lookup', b => b.subarray(0, 39)),
		'short',
	);
	t.is(parse('lookup', change(0, 48)), 'length');
	t.is(parse('lookup', change(4, 7)), 'opcode');
	t.is(parse('lookup', change(4, 4096)), 'opcode');
	t.is(parse('lookup', change(20, 0x200000)), 'number');
	t.is(parse('lookup', change(36, 1)), 'truncated', 'extensions that reach into the name');
	t.is(parse('lookup', change(36, 0xffff)), 'truncated', 'extensions longer than the message');
	t.is(parse('read', change(44, 1)), 'number', 'a handle beyond 32 bits');
	t.is(parse('read', change(40, 0x80000000)), 'number');
	t.is(parse('write', change(56, 6)), 'truncated');
	t.is(parse('batch-forget', change(40, 3)), 'truncated');
	t.is(parse('setxattr', change(40, 4)), 'truncated');
});

test('names: not empty, no slash, no NUL inside, ended', t => {
	const lookup = (name: string): ParseFailure | undefined =>
		parse('lookup', b => withLength(Buffer.concat([b.subarray(0, 40), Buffer.from(name, 'latin1')])));
	t.is(lookup('\xff\xfe\0'), undefined);
	for (const bad of ['\0', 'a', '', 'a/b\0', '/\0', 'a\0b\0', 'a\0b'])
		t.is(lookup(bad), 'name', JSON.stringify(bad));
});

test('INIT: asks for what we can and no more', t => {
	const request = load(goldenBytes('request-init'));
	request.parse(goldenBytes('request-init').length);
	const reply = new ReplyBuffer(4096);
	const {outcome, size} = answerInit(request, reply, {maxWrite: 262144, locks: true});
	const length = reply.finish(request.uniqueLow, request.uniqueHigh, size);
	t.deepEqual(reply.memory.subarray(0, length), goldenBytes('reply-init'));
	t.is(typeof outcome === 'string' ? outcome : outcome.minor, 41);
});

test('INIT: an older kernel gets its own minor and none of the newer flags; a newer major asks again', t => {
	const answer = (major: number, minor: number, flags: number) => {
		const bytes = goldenBytes('request-init');
		bytes.writeUInt32LE(major, 40);
		bytes.writeUInt32LE(minor, 44);
		bytes.writeUInt32LE(flags, 52);
		const request = load(bytes);
		request.parse(bytes.length);
		return answerInit(request, new ReplyBuffer(4096), {maxWrite: 4096, locks: false}).outcome;
	};
	t.deepEqual(answer(7, 31, 1), {minor: 31, flags: 1, flags2: 0});
	t.deepEqual(answer(7, 31, 2), {minor: 31, flags: 0, flags2: 0}, 'locks only when wanted');
	t.is(answer(8, 0, 1), 'retry');
	t.is(answer(7, 22, 1), 'too-old');
	t.is(answer(6, 0, 1), 'too-old');
});

test('notifications and error replies, byte by byte', t => {
	t.deepEqual(encodeInvalInode(42, -1n, 0n), goldenBytes('notify-inval-inode'));
	t.deepEqual(encodeInvalEntry(1, Buffer.from('abc')), goldenBytes('notify-inval-entry'));
	const error = Buffer.alloc(16);
	encodeErrorReply(error, 0x55667788, 0x11223344, -2);
	t.deepEqual(error, goldenBytes('reply-error'));
});

test('device numbers as the kernel packs them', t => {
	t.is(encodeDevice(8, 1), 0x801);
	t.is(encodeDevice(0xfff, 0xfffff), 0xffffffff);
});

test("every opcode has a number of its own below the tables' limit", t => {
	const numbers = Object.values(OPCODE);
	t.is(new Set(numbers).size, numbers.length);
	t.true(Math.max(...numbers) < 64);
});

/** A record as getdents64(2) makes it: linux/dirent.h, padded to 8 with whatever was there. */
const recordOf = (ino: bigint, next: bigint, type: number, name: Uint8Array): Buffer => {
	const length = (19 + name.length + 1 + 7) & ~7;
	const record = Buffer.alloc(length, 0x5a);
	record.writeBigUInt64LE(ino, 0);
	record.writeBigInt64LE(next, 8);
	record.writeUInt16LE(length, 16);
	record.writeUInt8(type, 18);
	record.set(name, 19);
	record[19 + name.length] = 0;
	return record;
};

test('a record of getdents64 becomes the same bytes as its parts', t => {
	const name = fc.uint8Array({minLength: 1, maxLength: 255, min: 1});
	const number = fc.bigInt({min: 0n, max: 2n ** 63n - 1n});
	fc.assert(
		fc.property(number, number, fc.nat(14), name, (ino, next, type, bytes) => {
			const record = recordOf(ino, next, type, bytes);
			// Something stands before it, as in a listing.
			const records = Buffer.alloc(16 + record.length);
			records.set(record, 16);
			const words = new Uint32Array(records.buffer, records.byteOffset, records.length >>> 2);
			t.is(nameLengthOf(records, 16), bytes.length);
			const [one, other] = [new ReplyBuffer(1024), new ReplyBuffer(1024)];
			for (const reply of [one, other]) reply.memory.fill(0xff);
			const end = one.putRecord(OUT_HEADER_SIZE, records, words, 16, bytes.length);
			t.is(end, other.putDirent(OUT_HEADER_SIZE, Buffer.from(bytes), ino, type, next));
			t.deepEqual(one.memory.subarray(0, end), other.memory.subarray(0, end));
		}),
	);
});
