/** Millions of hostile messages through parser, dispatcher and encoder: no throw, no byte from outside, a sound reply or none. */
import {readdirSync} from 'node:fs';
import {randomInt} from 'node:crypto';
import test from 'ava';
import {Dispatcher, NO_REPLY, WAITS} from '../../../src/fuse/dispatch.ts';
import {OPCODE, OUT_HEADER_SIZE} from '../../../src/fuse/wire/abi.ts';
import {ReplyBuffer} from '../../../src/fuse/wire/reply.ts';
import {RequestBuffer} from '../../../src/fuse/wire/request.ts';
import {goldenBytes} from '../../support/golden-bytes.ts';
import {recordingOps} from '../../support/recording-ops.ts';

const CASES = Number(process.env['HEKAFS_FUZZ_CASES'] ?? 1_000_000);
const MAX_WRITE = 4096;
const LONGEST = 400;
const OPCODES = Object.values(OPCODE);
/** Fields at the edges of what a parser may add up or compare. */
const EDGES = [0, 1, 0x7f, 0xff, 0x0fff, 0x1000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** xorshift32 of G. Marsaglia, "Xorshift RNGs": quick, and the same for the same seed. */
const generator = (seed: number): ((below: number) => number) => {
	let state = seed | 1;
	return below => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) % below;
	};
};

const SAMPLES = readdirSync(new URL('../../../../test/golden/fuse/', import.meta.url))
	.filter(name => name.startsWith('request-'))
	.map(name => goldenBytes(name.replace(/\.txt$/, '')));

/** Writes a message into the buffer: a sound one damaged in some places, or noise under a known opcode. @returns its length */
const writeMessage = (memory: Buffer, random: (below: number) => number): number => {
	let length: number;
	if (random(2) === 0) {
		const sample = SAMPLES[random(SAMPLES.length)]!;
		memory.set(sample);
		length = sample.length;
	} else {
		length = random(LONGEST);
		for (let at = 0; at < length; at += 4)
			memory.writeUInt32LE(random(3) === 0 ? random(2 ** 32) : random(4), at);
		memory.writeUInt32LE(random(20) === 0 ? random(2 ** 32) : OPCODES[random(OPCODES.length)]!, 4);
		memory.writeUInt32LE(0, 20);
		if (random(2) === 0 && length > 0) memory[length - 1] = 0;
	}
	for (let damage = random(4); damage > 0; damage--) {
		const at = random(LONGEST - 4);
		if (random(2) === 0) memory[at] = random(256);
		else memory.writeUInt32LE(EDGES[random(EDGES.length)]!, at & ~3);
	}
	// Truncated, oversized, or said to be longer than it is.
	if (random(8) === 0) length = random(LONGEST);
	memory.writeUInt32LE(random(16) === 0 ? random(LONGEST) : length, 0);
	return random(64) === 0 ? memory.length + random(3) : length;
};

test(`${CASES} hostile messages`, t => {
	const seed = Number(process.env['HEKAFS_SEED'] ?? randomInt(1, 2 ** 31));
	t.log(`HEKAFS_SEED=${seed}`);
	const random = generator(seed);
	const request = new RequestBuffer(MAX_WRITE);
	const reply = new ReplyBuffer(65_536);
	let outside = 0;
	let length = 0;
	/** Every buffer that an operation is given lies in the message, or in the reply. */
	const {ops, calls} = recordingOps();
	const dispatcher = new Dispatcher(ops, request, reply);
	const check = (argument: unknown): void => {
		if (!Buffer.isBuffer(argument)) return;
		const [home, end] =
			argument.buffer === request.memory.buffer
				? [request.memory, length]
				: [reply.memory, reply.memory.length];
		if (argument.buffer !== home.buffer || argument.byteOffset + argument.length > home.byteOffset + end)
			outside++;
	};
	let sound = 0;
	const startMs = performance.now();
	for (let n = 0; n < CASES; n++) {
		length = writeMessage(request.memory, random);
		if (request.parse(length) !== undefined) continue;
		sound++;
		calls.length = 0;
		const result = dispatcher.run();
		for (const {args} of calls) args.forEach(check);
		if (result === NO_REPLY || result === WAITS) continue;
		const size = reply.finish(request.uniqueLow, request.uniqueHigh, result);
		if (size < OUT_HEADER_SIZE || size > reply.memory.length || reply.memory.readUInt32LE(0) !== size)
			outside++;
		if (n % 16 === 0) dispatcher.undo(result);
	}
	t.log(`${sound} of ${CASES} were sound; ${Math.round(performance.now() - startMs)} ms`);
	t.is(outside, 0);
	t.true(sound > CASES / 20 && sound < CASES, 'both kinds came');
});
