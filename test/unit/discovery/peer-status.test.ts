import fc from 'fast-check';
import test from 'ava';
import {parsePeerStatus, type PeerStatus} from '../../../src/discovery/peer-status.ts';
import {uuidOf} from '../../support/sets.ts';

const wrap = (inner: string): string =>
	`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput>\n  <opRet>0</opRet>\n  <opErrno>0</opErrno>\n  <opErrstr/>\n  ${inner}\n</cliOutput>\n`;
const peer = (n: number, {names = [`h${n}`], connected = 1, uuid = String(uuidOf(n))} = {}): string =>
	`<peer><uuid>${uuid}</uuid><hostname>${names[0]!}</hostname><hostnames>${names
		.map(name => `<hostname>${name}</hostname>`)
		.join(
			'',
		)}</hostnames><connected>${connected}</connected><state>3</state><stateStr>Peer in Cluster</stateStr></peer>`;
const parse = (stdout: string, exitCode = 0, stderr = ''): PeerStatus =>
	parsePeerStatus({exitCode, stdout, stderr});
const problem = (status: PeerStatus): string => (status.kind === 'problem' ? status.problem : 'members');

test('a lone node', t => {
	t.deepEqual(parse(wrap('<peerStatus/>')), {kind: 'members', members: [], unidentified: []});
});

test('one peer, and two of which one is disconnected and has several names', t => {
	t.deepEqual(parse(wrap(`<peerStatus>${peer(2)}</peerStatus>`)), {
		kind: 'members',
		members: [{uuid: uuidOf(2), addresses: ['h2'], connected: true}],
		unidentified: [],
	});
	const two = parse(
		wrap(`<peerStatus>${peer(2)}${peer(3, {names: ['h3', '10.0.0.3', 'h3'], connected: 0})}</peerStatus>`),
	);
	t.like(two.kind === 'members' ? two.members[1] : {}, {
		addresses: ['h3', '10.0.0.3'],
		connected: false,
	});
});

test('glusterd is down: exit code 1 and plain text, although --xml was asked for', t => {
	const text = 'Connection failed. Please check if gluster daemon is operational.\n';
	t.is(problem(parse(text, 1)), `gluster peer status: ${text.trim()}`);
	t.is(problem(parse('', 1, 'not found')), 'gluster peer status: not found');
	t.is(problem(parse('', 124)), 'gluster peer status: it ended with 124');
});

test('an error inside the XML', t => {
	t.regex(
		problem(parse('<cliOutput><opRet>-1</opRet><opErrstr>no\u001b way</opErrstr></cliOutput>')),
		/no {2}way$/,
	);
	t.regex(problem(parse('<cliOutput><opRet>-1</opRet><opErrstr/></cliOutput>')), /opRet is "-1"/);
});

test('a probe that has not ended has no UUID and can’t be asked', t => {
	const zero = '00000000-0000-0000-0000-000000000000';
	t.deepEqual(parse(wrap(`<peerStatus>${peer(9, {uuid: zero})}${peer(2)}</peerStatus>`)), {
		kind: 'members',
		members: [{uuid: uuidOf(2), addresses: ['h2'], connected: true}],
		unidentified: ['h9'],
	});
	const nameless = parse(wrap(`<peerStatus>${peer(9, {uuid: zero, names: ['a b']})}</peerStatus>`));
	t.deepEqual(nameless.kind === 'members' ? nameless.unidentified : [], ['a peer without a valid name']);
});

test('a name that is none is left out, its node is not', t => {
	const status = parse(wrap(`<peerStatus>${peer(2, {names: ['$(id)', 'a b']})}</peerStatus>`));
	t.deepEqual(status, {
		kind: 'members',
		members: [{uuid: uuidOf(2), addresses: [], connected: true}],
		unidentified: [],
	});
});

test('garbage of many kinds is a problem, never a shorter list', t => {
	const whole = wrap(`<peerStatus>${peer(2)}${peer(3)}</peerStatus>`);
	const bad = [
		'',
		'Number of Peers: 0\n',
		'<html><body>hello</body></html>',
		wrap(''),
		wrap('<peerStatus><peer/></peerStatus>'),
		wrap(`<peerStatus>${peer(2, {uuid: 'h2'})}</peerStatus>`),
		wrap(`<peerStatus>${peer(2)}`),
		`<!DOCTYPE x [<!ENTITY a "b">]>${whole}`,
		whole.replace('<peerStatus>', '<peerStatus><a>').replace('</peerStatus>', '</a></peerStatus>'),
	];
	for (const text of bad) t.is(parse(text).kind, 'problem', text);
	for (let n = 0; n < whole.trimEnd().length; n++) t.is(parse(whole.slice(0, n)).kind, 'problem', String(n));
});

test('huge output is refused', t => {
	t.regex(problem(parse(' '.repeat(3_000_000))), /more than/);
	const many = Array.from({length: 1025}, (_, i) => peer(i + 1)).join('');
	t.regex(problem(parse(wrap(`<peerStatus>${many}</peerStatus>`))), /more than 1024 peers/);
});

test('hostile text never throws', t => {
	fc.assert(
		fc.property(fc.string({unit: 'binary'}), text => {
			t.is(parse(text).kind, 'problem');
			parse(wrap(text));
			parse(wrap(`<peerStatus><peer>${text}</peer></peerStatus>`));
		}),
		{numRuns: 300},
	);
});
