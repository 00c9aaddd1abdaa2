/** Which node a person means by what he types. */
import test from 'ava';
import {HekafsError} from '../../../../src/errors.ts';
import {resolveNode} from '../../../../src/main/commands/resolve-node.ts';
import {parseNodeUuid, type NodeUuid} from '../../../../src/membership/ids.ts';
import {NODE_A, NODE_B, NODE_C, REPORT} from '../../../support/http-node.ts';

const found: ReadonlyArray<readonly [typed: string, node: NodeUuid]> = [
	[NODE_B, NODE_B],
	['22222222-3333-4333-8333-33333333333', NODE_C],
	['1111', NODE_A],
	['22222222-2', NODE_B],
	['alpha', NODE_A],
	['ALPHA', NODE_A],
	['10.0.0.2', NODE_B],
	['beta', NODE_B],
	['gamma', NODE_C],
];
for (const [typed, node] of found)
	test(`'${typed}' is found`, t => {
		t.is(resolveNode(typed, REPORT), node);
	});

test('a beginning that fits two nodes is refused and lists both', t => {
	const error = t.throws(() => resolveNode('22222222', REPORT), {
		instanceOf: HekafsError,
		code: 'HEKAFS_REFUSED',
		message: "'22222222' can mean 2 nodes",
	});
	t.is(error.remedy, `Give the whole UUID of one of: ${NODE_B} (10.0.0.2, beta); ${NODE_C} (gamma)`);
});

test('unknown names and short beginnings are refused and the known nodes listed', t => {
	for (const typed of ['delta', '111', '', '-'])
		t.regex(
			t.throws(() => resolveNode(typed, REPORT), {instanceOf: HekafsError, code: 'HEKAFS_REFUSED'}).remedy ??
				'',
			/^Known are: 1111.*alpha.*; 2222.*beta/,
		);
});

test('upper case is the same UUID', t => {
	const lettered = parseNodeUuid('abcdefab-cdef-4bcd-8bcd-abcdefabcdef')!;
	const report = {...REPORT, members: [{uuid: lettered, addresses: ['x'], connected: true}]};
	t.is(resolveNode('ABCDEFAB-CDEF-4BCD-8BCD-ABCDEFABCDEF', report), lettered);
	t.is(resolveNode('ABCD', report), lettered);
});

test('a name shared by two nodes is refused', t => {
	const twins = {...REPORT, members: [{uuid: NODE_C, addresses: ['alpha'], connected: true}]};
	t.throws(() => resolveNode('alpha', twins), {code: 'HEKAFS_REFUSED', message: /can mean 2 nodes/});
});

test('a name that looks like the beginning of another UUID is taken for the name', t => {
	const named = {...REPORT, members: [{uuid: NODE_C, addresses: ['1111'], connected: true}]};
	t.is(resolveNode('1111', named), NODE_C);
});
