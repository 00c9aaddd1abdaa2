/** The door for mutations. */
import test from 'ava';
import {OPCODE} from '../../../src/fuse/wire/abi.ts';
import {Gate, GATE_LEASE_MS, type GateState} from '../../../src/membership/gate.ts';
import {type Generation} from '../../../src/membership/ids.ts';
import {copyGeneration} from '../../../src/overlay/copy-generation.ts';
import {createRootCells, CurrentRoot} from '../../../src/overlay/current-root.ts';
import {
	alwaysMutates,
	Guard,
	NOT_DONE,
	opensForWriting,
	repeatable,
	UNKNOWN,
} from '../../../src/overlay/guard.ts';
import {ERRNO} from '../../../src/posix/errno.ts';
import {O} from '../../../src/posix/open-flags.ts';
import {STATX_SIZE} from '../../../src/posix/statx.ts';

const setUp = (waitMs = 30) => {
	let aheadMs = 0;
	const gate = new Gate(undefined, () => Math.trunc(performance.now()) + aheadMs);
	const root = new CurrentRoot(createRootCells());
	root.detach();
	const set = (state: GateState, generation = 1): void => {
		gate.set({state, generation: generation as Generation, epoch: 1, degraded: false});
	};
	const attach = (generation: number): void => root.attach(generation, Buffer.alloc(STATX_SIZE), false);
	return {
		gate,
		root,
		set,
		attach,
		guard: new Guard(gate, root, waitMs),
		pass: (ms: number) => (aheadMs += ms),
	};
};

test('admits in the generation of the gate, counted as in flight', t => {
	const {gate, set, attach, guard} = setUp();
	attach(3);
	set('open', 3);
	t.is(
		guard.mutate(generation => {
			t.is(gate.inFlight, 1);
			return generation;
		}),
		3,
	);
	t.is(gate.inFlight, 0);
	t.throws(
		() =>
			guard.mutate(() => {
				throw new Error('bug');
			}),
		{message: 'bug'},
	);
	t.is(gate.inFlight, 0);
});

test('refuses when closed, in another generation, without a backing, when the lease is over, from memory', t => {
	const {set, attach, guard, pass, root} = setUp();
	const never = (): number => {
		t.fail('ran');
		return 0;
	};
	t.is(guard.mutate(never), -ERRNO.EROFS);
	set('open', 2);
	t.is(guard.mutate(never), -ERRNO.EROFS, 'no backing');
	attach(1);
	t.is(guard.mutate(never), -ERRNO.EROFS, 'another generation');
	attach(2);
	t.is(
		guard.mutate(() => 5),
		5,
	);
	guard.memoryOnly = true;
	t.is(guard.mutate(never), -ERRNO.EROFS, 'promised to answer from memory');
	t.is(guard.read(never), -ERRNO.ENOTCONN);
	guard.memoryOnly = false;
	pass(GATE_LEASE_MS + 1);
	t.is(guard.mutate(never), -ERRNO.EROFS, 'lease over');
	t.is(guard.modeMask & 0o222, 0);
	root.detach();
	t.is(guard.read(never), -ERRNO.ENOTCONN);
});

test('tries again what was lost in a switch if twice is as good as once', t => {
	const {set, attach, guard, gate} = setUp();
	attach(1);
	set('open', 1);
	let calls = 0;
	const lost = (): number => {
		calls++;
		set('switching', 1);
		// The loop, at once:
		attach(2);
		return -ERRNO.ENOTCONN;
	};
	t.is(
		guard.read(generation => (generation === 1 ? lost() : generation)),
		2,
	);
	t.is(calls, 1);
	attach(1);
	set('open', 1);
	t.is(guard.mutate(lost), -ERRNO.ENOTCONN, 'nobody can say what became of it');
	attach(1);
	set('open', 1);
	t.is(
		guard.mutate(lost, repeatable),
		-ERRNO.ENOTCONN,
		'the switch does not end in time: never EROFS, it may be done',
	);
	t.is(calls, 3);
	t.is(gate.inFlight, 0);
	attach(1);
	set('open', 1);
	t.is(
		guard.read(() => -ERRNO.ENOENT),
		-ERRNO.ENOENT,
	);
});

