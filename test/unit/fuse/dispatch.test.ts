/** From request bytes to the operation, and from its answer to reply bytes: golden fixtures, and random messages. */
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {Dispatcher, NO_REPLY} from '../../../src/fuse/dispatch.ts';
import type {FilesystemOps, SetAttr} from '../../../src/fuse/filesystem.ts';
import {IN_HEADER_SIZE, OPCODE, OUT_HEADER_SIZE} from '../../../src/fuse/wire/abi.ts';
import {ReplyBuffer} from '../../../src/fuse/wire/reply.ts';
import {RequestBuffer} from '../../../src/fuse/wire/request.ts';
import {ERRNO} from '../../../src/posix/errno.ts';
import {goldenBytes} from '../../support/golden-bytes.ts';
import {goldenEntry, recordingOps, type Recorded} from '../../support/recording-ops.ts';

const MAX_WRITE = 65536;

const setUp = (overrides: Partial<FilesystemOps> = {}) => {
	const {ops, calls} = recordingOps(overrides);
	const request = new RequestBuffer(MAX_WRITE);
	const reply = new ReplyBuffer(MAX_WRITE);
	const dispatcher = new Dispatcher(ops, request, reply);
	/** @returns the reply's bytes, undefined when there is none */
	const send = (bytes: Uint8Array): Buffer | undefined => {
		request.memory.fill(0xee);
		request.memory.set(bytes);
		const failure = request.parse(bytes.length);
		if (failure !== undefined) throw new Error(failure);
		const result = dispatcher.run();
		if (result === NO_REPLY) return undefined;
		const length = reply.finish(request.uniqueLow, request.uniqueHigh, result);
		return Buffer.from(reply.memory.subarray(0, length));
	};
	return {calls, request, reply, dispatcher, send};
};

/** A request made of an opcode and a body, from node 1. */
const message = (opcode: number, body: Uint8Array = Buffer.alloc(0)): Buffer => {
	const bytes = Buffer.alloc(IN_HEADER_SIZE + body.length);
	bytes.writeUInt32LE(bytes.length, 0);
	bytes.writeUInt32LE(opcode, 4);
	bytes.writeBigUInt64LE(0x1122334455667788n, 8);
	bytes.writeBigUInt64LE(1n, 16);
	bytes.set(body, IN_HEADER_SIZE);
	return bytes;
};

const only = (t: ExecutionContext, calls: readonly Recorded[]): Recorded => {
	t.is(calls.length, 1);
	return calls[0]!;
};
const text = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value));

test('LOOKUP: the name, the caller, and fuse_entry_out with masked write bits', t => {
	const {send, calls, dispatcher} = setUp();
	t.deepEqual(send(goldenBytes('request-lookup')), goldenBytes('reply-entry'));
	const {name, args} = only(t, calls);
	t.is(name, 'lookup');
	t.is(args[1], 1);
	t.is(text(args[2]), 'a.conf');
	const {caller} = dispatcher;
	t.deepEqual(
		[caller.unique, caller.uid, caller.gid, caller.pid, caller.suppGroup],
		[0x1122334455667788n, 1000, 100, 4242, undefined],
	);
	const {buffer, byteOffset, length} = args[2] as Buffer;
	t.is(new Uint8Array(buffer)[byteOffset + length], 0, 'the NUL stands right behind the name');
});

test('GETATTR: the handle stands behind its flag', t => {
	const {send, calls} = setUp();
	t.deepEqual(send(goldenBytes('request-getattr')), goldenBytes('reply-attr'));
	t.deepEqual(only(t, calls).args.slice(1), [5, 7]);
	const without = setUp();
	without.send(message(OPCODE.GETATTR, Buffer.alloc(16)));
	t.deepEqual(only(t, without.calls).args.slice(1), [1, undefined]);
});

test('SETATTR: only what is to change', t => {
	const {send, calls} = setUp();
	t.deepEqual(send(goldenBytes('request-setattr')), goldenBytes('reply-attr'));
	t.deepEqual(only(t, calls).args[2] as SetAttr, {
		fh: 7,
		mode: 0o100640,
		uid: undefined,
		gid: undefined,
		size: (1n << 40n) + 3n,
		atime: {sec: -5n, nsec: 123456789},
		mtime: 'now',
		killSuidgid: false,
	});
});

test('WRITE: the data is a view of the request', t => {
	const {send, calls, request} = setUp();
	const reply = send(goldenBytes('request-write'));
	t.is(reply?.readUInt32LE(16), 5);
	const [, nodeid, fh, offset, flags, data] = only(t, calls).args;
	t.deepEqual([nodeid, fh, offset, flags, text(data)], [5, 7, 1n << 33n, 0o2001, 'hello']);
	t.is((data as Buffer).buffer, request.memory.buffer);
});

