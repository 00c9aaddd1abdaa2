import test from 'ava';
import {hostPort, isAddress, isPort} from '../../../src/membership/address.ts';

for (const good of ['h1', 'a.b-c.example', '192.168.122.21', '::1', 'fe80::1', 'node_1', '3com.example', 'A'])
	test(`an address: ${good}`, t => t.true(isAddress(good)));

const bad = [
	'',
	'a b',
	'a\nb',
	'-a',
	'a-',
	'a..b',
	'.a',
	'a.',
	'1.2.3',
	'999.1.1.1',
	'fe80::1%eth0',
	'a"b',
	'a/b',
	'user@host',
	'h:80',
	'[::1]',
	'ü',
	'x'.repeat(64),
	'a.'.repeat(200) + 'a',
	'a,b',
	'*',
	'a\u0000',
];
for (const text of bad) test(`no address: ${JSON.stringify(text)}`, t => t.false(isAddress(text)));

test('ports', t => {
	t.true(isPort(1) && isPort(65_535));
	for (const n of [0, 65_536, 1.5, Number.NaN, -1]) t.false(isPort(n));
});

test('IPv6 addresses get brackets in front of a port', t => {
	t.is(hostPort('h1', 80), 'h1:80');
	t.is(hostPort('::1', 80), '[::1]:80');
});
