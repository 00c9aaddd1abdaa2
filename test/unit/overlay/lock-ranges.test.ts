/** Which bytes are locked after a series of locks and unlocks. */
import test from 'ava';
import fc from 'fast-check';
import {
	applyLock,
	conflicts,
	decodeLocks,
	encodeLocks,
	type LockRange,
} from '../../../src/overlay/lock-ranges.ts';
import {F, OFFSET_MAX} from '../../../src/posix/locks.ts';

const SIZE = 40;

test('each byte has the type of the last change over it, and ranges never overlap', t => {
	const change = fc
		.record({
			type: fc.constantFrom(F.RDLCK, F.WRLCK, F.UNLCK),
			start: fc.integer({min: 0, max: SIZE - 1}),
			length: fc.integer({min: 1, max: SIZE}),
		})
		.map(({type, start, length}) => ({
			type,
			start: BigInt(start),
			end: BigInt(start + length - 1),
			pid: length,
		}));
	fc.assert(
		fc.property(fc.array(change, {maxLength: 20}), changes => {
			let held: LockRange[] = [];
			const bytes = new Array<number>(SIZE * 2).fill(F.UNLCK);
			for (const c of changes) {
				const locks = decodeLocks(encodeLocks({via: 7, ranges: applyLock(held, c)}));
				if (locks.via !== 7) return false;
				held = [...locks.ranges];
				bytes.fill(c.type, Number(c.start), Number(c.end) + 1);
			}
			return bytes.every((type, at) => {
				const over = held.filter(({start, end}) => start <= BigInt(at) && BigInt(at) <= end);
				return type === F.UNLCK ? over.length === 0 : over.length === 1 && over[0]!.type === type;
			});
		}),
	);
	t.pass();
});

test('to the end of the file', t => {
	const held = applyLock([], {type: F.WRLCK, start: 5n, end: OFFSET_MAX, pid: 12});
	t.deepEqual(applyLock(held, {type: F.UNLCK, start: 10n, end: OFFSET_MAX, pid: 13}), [
		{type: F.WRLCK, start: 5n, end: 9n, pid: 12},
	]);
});

test('nothing held is encoded as nothing', t => {
	t.deepEqual(decodeLocks(Buffer.alloc(0)), {via: 0, ranges: []});
});

test('two read locks are not in the way of each other; others are where they overlap', t => {
	const held = {type: F.RDLCK, start: 5n, end: 9n, pid: 1};
	t.false(conflicts(held, {type: F.RDLCK, start: 0n, end: OFFSET_MAX}));
	t.true(conflicts(held, {type: F.WRLCK, start: 9n, end: 9n}));
	t.false(conflicts(held, {type: F.WRLCK, start: 10n, end: OFFSET_MAX}));
	t.true(conflicts({...held, type: F.WRLCK}, {type: F.RDLCK, start: 0n, end: 5n}));
});
