/** How progress looks: plain lines in a pipe, a bar with figures on a terminal; what a retirement asks first. */
import {PassThrough} from 'node:stream';
import test from 'ava';
import {countText, progressOn, RateMeter} from '../../../../src/main/commands/progress.ts';
import {type Terminal} from '../../../../src/main/commands/terminal.ts';

/** A terminal that remembers; cli-progress moves the cursor of what says that it is one. */
const recording = (errIsTerminal: boolean): {terminal: Terminal; text: () => string} => {
	let written = '';
	const errStream = Object.assign(new PassThrough(), {
		isTTY: true,
		cursorTo: () => true,
		clearLine: () => true,
		moveCursor: () => true,
		columns: 100,
	});
	errStream.on('data', (chunk: Buffer) => (written += chunk.toString()));
	return {
		text: () => written,
		terminal: {
			out: () => undefined,
			err: text => (written += text),
			outColours: false,
			outIsTerminal: false,
			errIsTerminal,
			errStream,
			width: 100,
			ask: async () => Promise.resolve(undefined),
		},
	};
};

test('in a pipe: one line for each step, repeated figures once', t => {
	const {terminal, text} = recording(false);
	const progress = progressOn(terminal);
	progress.step('take the lock', 1, 18);
	progress.step('note: two servers', undefined, undefined);
	progress.step('filling', 0, 10);
	progress.step('filling', 0, 10);
	progress.step('filling', 10, 10);
	progress.clear();
	t.regex(
		text(),
		/^take the lock \(1 of 18\)\nnote: two servers\nfilling \(0 of 10\)\nfilling \(10 done, 0 pending, \d+\/s\)\n$/,
	);
});

test('on a terminal: a bar with entries done, pending and their rate', async t => {
	const {terminal, text} = recording(true);
	const progress = progressOn(terminal);
	progress.step('filling', 0, 12);
	progress.step('filling', 6, 12);
	await new Promise(resolve => setTimeout(resolve, 150));
	progress.step('filling', 9, 12);
	progress.clear();
	t.regex(text(), /\[#+-+\] 9 done, 3 pending, \d+\/s filling/);
});

test('the rate is that of the work under one text', t => {
	let nowMs = 0;
	const meter = new RateMeter(() => nowMs);
	t.is(meter.take('a', 5), undefined);
	nowMs = 2000;
	t.is(meter.take('a', 25), 10);
	t.is(meter.take('b', 30), undefined);
	t.is(meter.take('b', 40), undefined, 'no time has passed');
});

test('figures as text', t => {
	t.is(countText(undefined, undefined, undefined), '');
	t.is(countText(3, undefined, undefined), '3');
	t.is(countText(3, 18, undefined), '3 of 18');
	t.is(countText(3, 18, 1.6), '3 done, 15 pending, 2/s');
});
