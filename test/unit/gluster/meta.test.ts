import test from 'ava';
import fc from 'fast-check';
import {parsePendingCount, parseReplicateState} from '../../../src/gluster/meta.ts';

// As GlusterFS 10.3 gives it.
const TEXT = `[cluster/replicate.afr]
child_count = 2
child_up[0] = 1
pending_key[0] = trusted.afr.cfs-1
pending_reads[0] = 0
child_latency[0] = -1
halo_child_up[0] = 0
child_up[1] = 0
pending_key[1] = trusted.afr.cfs-2
pending_reads[1] = 0
child_latency[1] = -1
halo_child_up[1] = 0
data_self_heal = 1
read_child = 1
heal-waiters = 0
quorum-type = auto
up = 1
`;

test('reads which bricks are up and what they are called', t => {
	t.deepEqual(parseReplicateState(TEXT), {
		childCount: 2,
		up: [true, false],
		pendingKeys: ['trusted.afr.cfs-1', 'trusted.afr.cfs-2'],
		quorumType: 'auto',
		hasQuorum: true,
	});
});

test('a text that does not describe each child is none', t => {
	t.is(parseReplicateState(''), undefined);
	t.is(parseReplicateState(TEXT.replace('child_count = 2', 'child_count = 3')), undefined);
	t.is(parseReplicateState(TEXT.replace('child_count = 2', 'child_count = 0')), undefined);
	t.is(parseReplicateState(TEXT.replace('child_count = 2', 'child_count = 1e9')), undefined);
	t.is(parseReplicateState(TEXT.replace('pending_key[1]', 'pending')), undefined);
	t.is(parseReplicateState(TEXT.slice(0, 60)), undefined);
});

test('without quorum or an unknown state it is not called up', t => {
	t.false(parseReplicateState(TEXT.replace('\nup = 1', '\nup = 0'))?.hasQuorum);
	t.false(parseReplicateState(TEXT.replace('\nup = 1', ''))?.hasQuorum);
	t.deepEqual(parseReplicateState(TEXT.replace('child_up[0] = 1', 'child_up[0] = yes'))?.up, [false, false]);
});

test('no text makes the parser throw', t => {
	fc.assert(fc.property(fc.string(), text => parseReplicateState(text) === undefined));
	t.pass();
});

test('the count of pending heals ends in a NUL', t => {
	t.is(parsePendingCount(Buffer.from('0\0')), 0);
	t.is(parsePendingCount(Buffer.from('1051\0')), 1051);
	t.is(parsePendingCount(Buffer.from('4')), 4);
	for (const text of ['', '\0', '-1\0', '1 2', '0x10', '9'.repeat(20)])
		t.is(parsePendingCount(Buffer.from(text)), undefined, text);
});
