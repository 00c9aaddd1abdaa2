/** What an interrupt finds, whichever table has the request at that moment. */
import test from 'ava';
import {Control, createControlBuffer, type InFlight} from '../../../src/fuse/control.ts';
import {interrupt} from '../../../src/fuse/interrupts.ts';
import {createQueueBuffers, RequestQueue} from '../../../src/fuse/queue.ts';
import {OPCODE} from '../../../src/fuse/wire/abi.ts';
import {ERRNO} from '../../../src/posix/errno.ts';

const SLOT = 0;
const UNIQUE = 7;

const setUp = () => {
	const answers: number[] = [];
	const control = new Control(createControlBuffer(1));
	const table = (): RequestQueue => new RequestQueue(createQueueBuffers(4, 0, 256));
	const parked = table();
	const park = (): void => {
		parked.push(Buffer.alloc(64), 64, OPCODE.SETLKW, UNIQUE, 0, 0);
	};
	const parts = {
		control,
		queue: table(),
		parked,
		answer: (_low: number, _high: number, error: number) => void answers.push(error),
	};
	return {answers, control, park, parts, interrupted: (ageMs = 0) => interrupt(parts, UNIQUE, 0, ageMs)};
};

test('who waits for a lock is answered at once, parked or being tried', t => {
	const {answers, control, park, interrupted} = setUp();
	park();
	t.true(interrupted());
	control.begin(SLOT, UNIQUE, 0, OPCODE.SETLKW, 0);
	t.true(interrupted());
	t.false(control.finish(SLOT), 'the worker must not answer again');
	t.deepEqual(answers, [-ERRNO.EINTR, -ERRNO.EINTR]);
});

test('a try that ends while the interrupt looks at it is not lost: its request is found among the parked ones', t => {
	const {answers, control, park, interrupted} = setUp();
	control.begin(SLOT, UNIQUE, 0, OPCODE.SETLKW, 0);
	const claim = control.claimAnswer.bind(control);
	control.claimAnswer = (request: InFlight): boolean => {
		t.true(control.finish(SLOT));
		park();
		return claim(request);
	};
	t.false(interrupted(), 'to be looked for again');
	t.deepEqual(answers, []);
	t.true(interrupted());
	t.deepEqual(answers, [-ERRNO.EINTR]);
});

test('what is nowhere is looked for for a second', t => {
	const {answers, interrupted} = setUp();
	t.false(interrupted(0));
	t.false(interrupted(1000));
	t.true(interrupted(1001));
	t.deepEqual(answers, []);
});
