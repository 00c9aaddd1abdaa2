/** Frames, records, vectors, segment names: round trips, and hostile bytes. */
import test from 'ava';
import fc from 'fast-check';
import {encodeFrame, FRAME_MAX_BYTES, readFrames} from '../../../src/journal/frames.ts';
import {
	decodeEntry,
	encodeHeader,
	encodeRecord,
	encodeSeen,
	OPERATIONS,
} from '../../../src/journal/record.ts';
import {outdatedSegments, segmentName, segmentsAmong, SEGMENTS_MAX} from '../../../src/journal/segments.ts';
import {compareVectors, formatVector, joinVectors, parseVector} from '../../../src/journal/vector.ts';
import {Packr} from 'msgpackr';
import {stateOf} from '../../support/memory-journal.ts';
import {uuidOf} from '../../support/sets.ts';

test('frames are read up to where they were torn, wherever that is', t => {
	const frames = ['one', 'two', 'three'].map(text => encodeFrame(Buffer.from(text)));
	const whole = Buffer.concat(frames);
	t.deepEqual(readFrames(whole).payloads.map(String), ['one', 'two', 'three']);
	for (let cut = 0; cut < whole.length; cut++) {
		const {payloads, used, rest} = readFrames(whole.subarray(0, cut));
		const ends = frames.map((_, i) => frames.slice(0, i + 1).reduce((sum, f) => sum + f.length, 0));
		t.is(payloads.length, ends.filter(end => end <= cut).length);
		t.is(used, Math.max(0, ...ends.filter(end => end <= cut)));
		t.is(rest, used === cut ? 'end' : 'short');
	}
});

test('a byte that changed ends the reading before its frame', t => {
	const first = encodeFrame(Buffer.from('first'));
	for (let at = 0; at < 13; at++) {
		const second = encodeFrame(Buffer.from('other'));
		second[at] = second[at]! ^ 0x40;
		const {payloads, used, rest} = readFrames(Buffer.concat([first, second]));
		t.deepEqual([payloads.length, used], [1, first.length]);
		t.not(rest, 'end');
	}
});

test('a frame is neither empty nor larger than allowed', t => {
	t.throws(() => encodeFrame(Buffer.alloc(0)), {instanceOf: RangeError});
	t.throws(() => encodeFrame(Buffer.alloc(FRAME_MAX_BYTES + 1)), {instanceOf: RangeError});
	t.is(readFrames(Buffer.alloc(64)).rest, 'broken');
	t.is(readFrames(Buffer.from('ffffffff00000000ff', 'hex')).rest, 'broken');
});

const paths = fc.uint8Array({minLength: 1, maxLength: 300}).map(bytes => Buffer.from(bytes));
const counts = fc.nat();
const big = fc.integer({min: 0, max: Number.MAX_SAFE_INTEGER});
const states = fc
	.tuple(fc.bigInt({min: 0n, max: 2n ** 64n - 1n}), big, counts, counts)
	.map(([ino, size, mtimeNsec, mode]) =>
		stateOf({ino: ino.toString(16).padStart(16, '0'), size, mtimeNsec, mode, mtimeSec: -5}),
	);

test('records come back as they were', t => {
	fc.assert(
		fc.property(
			fc.record({
				counter: big,
				timeMs: big,
				operation: fc.constantFrom(...OPERATIONS),
				path: fc.option(paths),
				to: fc.option(paths),
				uid: fc.nat(0xffff_ffff),
				pid: counts,
				command: fc.string({maxLength: 15}),
				errno: counts,
				writes: counts,
				bytes: big,
				after: fc.option(states),
			}),
			record => {
				const entry = decodeEntry(encodeRecord(record));
				t.deepEqual(entry, {kind: 'record', record});
			},
		),
		{numRuns: 200},
	);
});

