/** The texts of the sentinels: exact, whole, and never disturbed by the writer. */
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {Board, BOARD_MAX_BYTES, createBoardBuffer} from '../../../src/overlay/board.ts';

test('reads what was published; the time is that of the last change of that text', t => {
	const board = new Board(createBoardBuffer(3), 3);
	t.deepEqual(board.read(0), {text: Buffer.alloc(0), changedMs: 0});
	board.publish(['a', 'äöü'], 1_700_000_000_123);
	board.publish(['a', 'b', 'c'], 1_800_000_000_456);
	t.deepEqual(board.read(0), {text: Buffer.from('a'), changedMs: 1_700_000_000_123});
	t.deepEqual(board.describe(1), {length: 1, changedMs: 1_800_000_000_456});
	t.is(board.read(2).text.toString(), 'c');
});

test('refuses more than there is room for and keeps the old texts', t => {
	const board = new Board(createBoardBuffer(2), 2);
	board.publish(['old', '']);
	t.throws(() => board.publish(['x'.repeat(BOARD_MAX_BYTES), 'y']), {code: 'HEKAFS_INTERNAL'});
	t.is(board.read(0).text.toString(), 'old');
});

const WRITER = `
import {workerData} from 'node:worker_threads';
const {Board} = await import(workerData.module);
const board = new Board(workerData.buffer, 1);
for (let i = 0; i < 3000; i++) board.publish([String.fromCharCode(97 + (i % 26)).repeat(1 + (i * 37) % 5000)]);
`;

test('a reader never sees half a text', async t => {
	const buffer = createBoardBuffer(1);
	const module = new URL('../../../src/overlay/board.js', import.meta.url).href;
	const url = new URL(`data:text/javascript,${encodeURIComponent(WRITER)}`);
	const worker = new Worker(url, {workerData: {buffer, module}});
	const state = {ended: false};
	const exit = new Promise<void>(resolve => worker.once('exit', () => resolve())).then(
		() => (state.ended = true),
	);
	const board = new Board(buffer, 1);
	const seen = new Set<string>();
	while (!state.ended) {
		for (let i = 0; i < 200; i++) {
			const text = board.read(0).text.toString();
			if (text !== (text[0] ?? '').repeat(text.length)) t.fail('a mixture of two texts');
			seen.add(text[0] ?? '');
		}
		await new Promise(resolve => setImmediate(resolve));
	}
	await exit;
	t.true(seen.size > 2);
});
