import fc from 'fast-check';
import test from 'ava';
import {type Epoch} from '../../../src/membership/ids.ts';
import {formatNodeState, type NodeState, parseNodeState} from '../../../src/membership/node-state.ts';
import {setIdOf} from '../../../src/membership/server-set.ts';
import {bytesOf, filesystemOf, FS, NOW, setOf} from '../../support/sets.ts';

const set = setOf(2, [1, 2]);
const state: NodeState = {
	format: 1,
	filesystemId: FS,
	set,
	next: setOf(3, [1, 2, 3]),
	brick: {directory: '/var/lib/hekafs/bricks/x y', port: 24_100, setId: setIdOf(set)},
	founding: true,
	retired: {epoch: 1 as Epoch, at: NOW, directory: '/var/lib/hekafs/retired/1'},
};

test('a state survives its own format', t => {
	t.deepEqual(parseNodeState(bytesOf(formatNodeState(state))), {kind: 'state', state});
	const client: NodeState = {...state, brick: null, next: null, founding: false, retired: null};
	t.deepEqual(parseNodeState(bytesOf(formatNodeState(client))), {kind: 'state', state: client});
});

test('what an older state lacks has its default', t => {
	const old = {...state, next: undefined, founding: undefined, retired: undefined};
	t.deepEqual(parseNodeState(bytesOf(old)), {
		kind: 'state',
		state: {...state, next: null, founding: false, retired: null},
	});
});

test('absent, empty, foreign', t => {
	t.deepEqual(parseNodeState(null), {kind: 'absent'});
	t.is(parseNodeState(bytesOf('')).kind, 'invalid');
	t.is(parseNodeState(bytesOf({...state, filesystemId: filesystemOf(2)})).kind, 'invalid');
	t.is(parseNodeState(bytesOf({...state, brick: {...state.brick, directory: 'a'}})).kind, 'invalid');
	t.is(parseNodeState(bytesOf({...state, brick: {...state.brick, directory: '/a\nb'}})).kind, 'invalid');
	t.is(parseNodeState(bytesOf({...state, brick: {...state.brick, setId: 'x'}})).kind, 'invalid');
});

test('hostile bytes never throw', t => {
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 200}), bytes => {
			t.is(parseNodeState(bytes).kind, 'invalid');
		}),
		{numRuns: 100},
	);
});
