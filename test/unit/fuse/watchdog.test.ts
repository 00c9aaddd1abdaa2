/** The shared tables and the watchdog, without threads or a kernel: deadlines, interrupts, queueing, growth. */
import test from 'ava';
import fc from 'fast-check';
import {Control, createControlBuffer} from '../../../src/fuse/control.ts';
import {interrupt} from '../../../src/fuse/interrupts.ts';
import {createQueueBuffers, RequestQueue} from '../../../src/fuse/queue.ts';
import {Watchdog} from '../../../src/fuse/watchdog.ts';
import {OPCODE} from '../../../src/fuse/wire/abi.ts';
import {ERRNO} from '../../../src/posix/errno.ts';

const SLOTS = 4;

const setUp = () => {
	const control = new Control(createControlBuffer(8));
	for (let opcode = 0; opcode < 64; opcode++) control.setDeadlineMs(opcode, 1000);
	control.setDeadlineMs(OPCODE.SETLKW, 0);
	const queue = new RequestQueue(createQueueBuffers(SLOTS, 1, 64));
	const parked = new RequestQueue(createQueueBuffers(SLOTS, 0, 64));
	const answers: [number, number, number][] = [];
	const grown: number[] = [];
	const late: number[] = [];
	const answer = (low: number, high: number, error: number): void => void answers.push([low, high, error]);
	const watchdog = new Watchdog({
		control,
		queue,
		parked,
		maxWorkers: 8,
		answer,
		onOverdue: opcode => late.push(opcode),
		grow: count => {
			grown.push(count);
			for (let i = 0; i < count; i++) control.prepare(control.live);
		},
		starting: () => 0,
	});
	const push = (unique: number, opcode: number = OPCODE.READ, readAtMs = control.clockMs): boolean =>
		queue.push(Buffer.from(`request ${unique}`), 16, opcode, unique, 0, readAtMs);
	const interruptible = {control, queue, parked, answer};
	return {control, queue, parked, answers, grown, late, watchdog, push, interruptible};
};

test('an overdue request is answered ETIMEDOUT once, and its worker learns it', t => {
	const {control, watchdog, answers, late} = setUp();
	control.begin(3, 11, 22, OPCODE.READ, 0);
	watchdog.tick(1000);
	t.deepEqual(answers, []);
	t.false(control.isAnswered(3));
	watchdog.tick(1001);
	watchdog.tick(1026);
	t.deepEqual(answers, [[11, 22, -ERRNO.ETIMEDOUT]]);
	t.true(control.isAnswered(3));
	t.false(control.finish(3), 'the worker must not answer');
	control.begin(3, 12, 22, OPCODE.READ, 1026);
	t.true(control.finish(3), 'the next one it may');
	t.is(watchdog.overdueAnswered, 1);
	t.deepEqual(late, [OPCODE.READ]);
});

test('a request without a deadline is never overdue', t => {
	const {control, watchdog, answers} = setUp();
	control.begin(0, 11, 0, OPCODE.SETLKW, 0);
	watchdog.tick(1_000_000);
	t.deepEqual(answers, []);
});

test('what was seen of one request can not answer the next', t => {
	const {control} = setUp();
	control.begin(0, 11, 0, OPCODE.READ, 0);
	const seen = control.inFlight(0)!;
	t.true(control.finish(0));
	control.begin(0, 12, 0, OPCODE.READ, 0);
	t.false(control.claimAnswer(seen));
	t.true(control.finish(0));
});

test('overdue requests leave the queue; those that give back stay', t => {
	const {queue, watchdog, answers, late, push} = setUp();
	push(1);
	push(2, OPCODE.RELEASE);
	watchdog.tick(500);
	push(3);
	watchdog.tick(1001);
	t.deepEqual(answers, [[1, 0, -ERRNO.ETIMEDOUT]]);
	t.deepEqual(late, [OPCODE.READ]);
	const into = Buffer.alloc(64);
	queue.pop(into);
	t.is(into.toString('latin1', 0, 9), 'request 2');
	t.is(queue.pop(into)?.readAtMs, 500);
	t.is(queue.pop(into), undefined);
});

test('interrupts: queued at once, lock waits at once, others after a second, unknown ones are forgotten', t => {
	const {control, queue, watchdog, answers, push, interruptible} = setUp();
	push(1);
	t.true(interrupt(interruptible, 1, 0, 0));
	t.is(queue.count, 0);
	control.begin(0, 2, 0, OPCODE.SETLKW, 0);
	t.true(interrupt(interruptible, 2, 0, 0));
	control.begin(1, 3, 0, OPCODE.LOOKUP, 0);
	control.setDeadlineMs(OPCODE.LOOKUP, 0);
	t.false(interrupt(interruptible, 3, 0, 0));
	control.addInterrupt(3, 0);
	control.addInterrupt(99, 0);
	watchdog.tick(999);
	t.deepEqual(
		answers.map(a => a[0]),
		[1, 2],
	);
	watchdog.tick(1000);
	t.deepEqual(answers.at(-1), [3, 0, -ERRNO.EINTR]);
	watchdog.tick(2100);
	let left = 0;
	control.forEachInterrupt(() => (left++, false));
	t.is(left, 0);
	push(5, OPCODE.RELEASE);
	t.false(interrupt(interruptible, 5, 0, 0), 'a RELEASE must run');
});

