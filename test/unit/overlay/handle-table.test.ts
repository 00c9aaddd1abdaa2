/** Open handles: numbers, pins, owners, texts, what happens to old descriptors. */
import test from 'ava';
import {createHandleCells, type NewHandle} from '../../../src/overlay/handle-layout.ts';
import {HandleTable} from '../../../src/overlay/handle-table.ts';
import {createSlabBuffer} from '../../../src/overlay/slab.ts';

const createTable = (capacity = 64): HandleTable =>
	new HandleTable({handles: createHandleCells(capacity), texts: createSlabBuffer(4096)});
const file = (fd: number, more: Partial<NewHandle> = {}): NewHandle => ({
	kind: 'file',
	nodeid: 100,
	fd,
	generation: 1,
	flags: 2,
	...more,
});

test('a released handle closes with its last pin, and its number is no other', t => {
	const table = createTable();
	const fh = table.open(file(7));
	t.like(table.pin(fh), {fh, kind: 'file', nodeid: 100, fd: 7, generation: 1, flags: 2});
	t.is(table.close(fh), -1);
	t.is(table.pin(fh), undefined);
	t.is(table.unpin(fh), 7);
	const next = table.open(file(8));
	t.not(next, fh);
	t.is(table.pin(fh), undefined);
	t.is(table.close(fh), -1);
	t.is(table.close(next), 8);
	t.is(table.used, 0);
});

test('a full table leaves the descriptor to the caller', t => {
	const table = createTable(3);
	t.not(table.open(file(1)), 0);
	t.not(table.open(file(2)), 0);
	t.is(table.open(file(3)), 0);
});

test('numbers that nobody was given are no handles', t => {
	const table = createTable();
	table.open(file(1));
	for (const fh of [0, 1, 2, 63, 64, 65, 0x7fff_ffff, 0x0002_0001])
		t.is(table.pin(fh), undefined, String(fh));
});

test('finds open files of a node and locks of an owner', t => {
	const table = createTable();
	const other = table.open(file(1, {nodeid: 100 + 4096}));
	const lock = table.open(file(2, {kind: 'lock', owner: 0xffff_ffff_ffff_fff0n}));
	t.is(table.pinOpenOf(100, 'file'), undefined);
	const fh = table.open(file(3));
	t.is(table.pinOpenOf(100, 'file')?.fh, fh);
	t.is(table.pinLockOf(100, 0xffff_ffff_ffff_fff0n)?.fh, lock);
	t.is(table.pinLockOf(100, 0xfff0n), undefined);
	t.is(table.pinOpenOf(100 + 4096, 'file')?.fh, other);
});

test('a rebound handle keeps its number; the old descriptor is given out once, after its time', t => {
	const table = createTable();
	const fh = table.open(file(5));
	const handle = table.pin(fh)!;
	t.true(table.rebind(handle, 6, 2));
	table.unpin(fh);
	t.like(table.pin(fh), {fd: 6, generation: 2});
	t.deepEqual(table.takeRetired(1, 60_000), []);
	t.true(table.hasGeneration(1));
	t.deepEqual(table.takeRetired(1, 0), [5]);
	t.deepEqual(table.takeRetired(1, 0), []);
	t.false(table.hasGeneration(1));
	table.unpin(fh);
	t.deepEqual(table.takeAll(2), [6]);
	t.is(table.used, 0);
});

test('texts are fixed at open and read in pieces', t => {
	const table = createTable();
	const text = Buffer.from('some text');
	const fh = table.openText(3, 0, text);
	text.fill(0);
	const into = Buffer.alloc(4);
	t.is(table.readText(fh, 5, into), 4);
	t.is(into.toString(), 'text');
	t.is(table.readText(fh, 9, into), 0);
	t.is(table.readText(fh, 900, into), 0);
	t.is(table.close(fh), -1);
	t.is(table.readText(fh, 0, into), -1);
	t.is(table.openText(3, 0, Buffer.alloc(5000)), 0);
	t.is(table.used, 0);
});
