import test from 'ava';
import {isMarkValue} from '../../../src/gluster/add-brick-mark.ts';

test('the mark sets all three counters; older blame of a directory does not', t => {
	t.true(isMarkValue(Buffer.from('000000010000000100000001', 'hex')));
	t.true(isMarkValue(Buffer.from('000000020000000100010000', 'hex')));
	for (const hex of [
		'',
		'00000000',
		'000000000000000000000000',
		'000000000000000100000001',
		'0000000100000001',
	])
		t.false(isMarkValue(Buffer.from(hex, 'hex')), hex);
	t.false(isMarkValue(null));
});