test('the pool grows when a queue stands still for a tick, doubling at most, up to its limit', t => {
	const {control, queue, watchdog, grown, push} = setUp();
	control.prepare(0);
	control.prepare(1);
	watchdog.tick(0);
	push(1);
	watchdog.tick(25);
	t.deepEqual(grown, [], 'it may just have come');
	push(2);
	push(3);
	watchdog.tick(50);
	t.deepEqual(grown, [2]);
	watchdog.tick(75);
	t.deepEqual(grown, [2, 3]);
	queue.pop(Buffer.alloc(64));
	watchdog.tick(100);
	t.deepEqual(grown, [2, 3], 'someone takes');
	watchdog.tick(125);
	watchdog.tick(150);
	t.deepEqual(grown, [2, 3, 1], 'no more than 8');
});

test('the last free worker stays free; surplus ones retire in calm times only', t => {
	const {control, watchdog} = setUp();
	for (let slot = 0; slot < 3; slot++) {
		control.prepare(slot);
		control.startServing(slot);
	}
	t.true(control.leaveFree(0));
	t.true(control.leaveFree(1));
	t.false(control.leaveFree(2));
	t.is(control.free, 1);
	control.enterFree(0);
	control.enterFree(1);
	t.false(control.retire(2, 2), 'not allowed yet');
	watchdog.tick(10_000);
	t.true(control.retire(2, 2));
	t.is(control.life(2), 'retired');
	t.false(control.retire(1, 2));
	t.deepEqual([control.live, control.free], [2, 2]);
	t.true(control.leaveFree(1));
	control.begin(1, 5, 6, OPCODE.READ, 0);
	t.is(control.cleanUp(1)?.uniqueLow, 5, 'the orphan of a worker that crashed');
	control.cleanUp(0);
	t.deepEqual([control.live, control.free], [0, 0]);
});

test('the queue keeps its order and its bytes under any sequence of steps', t => {
	const step = fc.oneof(
		fc.record({
			kind: fc.constant('push' as const),
			release: fc.boolean(),
			size: fc.integer({min: 1, max: 70}),
		}),
		fc.record({kind: fc.constant('pop' as const)}),
		fc.record({kind: fc.constant('remove' as const), index: fc.nat(5)}),
	);
	fc.assert(
		fc.property(fc.array(step, {maxLength: 60}), steps => {
			const queue = new RequestQueue(createQueueBuffers(SLOTS, 1, 64));
			let model: {unique: number; release: boolean; size: number}[] = [];
			let unique = 0;
			const into = Buffer.alloc(64);
			for (const s of steps) {
				if (s.kind === 'push') {
					unique++;
					const opcode = s.release ? OPCODE.RELEASE : OPCODE.READ;
					const fits = s.size <= 64 && model.length < (s.release ? SLOTS : SLOTS - 1);
					const bytes = Buffer.alloc(80, unique);
					t.is(queue.push(bytes, s.size, opcode, unique, 7, unique), fits);
					if (fits) model.push({unique, release: s.release, size: s.size});
				} else if (s.kind === 'pop') {
					const expected = model.shift();
					const taken = queue.pop(into);
					t.is(taken?.length, expected?.size);
					t.is(taken?.readAtMs, expected?.unique);
					if (expected !== undefined)
						t.true(into.subarray(0, expected.size).equals(Buffer.alloc(expected.size, expected.unique)));
				} else {
					const target = model[s.index];
					t.is(queue.remove(target?.unique ?? 4711, 7), target !== undefined && !target.release);
					if (target?.release === false) model = model.filter(m => m !== target);
				}
				t.is(queue.count, model.length);
			}
		}),
		{numRuns: 500},
	);
});

test('who waits for a lock is answered EINTR when interrupted, and ETIMEDOUT only with a deadline of its own', t => {
	const {control, parked, watchdog, answers, interruptible} = setUp();
	const park = (unique: number): boolean =>
		parked.push(Buffer.from('lock'), 4, OPCODE.SETLKW, unique, 0, control.clockMs);
	t.true(park(1) && park(2));
	t.true(interrupt(interruptible, 1, 0, 0));
	t.deepEqual(answers, [[1, 0, -ERRNO.EINTR]]);
	watchdog.tick(1_000_000);
	t.is(parked.count, 1);
	control.setDeadlineMs(OPCODE.SETLKW, 500);
	watchdog.tick(2_000_000);
	t.deepEqual(answers.at(-1), [2, 0, -ERRNO.ETIMEDOUT]);
	t.is(parked.count, 0);
});
