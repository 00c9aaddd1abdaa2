import test from 'ava';
import {OPCODE} from '../../../src/fuse/wire/abi.ts';
import {deadlinesByOpcode} from '../../../src/overlay/deadlines.ts';

test('each class reaches its requests; what gives something back has no deadline', t => {
	const all = deadlinesByOpcode({readsMs: 1, writesMs: 2, lockWaitsMs: 3});
	t.is(all.LOOKUP, 1);
	t.is(all.READ, 1);
	t.is(all.OPEN, 1);
	t.is(all.SETLK, 1);
	t.is(all.WRITE, 2);
	t.is(all.RENAME2, 2);
	t.is(all.FSYNC, 2);
	t.is(all.SETLKW, 3);
	const without = Object.keys(OPCODE).filter(name => !(name in all));
	t.deepEqual(without.sort(), ['BATCH_FORGET', 'FORGET', 'RELEASE', 'RELEASEDIR']);
});

test('a class without a deadline of its own leaves its requests alone', t => {
	t.deepEqual(deadlinesByOpcode({}), {});
	t.deepEqual(deadlinesByOpcode({lockWaitsMs: 0}), {SETLKW: 0});
});
