/** The journal's shared memory: the ring, the counts of writes, the versions of files. */
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {createRingBuffer, JournalRing} from '../../../src/overlay/journal-ring.ts';
import {createVersionBuffers, VersionTable, VERSIONS_MAX} from '../../../src/overlay/version-table.ts';
import {createWriteCounts, WriteCounts} from '../../../src/overlay/write-counts.ts';

const RING_URL = new URL('../../../src/overlay/journal-ring.js', import.meta.url).href;

test('a ring gives back what was put in, round its end many times', t => {
	const ring = new JournalRing(createRingBuffer(256));
	for (let i = 0; i < 500; i++) {
		const records = Array.from({length: i % 4}, (_, k) => Buffer.alloc((i * 7 + k) % 50, i));
		for (const record of records) t.true(ring.push(record));
		t.deepEqual(ring.drain(), records);
	}
});

test('a full ring drops and counts, and takes again once it is drained', t => {
	const ring = new JournalRing(createRingBuffer(64));
	t.true(ring.push(Buffer.alloc(50)));
	t.false(ring.push(Buffer.alloc(20)));
	t.is(ring.dropped, 1);
	t.is(ring.drain().length, 1);
	t.true(ring.push(Buffer.alloc(60)));
});

test('the counter goes on from where it is told, past 2^32', t => {
	const ring = new JournalRing(createRingBuffer(64));
	ring.startAt(2 ** 41);
	t.is(ring.nextCounter(), 2 ** 41 + 1);
	t.is(ring.counter, 2 ** 41 + 1);
});

const PUSHER = `
import {workerData} from 'node:worker_threads';
const {JournalRing} = await import(workerData.module);
const ring = new JournalRing(workerData.buffer);
for (let i = 0; i < 5000; i++) {
	const record = Buffer.alloc(8 + i % 90, workerData.id);
	record.writeUInt32LE(ring.nextCounter());
	while (!ring.push(record));
}
`;

test('threads that push at once lose nothing and mix nothing', async t => {
	const buffer = createRingBuffer(4096);
	const ring = new JournalRing(buffer);
	let running = 3;
	for (let id = 1; id <= 3; id++)
		new Worker(new URL(`data:text/javascript,${encodeURIComponent(PUSHER)}`), {
			workerData: {buffer, id, module: RING_URL},
		}).once('exit', () => running--);
	const counters = new Set<number>();
	while (running > 0 || counters.size < 15_000) {
		for (const record of ring.drain()) {
			counters.add(record.readUInt32LE());
			t.true(record.subarray(4).every(byte => byte === record[4]));
		}
		await new Promise(resolve => setImmediate(resolve));
	}
	t.is(counters.size, 15_000);
	t.is(Math.max(...counters), 15_000);
});

test('writes of a handle are counted until they are taken', t => {
	const counts = new WriteCounts(createWriteCounts());
	t.is(counts.take(5), undefined);
	t.false(counts.add(5, 10, {uid: 4_000_000_000, pid: 7}));
	t.false(counts.add(5, 2 ** 31, {uid: 0, pid: 8}));
	t.deepEqual(counts.take(5), {count: 2, bytes: 2 ** 31 + 10, uid: 4_000_000_000, pid: 7});
	t.is(counts.take(5), undefined);
});

test('versions are found by inode number, 64 bits of it, and make room', t => {
	const buffers = createVersionBuffers();
	const table = new VersionTable(buffers);
	const reader = new VersionTable(buffers);
	t.is(reader.get(1n), undefined);
	t.true(table.set(2n ** 64n - 1n, 'one'));
	t.true(table.set(2n ** 32n - 1n, 'two'));
	t.true(table.set(2n ** 64n - 1n, 'three'));
	t.is(reader.get(2n ** 64n - 1n)?.toString(), 'three');
	t.is(reader.get(2n ** 32n - 1n)?.toString(), 'two');
	let set = 2;
	while (table.set(BigInt(set + 10), 'x')) set++;
	t.is(set, VERSIONS_MAX);
	table.clear();
	t.is(reader.get(2n ** 64n - 1n), undefined);
	t.true(table.set(1n, 'again'));
	t.is(reader.get(1n)?.toString(), 'again');
});
