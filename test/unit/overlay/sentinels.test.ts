/** The table of virtual files. */
import test from 'ava';
import {type GateState} from '../../../src/membership/gate.ts';
import {type Generation} from '../../../src/membership/ids.ts';
import {FIRST_NODE} from '../../../src/overlay/inode-layout.ts';
import {
	isVirtualNode,
	SENTINELS,
	sentinelIndex,
	sentinelNode,
	sentinelNodeAt,
	type SentinelRow,
	virtualIno,
} from '../../../src/overlay/sentinels.ts';

test('nodes are virtual, below those of the table, and lead back to their names', t => {
	const inos = new Set<bigint>();
	for (const [index, {name}] of SENTINELS.entries()) {
		const nodeid = sentinelNode(Buffer.from(name))!;
		t.is(sentinelIndex(nodeid), index);
		t.is(sentinelNodeAt(index), nodeid);
		t.true(isVirtualNode(nodeid) && nodeid < FIRST_NODE);
		inos.add(virtualIno(nodeid));
	}
	t.is(inos.size, SENTINELS.length);
	t.is(sentinelNode(Buffer.from('other')), undefined);
	t.false(isVirtualNode(1) || isVirtualNode(FIRST_NODE));
});

test('which exist in which state of the gate', t => {
	const rows: readonly SentinelRow[] = SENTINELS;
	const existing = (state: GateState, degraded: boolean): string =>
		rows
			.filter(row => row.exists({state, degraded, generation: 1 as Generation, epoch: 1}))
			.map(({name}) => name)
			.filter(name => ['healthy', 'writable', 'degraded'].includes(name))
			.join(' ');
	t.is(existing('open', false), 'healthy writable');
	t.is(existing('open', true), 'writable degraded');
	for (const state of ['refusing', 'switching'] as const)
		for (const degraded of [true, false]) t.is(existing(state, degraded), '');
});