test('READ: into the reply, behind its header', t => {
	const {send} = setUp({
		read: (_caller, _nodeid, _fh, _offset, _flags, into) => into.write('content', 'latin1'),
	});
	const reply = send(goldenBytes('request-read'));
	t.is(reply?.length, OUT_HEADER_SIZE + 7);
	t.is(reply?.toString('latin1', OUT_HEADER_SIZE), 'content');
});

test('RENAME2, SETXATTR and BATCH_FORGET: all parts arrive', t => {
	const rename = setUp();
	rename.send(goldenBytes('request-rename2'));
	t.deepEqual(only(t, rename.calls).args.slice(1).map(text), ['3', 'old', '9', 'new', '1']);
	const setxattr = setUp();
	setxattr.send(goldenBytes('request-setxattr'));
	t.deepEqual(only(t, setxattr.calls).args.slice(1).map(text), ['5', 'user.k', '\0\x01\xff', '1']);
	const forget = setUp();
	t.is(forget.send(goldenBytes('request-batch-forget')), undefined);
	t.deepEqual(
		forget.calls.map(call => call.args),
		[
			[5, 1],
			[6, 3],
		],
	);
});

test('CREATE: entry and handle, with the supplementary group', t => {
	const {send, calls, dispatcher} = setUp();
	t.deepEqual(send(goldenBytes('request-create')), goldenBytes('reply-create'));
	t.deepEqual(only(t, calls).args.slice(1).map(text), ['1', 'f', '65', '33188', '18']);
	t.is(dispatcher.caller.suppGroup, 777);
});

test('CREATE: extensions of other kinds are passed over, and none is a group', t => {
	const create = goldenBytes('request-create');
	const name = create.subarray(0, create.length - 16);
	const foreign = Buffer.alloc(16);
	foreign.writeUInt32LE(12, 0);
	foreign.writeUInt32LE(99, 4);
	const withExtensions = (...extensions: readonly Buffer[]): Buffer => {
		const message = Buffer.concat([name, ...extensions]);
		message.writeUInt32LE(message.length, 0);
		message.writeUInt16LE(extensions.length * 2, 36);
		return message;
	};
	const {send, dispatcher} = setUp();
	send(withExtensions(foreign, create.subarray(create.length - 16)));
	t.is(dispatcher.caller.suppGroup, 777);
	send(withExtensions(foreign));
	t.is(dispatcher.caller.suppGroup, undefined);
});

test('READDIR and READDIRPLUS: records as the kernel wants them, and no more than fit', t => {
	const body = Buffer.alloc(40);
	body.writeUInt32LE(7, 0);
	const ask = (opcode: number, size: number): Buffer => {
		body.writeUInt32LE(size, 16);
		return message(opcode, body);
	};
	const fits: boolean[] = [];
	const plain = setUp({
		readdir: (_c, _n, _f, _o, sink) => {
			fits.push(sink.add(Buffer.from('.'), 1n, 4, 1n));
			fits.push(sink.add(Buffer.from('8 bytes!'), (1n << 63n) + 5n, 8, 2n));
			fits.push(sink.add(Buffer.from('x'), 1n, 8, 3n));
			return 0;
		},
	});
	t.deepEqual(plain.send(ask(OPCODE.READDIR, 64)), goldenBytes('reply-readdir'));
	t.deepEqual(fits, [true, true, false]);
	const plus = setUp({
		readdir: (_c, _n, _f, _o, sink) => {
			sink.add(Buffer.from('..'), 1n, 4, 1n);
			sink.add(Buffer.from('name'), 77n, 8, 2n, goldenEntry());
			return -ERRNO.EIO;
		},
	});
	t.deepEqual(plus.send(ask(OPCODE.READDIRPLUS, 4096)), goldenBytes('reply-readdirplus'));
	t.deepEqual(plus.dispatcher.directory.given, [42]);
	plus.dispatcher.undo(100);
	t.deepEqual(plus.calls.at(-1), {name: 'undo', args: [{nodeid: 42}]});
	const tiny = setUp({readdir: () => -ERRNO.EIO});
	t.is(tiny.send(ask(OPCODE.READDIR, 8))?.readInt32LE(4), -ERRNO.EIO);
});

test('STATFS, GETLK, errors', t => {
	const {send} = setUp();
	t.deepEqual(send(message(OPCODE.STATFS)), goldenBytes('reply-statfs'));
	t.deepEqual(send(message(OPCODE.GETLK, Buffer.alloc(48))), goldenBytes('reply-lock'));
	const absent = setUp({lookup: () => -ERRNO.ENOENT});
	t.deepEqual(absent.send(goldenBytes('request-lookup')), goldenBytes('reply-error'));
});