test('what is cut off while the gate stays open is inspected, and done again only when it was not done', t => {
	const {set, attach, guard, gate} = setUp();
	attach(1);
	set('open', 1);
	const answers = (
		...given: readonly number[]
	): {readonly run: () => number; readonly calls: () => number} => {
		let calls = 0;
		return {run: () => given[calls++] ?? 7, calls: () => calls};
	};
	const again = answers(-ERRNO.ENOTCONN, -ERRNO.ENOTCONN);
	t.is(guard.mutate(again.run, repeatable), 7);
	t.is(again.calls(), 3);
	const applied = answers(-ERRNO.ENOTCONN);
	t.is(
		guard.mutate(applied.run, () => 0),
		0,
		'it was done',
	);
	t.is(applied.calls(), 1);
	const untold = answers(-ERRNO.ENOTCONN);
	t.is(
		guard.mutate(untold.run, () => UNKNOWN),
		-ERRNO.EIO,
	);
	t.is(untold.calls(), 1);
	let looks = 0;
	const blind = answers(-ERRNO.ENOTCONN);
	t.is(
		guard.mutate(blind.run, () => (++looks < 3 ? -ERRNO.ENOTCONN : NOT_DONE)),
		7,
		'a look that is cut off is repeated',
	);
	t.deepEqual([looks, blind.calls()], [3, 2]);
	for (const errno of [ERRNO.ESTALE, ERRNO.EIO, ERRNO.ENOSPC]) {
		const definite = answers(-errno);
		t.is(guard.mutate(definite.run, repeatable), -errno, 'without a switch it means what it says');
		t.is(definite.calls(), 1);
	}
	t.is(gate.inFlight, 0);
});

test('a reading that is cut off asks again until the loss is noticed', t => {
	const {set, attach, guard} = setUp();
	attach(1);
	set('open', 1);
	let calls = 0;
	t.is(
		guard.read(() => (++calls < 3 ? -ERRNO.ENOTCONN : 7)),
		7,
	);
	t.is(calls, 3);
	calls = 0;
	const noticed = (): number => {
		if (++calls === 2) set('refusing', 1);
		return -ERRNO.ENOTCONN;
	};
	t.is(guard.read(noticed), -ERRNO.ENOTCONN);
	t.is(calls, 2, 'then it is answered at once');
});

test('nothing waits for ever for servers that stay away', t => {
	const {set, attach, guard, gate} = setUp();
	attach(1);
	set('open', 1);
	const away = (): number => -ERRNO.ENOTCONN;
	t.is(guard.mutate(away, repeatable), -ERRNO.ENOTCONN);
	// The loop renews the lease in its real life.
	set('open', 1);
	t.is(guard.read(away), -ERRNO.ENOTCONN);
	t.is(gate.inFlight, 0);
});

test('a look at what was changed already is repeated while the mount gives no answer', t => {
	const {guard, attach, set} = setUp();
	attach(1);
	set('open', 1);
	let calls = 0;
	const answersAtThird = (): number => (++calls < 3 ? -ERRNO.ENOTCONN : 7);
	t.is(guard.readPatiently(answersAtThird), 7);
	t.is(calls, 3);
	t.is(
		guard.readPatiently(() => (calls++, -ERRNO.ENOENT)),
		-ERRNO.ENOENT,
	);
	t.is(calls, 4, 'a definite answer is one');
});

test('knows what mutates', t => {
	for (const opcode of [OPCODE.WRITE, OPCODE.CREATE, OPCODE.RENAME2, OPCODE.SETATTR, OPCODE.TMPFILE])
		t.true(alwaysMutates(opcode));
	for (const opcode of [OPCODE.OPEN, OPCODE.READ, OPCODE.FSYNC, OPCODE.SETLKW, OPCODE.FORGET, 4711])
		t.false(alwaysMutates(opcode));
	t.true(opensForWriting(O.RDONLY | O.TRUNC));
	t.true(opensForWriting(O.RDWR));
	t.false(opensForWriting(O.RDONLY | O.APPEND));
});

test('a change that goes well although the copy serves ends that: the copy does not have it', t => {
	const {root, set, attach, guard} = setUp();
	const mounted = Buffer.alloc(STATX_SIZE, 1);
	root.attach(3, mounted, true);
	set('open', 3);
	const copy = copyGeneration(5);
	const covered = (result: number) => () => {
		root.cover(copy, Buffer.alloc(STATX_SIZE, 2));
		// A newer copy in the place of one stands for the same mount.
		root.cover(copyGeneration(6), Buffer.alloc(STATX_SIZE, 2));
		return result;
	};
	t.is(guard.mutate(covered(-ERRNO.ENOTCONN)), -ERRNO.ENOTCONN);
	t.is(root.generation, copyGeneration(6));
	t.is(root.uncoveredMsAgo, undefined);
	root.attach(3, mounted, true);
	t.is(guard.mutate(covered(0)), 0);
	t.is(root.generation, 3);
	t.true(root.isFuse);
	t.true(root.uncoveredMsAgo! < 1000);
	const now = Buffer.alloc(STATX_SIZE);
	root.read(now);
	t.deepEqual(now, mounted);
	// So does the end of a write, which came to the servers with it.
	t.is(guard.finish(covered(-ERRNO.ENOSPC)), -ERRNO.ENOSPC);
	root.attach(3, mounted, true);
	t.is(guard.read(covered(0)), 0);
	t.is(root.generation, copyGeneration(6), 'a reading may have come from memory');
	root.attach(3, mounted, true);
	t.is(guard.finish(covered(0)), 0);
	t.is(root.generation, 3);
	// What comes back late from a mount that was left is no word of the one that the copy stands for.
	attach(4);
	root.cover(copy, Buffer.alloc(STATX_SIZE));
	root.uncover(3);
	t.is(root.generation, copy);
});
