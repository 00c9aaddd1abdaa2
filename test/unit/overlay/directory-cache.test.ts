/** Descriptors of directories: found, shared, bounded, never closed while pinned. */
import test from 'ava';
import {createDirectoryCells, DIRECTORIES_MAX, DirectoryCache} from '../../../src/overlay/directory-cache.ts';

const key = (nodeid: number, generation = 1, reuse = 0) => ({nodeid, reuse, generation});

test('finds what was added, for the same node, use and generation only', t => {
	const cache = new DirectoryCache(createDirectoryCells());
	const {pinned, toClose} = cache.add(key(70), 5);
	t.is(toClose, -1);
	t.deepEqual(cache.pin(key(70)), pinned);
	t.is(cache.pin(key(70, 2)), undefined);
	t.is(cache.pin(key(70, 1, 1)), undefined);
	t.deepEqual(cache.add(key(70), 6), {pinned, toClose: 6});
});

test('room is made by closing what nobody uses', t => {
	const cache = new DirectoryCache(createDirectoryCells());
	const pins = [1, 2, 3, 4].map(i => cache.add(key(64 + i * 256), i).pinned);
	t.deepEqual(cache.add(key(64), 9), {pinned: {fd: 9, slot: -1}, toClose: -1});
	cache.unpin(pins[1]!);
	t.is(cache.add(key(64), 9).toClose, 2);
	t.is(cache.pin(key(64 + 512)), undefined);
	t.deepEqual(cache.drop(64 + 256), []);
	cache.unpin(pins[0]!);
	t.deepEqual(cache.drop(64 + 256), [1]);
});

test('holds a bounded number and sweeps a generation', t => {
	const cache = new DirectoryCache(createDirectoryCells());
	let open = 0;
	for (let i = 64; i < 5000; i++) {
		const {pinned, toClose} = cache.add(key(i, i % 2), i);
		open += toClose < 0 ? 1 : 0;
		cache.unpin(pinned);
	}
	t.is(open, DIRECTORIES_MAX);
	const swept = cache.sweep(({generation}) => generation === 0);
	t.is(swept.length, DIRECTORIES_MAX / 2);
	t.true(swept.every(fd => fd % 2 === 0));
});