test('headers and vectors come back as they were', t => {
	const header = {node: uuidOf(1), run: 1_700_000_000_000, first: 2 ** 52, cleanly: false};
	t.deepEqual(decodeEntry(encodeHeader(header)), {kind: 'header', header});
	const seen = new Map([
		[uuidOf(2), 7],
		[uuidOf(1), 2 ** 40],
	]);
	const entry = decodeEntry(encodeSeen(seen));
	t.deepEqual(entry.kind === 'seen' && [...entry.seen], [...seen].toReversed());
});

test('hostile bytes are unknown, never an error', t => {
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 100}), bytes => {
			t.truthy(decodeEntry(Buffer.from(bytes)).kind);
			t.truthy(readFrames(Buffer.from(bytes)).rest);
		}),
	);
	const packr = new Packr({useRecords: false});
	for (const value of [
		null,
		{},
		[],
		[9],
		[1, 2, uuidOf(1), 1, 1, true],
		[1, 1, 'no uuid', 1, 1, true],
		[2, null],
		[2, {x: 1}],
		[2, {[uuidOf(1)]: -1}],
		[3, 1],
		[3, -1, 1, 'write', null, null, 0, 0, '', 0, 0, 0, null],
		[3, 1, 1, 'sing', null, null, 0, 0, '', 0, 0, 0, null],
		[3, 1, 1, 'write', 'text', null, 0, 0, '', 0, 0, 0, null],
		[3, 1, 1, 'write', null, null, 0, 0, '', 0, 0, 0, 5],
		[3, 1, 1, 'write', null, null, 0, 0, '', 0, 0, 0, ['xyz', 1, 1, 1, 1, 1, 1]],
		[3, 1, 1, 'write', null, null, 0, 0, '', 0, 0, 0, ['00000000000000ab', 1, 0.5, 1, 1, 1, 1]],
	])
		t.is(decodeEntry(packr.pack(value)).kind, 'unknown', JSON.stringify(value));
});

test('what a newer version appends to a record is passed over', t => {
	const packr = new Packr({useRecords: false});
	const entry = decodeEntry(packr.pack([3, 1, 2, 'write', null, null, 0, 0, '', 0, 0, 0, null, 'new']));
	t.is(entry.kind, 'record');
});

const vector = (...counters: number[]) => new Map(counters.map((n, i) => [uuidOf(i + 1), n] as const));

test('vectors: order, join, one line', t => {
	t.is(compareVectors(vector(1, 2), vector(1, 2)), 'equal');
	t.is(compareVectors(vector(1), vector(1, 2)), 'before');
	t.is(compareVectors(vector(3, 2), vector(1, 2)), 'after');
	t.is(compareVectors(vector(3, 1), vector(1, 2)), 'concurrent');
	t.is(compareVectors(vector(), vector()), 'equal');
	t.deepEqual(joinVectors([vector(3, 1), vector(1, 2)]), vector(3, 2));
	const text = `${uuidOf(1)}:3,${uuidOf(2)}:2`;
	t.is(formatVector(new Map([...vector(3, 2)].toReversed())), text);
	t.deepEqual(parseVector(text), vector(3, 2));
	t.deepEqual(parseVector(''), vector());
	for (const bad of ['x', uuidOf(1), `${uuidOf(1)}:`, `${uuidOf(1)}:1,`, `${uuidOf(1)}:1,${uuidOf(1)}:2`])
		t.is(parseVector(bad), undefined, bad);
});

test('segments: names sort as records do, the oldest go', t => {
	const name = segmentName(1_795_590_329_457, []);
	t.is(name, '0001795590329457-0000.journal');
	t.is(segmentName(1_795_590_329_457, [name]), '0001795590329457-0001.journal');
	t.deepEqual(segmentsAmong(['x', '.a.tmp', segmentName(10, []), segmentName(9, [])]), [
		segmentName(9, []),
		segmentName(10, []),
	]);
	const many = Array.from({length: SEGMENTS_MAX + 2}, (_, i) => segmentName(i, []));
	t.deepEqual(outdatedSegments(many), many.slice(0, 3));
	t.deepEqual(outdatedSegments(many.slice(0, SEGMENTS_MAX - 1)), []);
});
