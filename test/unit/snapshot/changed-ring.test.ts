/** What the serving threads tell the one that follows. */
import test from 'ava';
import {ChangedRing, createChangedRing} from '../../../src/snapshot/changed-ring.ts';

const HEAD = 0;
const ENTRIES = 2048;

test('what was noted is taken once, in order, with its name', t => {
	const ring = new ChangedRing(createChangedRing());
	ring.note(5n, Buffer.from('a'));
	ring.note((1n << 64n) - 1n);
	const taken = ring.takeFrom(0)!;
	t.deepEqual(taken.changes, [
		{ino: 5n, name: Buffer.from('a')},
		{ino: (1n << 64n) - 1n, name: Buffer.alloc(0)},
	]);
	ring.note(6n, Buffer.alloc(255, 'x'));
	t.deepEqual(ring.takeFrom(taken.next)!.changes, [{ino: 6n, name: Buffer.alloc(255, 'x')}]);
	t.deepEqual(ring.takeFrom(ring.head)!.changes, []);
});

test('an entry that is still being written is not taken, nor what comes behind it', t => {
	const buffer = createChangedRing();
	const ring = new ChangedRing(buffer);
	ring.note(1n, Buffer.from('whole'));
	// Another thread has its place, and has written nothing yet.
	Atomics.add(new Int32Array(buffer), HEAD, 1);
	ring.note(3n);
	const first = ring.takeFrom(0)!;
	t.deepEqual(
		first.changes.map(({ino}) => ino),
		[1n],
	);
	t.is(first.next, 1);
	t.deepEqual(ring.takeFrom(first.next), {changes: [], next: 1});
});

test('more than the ring holds is told as such, and the next lap is taken as the first', t => {
	const ring = new ChangedRing(createChangedRing());
	for (let i = 0; i < ENTRIES; i++) ring.note(BigInt(i));
	t.is(ring.takeFrom(0)!.changes.length, ENTRIES);
	ring.note(9999n);
	t.is(ring.takeFrom(0), undefined);
	t.deepEqual(
		ring.takeFrom(ENTRIES)!.changes.map(({ino}) => ino),
		[9999n],
	);
});

test('one thread takes only whole entries while another writes them', async t => {
	const buffer = createChangedRing();
	const {Worker} = await import('node:worker_threads');
	const COUNT = 200_000;
	const worker = new Worker(
		`const {workerData: d} = require('node:worker_threads');
		import(d.module).then(({ChangedRing}) => {
			const ring = new ChangedRing(d.buffer);
			for (let i = 0; i < d.count; i++) ring.note(BigInt(i), Buffer.from(String(i).repeat(8)));
		});`,
		{
			eval: true,
			workerData: {
				buffer,
				count: COUNT,
				module: new URL('../../../src/snapshot/changed-ring.js', import.meta.url).href,
			},
		},
	);
	const ring = new ChangedRing(buffer);
	let seen = 0;
	let taken = 0;
	let torn = 0;
	while (seen < COUNT) {
		ring.wait(seen, 1000);
		const got = ring.takeFrom(seen);
		for (const {ino, name} of got?.changes ?? []) if (name.toString() !== String(ino).repeat(8)) torn++;
		taken += got?.changes.length ?? 0;
		seen = got?.next ?? ring.head;
	}
	await worker.terminate();
	t.is(torn, 0);
	t.true(taken > 0);
	t.log(`${taken} of ${COUNT} entries were taken one by one`);
});
