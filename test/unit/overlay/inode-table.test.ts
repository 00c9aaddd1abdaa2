/** The table of files against a plain model, and under several threads at once. */
import {Worker} from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import {type Identity, S_IFDIR, S_IFREG} from '../../../src/overlay/identity.ts';
import {
	createInodeCells,
	FIRST_NODE,
	type InodeBuffers,
	ROOT_NODE,
} from '../../../src/overlay/inode-layout.ts';
import {InodeTable} from '../../../src/overlay/inode-table.ts';
import {createSlabBuffer} from '../../../src/overlay/slab.ts';

const createBuffers = (capacity = 1024): InodeBuffers => ({
	nodes: createInodeCells(capacity),
	names: createSlabBuffer(1 << 20),
});
const createTable = (capacity?: number): InodeTable => new InodeTable(createBuffers(capacity));
const file = (ino: number, birth = 0, type = S_IFREG): Identity => ({
	inoLow: ino,
	inoHigh: -ino,
	birth,
	type,
});
const name = (text: string): Buffer => Buffer.from(text, 'latin1');

test('hard links are one node, with the newest name', t => {
	const table = createTable();
	const a = table.reference(file(1), ROOT_NODE, name('a'));
	t.is(table.reference(file(1), ROOT_NODE, name('b')), a);
	t.is(table.placeOf(a)?.name.toString(), 'b');
	t.is(table.used, 1);
	table.forget(a, 1);
	t.is(table.used, 1);
	table.forget(a, 1);
	t.is(table.used, 0);
	t.is(table.namesUsed, 0);
});

test('names are NUL-terminated copies', t => {
	const table = createTable();
	const place = table.placeOf(table.reference(file(1), ROOT_NODE, name('\xff\n')))!;
	t.deepEqual([...place.name], [0xff, 0x0a]);
	t.is(Buffer.from(place.name.buffer, place.name.byteOffset, 3)[2], 0);
});

test('a number that is used again has another generation', t => {
	const table = createTable();
	const first = table.reference(file(1), ROOT_NODE, name('a'));
	const reuse = table.reuseOf(first);
	table.forget(first, 1);
	t.is(table.reference(file(2), ROOT_NODE, name('b')), first);
	t.not(table.reuseOf(first), reuse);
});

test('an inode number that comes back for another file gets another node', t => {
	const table = createTable();
	const old = table.reference(file(1, 111), ROOT_NODE, name('a'));
	const next = table.reference(file(1, 222), ROOT_NODE, name('a'));
	t.not(old, next);
	t.false(table.is(old, file(1, 222)));
	t.is(table.placeOf(old), undefined);
	t.not(table.reference(file(1, 222, S_IFDIR), ROOT_NODE, name('a')), next);
	t.is(table.reference(file(1, 0, S_IFDIR), ROOT_NODE, name('a')), table.find(file(1, 222, S_IFDIR)));
});

test('a removed file keeps its node and gives its number away', t => {
	const table = createTable();
	const nodeid = table.reference(file(1), ROOT_NODE, name('a'));
	table.unnamed(nodeid, ROOT_NODE, name('a'), true);
	t.is(table.placeOf(nodeid), undefined);
	t.true(table.is(nodeid, file(1)));
	t.is(table.find(file(1)), 0);
	t.not(table.reference(file(1), ROOT_NODE, name('a')), nodeid);
});

test('removing a name that is not the known one changes nothing', t => {
	const table = createTable();
	const nodeid = table.reference(file(1), ROOT_NODE, name('a'));
	table.unnamed(nodeid, ROOT_NODE, name('b'), false);
	t.is(table.placeOf(nodeid)?.name.toString(), 'a');
});

test('directories live as long as their children, and are told when they go', t => {
	const table = createTable();
	const a = table.reference(file(1, 0, S_IFDIR), ROOT_NODE, name('a'));
	const b = table.reference(file(2, 0, S_IFDIR), a, name('b'));
	const c = table.reference(file(3), b, name('c'));
	t.deepEqual(table.forget(a, 1), []);
	t.deepEqual(table.forget(b, 1), []);
	t.deepEqual(table.forget(c, 1), [b, a]);
	t.is(table.used, 0);
});

