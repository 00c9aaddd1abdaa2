import fc from 'fast-check';
import test from 'ava';
import {type Epoch} from '../../../src/membership/ids.ts';
import {formatNodeState, type NodeState, parseNodeState} from '../../../src/membership/node-state.ts';
import {setIdOf} from '../../../src/membership/server-set.ts';
import {bytesOf, filesystemOf, FS, NOW, setOf, uuidOf} from '../../support/sets.ts';

const set = setOf(2, [1, 2]);
const state: NodeState = {
	format: 2,
	filesystemId: FS,
	set,
	closed: 4,
	pending: {
		change: {
			format: 1,
			kind: 'join',
			from: set,
			to: setOf(3, [1, 2, 3], FS, 7),
			subject: uuidOf(3),
			by: uuidOf(3),
			startedAt: NOW,
			forced: false,
		},
		promised: 33,
		accepted: {ballot: 33, word: 'go'},
	},
	brick: {directory: '/var/lib/hekafs/bricks/x y', port: 24_100, setId: setIdOf(set)},
	founding: true,
	retired: {epoch: 1 as Epoch, at: NOW, directory: '/var/lib/hekafs/retired/1'},
};

test('a state survives its own format', t => {
	t.deepEqual(parseNodeState(bytesOf(formatNodeState(state))), {kind: 'state', state});
	const client: NodeState = {...state, brick: null, pending: null, founding: false, retired: null};
	t.deepEqual(parseNodeState(bytesOf(formatNodeState(client))), {kind: 'state', state: client});
});

test('format 1: what it lacks has its default, its next set becomes a pending change', t => {
	const first = {
		...state,
		format: 1,
		closed: undefined,
		pending: undefined,
		founding: undefined,
		retired: undefined,
	};
	const read = {...state, closed: 0, pending: null, founding: false, retired: null};
	t.deepEqual(parseNodeState(bytesOf(first)), {kind: 'state', state: read});
	for (const [next, kind, subject] of [
		[setOf(3, [1, 2, 3]), 'join', uuidOf(3)],
		[setOf(3, [2]), 'retire', uuidOf(1)],
	] as const) {
		const parsed = parseNodeState(bytesOf({...first, next}));
		if (parsed.kind !== 'state') return t.fail();
		t.like(parsed.state.pending, {promised: 0, accepted: null});
		t.like(parsed.state.pending?.change, {kind, subject, by: subject, forced: false});
		t.deepEqual([parsed.state.pending?.change.from, parsed.state.pending?.change.to], [set, next]);
	}
	t.deepEqual(parseNodeState(bytesOf({...first, next: set})), {kind: 'state', state: read});
	return undefined;
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
