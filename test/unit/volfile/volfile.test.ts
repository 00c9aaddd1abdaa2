import {readFileSync, writeFileSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {HekafsError} from '../../../src/errors.ts';
import {brickVolfile, type BrickVolfileOptions} from '../../../src/volfile/brick.ts';
import {clientVolfile, shdVolfile, singleBrickVolfile} from '../../../src/volfile/client.ts';
import {exportName} from '../../../src/volfile/names.ts';
import {formatVolfile, word} from '../../../src/volfile/syntax.ts';
import {serverOf, setOf, uuidOf} from '../../support/sets.ts';

// From dist/test/unit/volfile back to the sources.
const golden = (name: string): URL => new URL(`../../../../test/golden/volfile/${name}.vol`, import.meta.url);

/** `UPDATE_GOLDEN=1 npx ava …` writes the files anew; the diff is then reviewed. */
const matches = (t: ExecutionContext, name: string, text: string): void => {
	if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden(name), text);
	t.is(text, readFileSync(golden(name), 'utf8'));
};

const set = setOf(2, [1, 2, 3]);
const brick: BrickVolfileOptions = {
	set,
	self: uuidOf(1),
	brickDirectory: '/var/lib/hekafs/bricks/0123456789abcdef',
	port: 24_100,
	allowAddresses: ['127.0.0.1', 'h2', '192.168.122.0/24', '::1'],
};
const local = (s: {uuid: string; address: string}): string =>
	s.uuid === uuidOf(1) ? '127.0.0.1' : s.address;

test('brick', t => matches(t, 'brick', brickVolfile(brick)));
test('brick bound to an IPv6 address', t =>
	matches(t, 'brick-inet6', brickVolfile({...brick, bindAddress: '::1', allowAddresses: ['*']})));
test('brick bound to an IPv4 address', t => {
	const text = brickVolfile({...brick, bindAddress: '127.0.0.1'});
	t.regex(text, /address-family inet\n {4}option transport.socket.bind-address 127.0.0.1\n/);
});
test('client of three servers', t => matches(t, 'client', clientVolfile({set, addressOf: local})));
test('client of one server', t =>
	matches(t, 'client-one', clientVolfile({set: setOf(1, [1]), pingTimeoutS: 10})));
test('client with performance translators', t =>
	matches(t, 'client-performance', clientVolfile({set: setOf(1, [1, 2]), performance: true})));
test('self-heal daemon', t => matches(t, 'shd', shdVolfile({set, addressOf: local})));
test('single brick', t => matches(t, 'single-brick', singleBrickVolfile({set, server: serverOf(2)})));

test('a server at an IPv6 address', t => {
	const text = singleBrickVolfile({set, server: serverOf(2), addressOf: () => 'fe80::2'});
	t.regex(text, /address-family inet6\n {4}option remote-host fe80::2\n/);
});

test('a look at some servers only keeps the name and the changelogs of the set', t => {
	const text = clientVolfile({set, only: new Set([uuidOf(1), uuidOf(3)])});
	t.true(text.includes(`subvolumes cfs-${uuidOf(1)} cfs-${uuidOf(3)}\n`));
	t.true(text.includes(`option remote-subvolume ${exportName(set)}\n`));
	t.false(text.includes(uuidOf(2)));
});

test('another epoch asks for another name', t => {
	t.not(clientVolfile({set}), clientVolfile({set: setOf(3, [1, 2, 3])}));
	t.true(clientVolfile({set}).includes(`option remote-subvolume ${exportName(set)}\n`));
});

const refused: ReadonlyArray<readonly [string, Partial<BrickVolfileOptions>]> = [
	['a path with a blank', {brickDirectory: '/srv/my brick'}],
	['a path with a newline', {brickDirectory: '/srv/a\n    option x y'}],
	['a path with a quote', {brickDirectory: '/srv/"a"'}],
	['a path with a comment sign', {brickDirectory: '/srv/#a'}],
	['a path with backquotes, which glusterfs would run', {brickDirectory: '/srv/`id`'}],
	['a relative path', {brickDirectory: 'srv'}],
	['port 0', {port: 0}],
	['nobody allowed', {allowAddresses: []}],
	['an allowed address with a blank', {allowAddresses: ['h1', 'a b']}],
	['a pattern', {allowAddresses: ['192.168.*']}],
	['a network of 129 bits', {allowAddresses: ['::1/129']}],
	['a bind address that is none', {bindAddress: 'a b'}],
];
for (const [name, changes] of refused) {
	test(`refused in a brick: ${name}`, t => {
		const error = t.throws(() => brickVolfile({...brick, ...changes}), {instanceOf: HekafsError});
		t.is(error.code, 'HEKAFS_STATE_INVALID');
	});
}

test('refused in a client: a hostile address', t => {
	const addressOf = (): string => 'h1\nend-volume';
	t.throws(() => clientVolfile({set, addressOf}), {code: 'HEKAFS_STATE_INVALID', message: /0001.*h1\\n/});
});

test('every part of a block must be a word', t => {
	const good = {name: 'a', type: 'b/c', options: {d: 'e'}, subvolumes: ['f']};
	t.is(formatVolfile([good]), 'volume a\n    type b/c\n    option d e\n    subvolumes f\nend-volume\n');
	for (const bad of [
		{name: 'a b'},
		{type: ''},
		{options: {'d\n': 1}},
		{options: {d: ''}},
		{subvolumes: ['"']},
	])
		t.throws(() => formatVolfile([{...good, ...bad}]), {code: 'HEKAFS_STATE_INVALID'});
	t.is(word('x', 5), '5');
});