test('a full table says so and recovers', t => {
	const table = createTable(128);
	for (let i = 1; i <= 128 - FIRST_NODE; i++) t.not(table.reference(file(i), ROOT_NODE, name(`${i}`)), 0);
	t.is(table.reference(file(1000), ROOT_NODE, name('x')), 0);
	table.forget(table.find(file(7)), 1);
	t.not(table.reference(file(1000), ROOT_NODE, name('x')), 0);
});

test('counts of more than 32 bits', t => {
	const table = createTable();
	const nodeid = table.reference(file(1), ROOT_NODE, name('a'));
	table.forget(nodeid, 0);
	for (let i = 0; i < 3; i++) table.reference(file(1), ROOT_NODE, name('a'));
	table.forget(nodeid, 3);
	t.is(table.used, 1);
	// More than was given: only a bug in the kernel could ask for it.
	table.forget(nodeid, 2 ** 33);
	t.is(table.used, 0);
});

interface Model {
	lookups: number;
	place: string;
}

test('behaves as a plain map does, whatever the order', t => {
	const step = fc.record({
		what: fc.constantFrom('reference', 'forget', 'moved', 'unnamed', 'gone'),
		ino: fc.integer({min: 1, max: 6}),
		name: fc.constantFrom('a', 'b', 'a-name-of-more-than-sixteen-bytes'),
	});
	fc.assert(
		fc.property(fc.array(step, {maxLength: 80}), steps => {
			const table = createTable(128);
			const model = new Map<number, Model>();
			for (const {what, ino, name: text} of steps) {
				const nodeid = table.find(file(ino));
				const known = model.get(ino);
				if ((nodeid !== 0) !== (known !== undefined)) return false;
				if (what === 'reference') {
					table.reference(file(ino), ROOT_NODE, name(text));
					model.set(ino, {lookups: (known?.lookups ?? 0) + 1, place: text});
				} else if (known !== undefined) {
					if (what === 'forget') {
						table.forget(nodeid, 1);
						if (--known.lookups === 0) model.delete(ino);
					} else if (what === 'moved') {
						table.moved(nodeid, ROOT_NODE, name(text));
						known.place = text;
					} else if (what === 'unnamed') {
						table.unnamed(nodeid, ROOT_NODE, name(text), false);
						if (known.place === text) known.place = '';
					} else {
						table.unnamed(nodeid, ROOT_NODE, name(text), true);
						table.forget(nodeid, known.lookups);
						model.delete(ino);
					}
				}
				const after = table.find(file(ino));
				if (after !== 0 && (table.placeOf(after)?.name.toString() ?? '') !== model.get(ino)?.place)
					return false;
			}
			return table.used === model.size;
		}),
		{numRuns: 300},
	);
	t.pass();
});

const HAMMER = `
import {workerData, parentPort} from 'node:worker_threads';
const {InodeTable} = await import(workerData.module);
const table = new InodeTable(workerData.buffers);
let seed = workerData.seed;
const random = n => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
const held = [];
for (let i = 0; i < 20000; i++) {
	if (held.length < 50 && random(2) === 0) {
		const ino = 1 + random(40);
		const identity = {inoLow: ino, inoHigh: 0, birth: 0, type: 0o100000};
		const nodeid = table.reference(identity, 1, Buffer.from('name' + random(5)));
		if (nodeid === 0 || !table.is(nodeid, identity) || table.find(identity) !== nodeid) throw new Error('not the node');
		held.push(nodeid);
	} else if (held.length > 0) table.forget(held.splice(random(held.length), 1)[0], 1);
	if (i % 7 === 0 && held.length > 0) table.placeOf(held[0]);
}
for (const nodeid of held) table.forget(nodeid, 1);
parentPort.postMessage('done');
`;

test('several threads at once lose nothing', async t => {
	const buffers = createBuffers();
	const module = new URL('../../../src/overlay/inode-table.js', import.meta.url).href;
	const threads = [1, 2, 3, 4].map(
		seed =>
			new Promise<void>((resolve, reject) => {
				const url = new URL(`data:text/javascript,${encodeURIComponent(HAMMER)}`);
				const worker = new Worker(url, {workerData: {buffers, seed, module}});
				worker.once('message', () => resolve());
				worker.once('error', reject);
			}),
	);
	await Promise.all(threads);
	const table = new InodeTable(buffers);
	t.is(table.used, 0);
	t.is(table.namesUsed, 0);
	t.deepEqual([...table.nodes()], [ROOT_NODE]);
});
