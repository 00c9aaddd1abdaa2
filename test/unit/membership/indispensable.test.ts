/** Which servers a set can't lose. */
import test from 'ava';
import {FIRST_EPOCH, type FilesystemId, type NodeUuid} from '../../../src/membership/ids.ts';
import {indispensableServers} from '../../../src/membership/indispensable.ts';
import {makeServerSet} from '../../../src/membership/server-set.ts';

const uuid = (n: number): NodeUuid => `0000000${n}-1111-4111-8111-111111111111` as NodeUuid;
const setOf = (...numbers: number[]) =>
	makeServerSet(
		'ffffffff-ffff-4fff-8fff-ffffffffffff' as FilesystemId,
		FIRST_EPOCH,
		numbers.map(n => ({uuid: uuid(n), address: `h${n}`, port: 24_100})),
	);
const up = (...numbers: number[]): ReadonlySet<NodeUuid> => new Set(numbers.map(uuid));

for (const [servers, upNow, expected] of [
	[[1], [1], [1]],
	[[1, 2], [1, 2], [1]],
	[[1, 2], [1], [1]],
	[[1, 2], [2], []],
	[[1, 2, 3], [1, 2, 3], []],
	[
		[1, 2, 3],
		[2, 3],
		[2, 3],
	],
	[[1, 2, 3, 4], [1, 2, 3, 4], []],
	[[1, 2, 3, 4], [1, 2, 3], [1]],
	[
		[1, 2, 3, 4],
		[2, 3, 4],
		[2, 3, 4],
	],
	[
		[1, 2, 3, 4],
		[1, 2],
		[1, 2],
	],
] as const)
	test(`of {${servers.join()}} with {${upNow.join()}} up, {${expected.join()}} can't be lost`, t => {
		t.deepEqual(indispensableServers(setOf(...servers), up(...upNow)), expected.map(uuid));
	});