test('GETXATTR: size 0 asks for the size only', t => {
	const {send, calls} = setUp();
	const ask = (size: number): Buffer | undefined => {
		const body = Buffer.from('\0\0\0\0\0\0\0\0user.k\0');
		body.writeUInt32LE(size, 0);
		return send(message(OPCODE.GETXATTR, body));
	};
	t.is(ask(0)?.length, OUT_HEADER_SIZE + 8);
	t.is(ask(10)?.length, OUT_HEADER_SIZE + 2);
	t.deepEqual(
		calls.map(call => (call.args[3] as Buffer).length),
		[0, 10],
	);
});

test('undo takes back exactly what the answer gave', t => {
	const undone = (opcode: number, body: Uint8Array): unknown => {
		const {send, dispatcher, calls} = setUp();
		send(message(opcode, body));
		dispatcher.undo(1);
		return calls.filter(call => call.name === 'undo').map(call => call.args[0]);
	};
	t.deepEqual(undone(OPCODE.LOOKUP, Buffer.from('a\0')), [{nodeid: 42}]);
	t.deepEqual(undone(OPCODE.OPEN, Buffer.alloc(8)), [{fh: 7}]);
	t.deepEqual(undone(OPCODE.OPENDIR, Buffer.alloc(8)), [{fh: 7, directory: true}]);
	t.deepEqual(undone(OPCODE.CREATE, Buffer.from(`${'\0'.repeat(16)}a\0`)), [{nodeid: 42, fh: 7}]);
	t.deepEqual(undone(OPCODE.GETATTR, Buffer.alloc(16)), []);
	const {send, dispatcher, calls} = setUp();
	const lock = Buffer.alloc(48);
	lock.writeUInt32LE(1, 32);
	send(message(OPCODE.SETLKW, lock));
	dispatcher.undo(0);
	t.is((calls.at(-1)?.args[2] as {type: number}).type, 2, 'a lock that came too late is let go');
});

test('ENOSYS, which the kernel would remember, comes only from opcodes that are not offered', t => {
	const {send} = setUp({setxattr: () => -ERRNO.ENOSYS});
	t.is(send(goldenBytes('request-setxattr'))?.readInt32LE(4), -ERRNO.EOPNOTSUPP);
	t.is(send(message(OPCODE.STATX, Buffer.alloc(24)))?.readInt32LE(4), -ERRNO.ENOSYS);
	t.is(send(message(OPCODE.IOCTL, Buffer.alloc(32)))?.readInt32LE(4), -ERRNO.ENOTTY);
});

test('random messages: never a throw, never a byte from outside the message, always a sound reply', t => {
	const {ops, calls} = recordingOps();
	const request = new RequestBuffer(MAX_WRITE);
	const reply = new ReplyBuffer(MAX_WRITE);
	const dispatcher = new Dispatcher(ops, request, reply);
	const known = fc.constantFrom(...Object.values(OPCODE));
	const arbitrary = fc.record({
		opcode: fc.oneof({weight: 20, arbitrary: known}, fc.nat()),
		words: fc.array(fc.oneof(fc.nat({max: 8}), fc.nat(0xffffffff)), {maxLength: 30}),
		text: fc.uint8Array({maxLength: 40}),
		ending: fc.constantFrom('', '\0', 'a\0', 'a\0b\0'),
		extension: fc.oneof({weight: 5, arbitrary: fc.constant(0)}, fc.nat(0xffff)),
		lengthError: fc.oneof({weight: 9, arbitrary: fc.constant(0)}, fc.integer({min: -60, max: 60})),
		sane: fc.boolean(),
	});
	let parsed = 0;
	fc.assert(
		fc.property(arbitrary, ({opcode, words, text: tail, ending, extension, lengthError, sane}) => {
			const body = Buffer.concat([Buffer.from(Uint32Array.from(words).buffer), tail, Buffer.from(ending)]);
			const bytes = message(opcode, body);
			bytes.writeUInt16LE(extension, 36);
			bytes.writeUInt32LE(Math.max(0, bytes.length + lengthError), 0);
			if (!sane) bytes.set(tail.subarray(0, 8), 16);
			request.memory.fill(0x41);
			request.memory.set(bytes);
			const failure = request.parse(bytes.length);
			if (failure !== undefined) return;
			parsed++;
			calls.length = 0;
			const result = dispatcher.run();
			for (const {args} of calls)
				for (const arg of args) {
					if (!Buffer.isBuffer(arg) || arg.buffer !== request.memory.buffer) continue;
					t.true(arg.byteOffset + arg.length <= request.memory.byteOffset + bytes.length);
				}
			const length = result === NO_REPLY ? OUT_HEADER_SIZE : reply.finish(1, 2, result);
			t.true(length >= OUT_HEADER_SIZE && length <= reply.memory.length);
			dispatcher.undo(result === NO_REPLY ? -1 : result);
		}),
		{numRuns: 20_000},
	);
	t.true(parsed > 1000, `${parsed} were sound`);
});
