import test from 'ava';
import {addUp, BOUNDS_MS, createTallyBuffer, RESULTS, Tally} from '../../../src/fuse/tally.ts';
import {OPCODE} from '../../../src/fuse/wire/abi.ts';
import {ERRNO} from '../../../src/posix/errno.ts';

test('what several threads counted is added up by opcode and result', t => {
	const buffer = createTallyBuffer(2);
	const [first, second, main] = [0, 1, 2].map(slot => new Tally(buffer, slot));
	first!.count(OPCODE.LOOKUP, 128);
	first!.count(OPCODE.LOOKUP, 0x7fff_ffff);
	second!.count(OPCODE.LOOKUP, -ERRNO.ENOENT);
	second!.count(OPCODE.WRITE, -ERRNO.EROFS);
	second!.count(OPCODE.WRITE, -ERRNO.ENOSPC);
	main!.count(OPCODE.WRITE, -ERRNO.ETIMEDOUT);
	const words = (opcode: number): Record<string, number> => {
		const {results} = addUp(buffer).find(sum => sum.opcode === opcode)!;
		const counted = RESULTS.map((word, i) => [word, results[i]!] as const).filter(([, n]) => n !== 0);
		return Object.fromEntries<number>(counted);
	};
	t.deepEqual(words(OPCODE.LOOKUP), {ok: 2, absent: 1});
	t.deepEqual(words(OPCODE.WRITE), {refused: 1, error: 1, timeout: 1});
	t.deepEqual(
		addUp(buffer).map(sum => sum.opcode),
		[OPCODE.LOOKUP, OPCODE.WRITE],
	);
});

test('a duration goes into the bucket whose bound it does not pass', t => {
	const buffer = createTallyBuffer(1);
	const tally = new Tally(buffer, 0);
	for (const ms of [0, 0.1, 0.11, 10_000, 10_001]) tally.took(OPCODE.READ, ms);
	const [sum] = addUp(buffer);
	t.deepEqual(sum!.durations, [2, 1, 0, 0, 0, 0, 0, 1, 1]);
	t.is(sum!.durations.length, BOUNDS_MS.length + 1);
	t.true(Math.abs(sum!.durationsMs - 20_001.21) < 1e-6);
});

test('whatever opcode and result come, the count stays inside the part', t => {
	const buffer = createTallyBuffer(1);
	for (const opcode of [0, 63, 64, 4096])
		for (const result of [-1, -4095, -5000, 7]) new Tally(buffer, 0).count(opcode, result);
	const all = addUp(buffer).flatMap(sum => sum.results);
	t.is(
		all.reduce((a, b) => a + b, 0),
		16,
	);
	t.true(new Float64Array(buffer).subarray(new Float64Array(buffer).length / 2).every(cell => cell === 0));
});
