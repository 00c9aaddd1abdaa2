import test from 'ava';
import {z} from 'zod';
import {cleanText, decodeJson, encodeJson} from '../../../src/membership/decode.ts';

const schema = z.object({a: z.number()});
const decode = (bytes: Uint8Array, max = 1000) => decodeJson(bytes, schema, max);
const text = (s: string) => new TextEncoder().encode(s);

test('a value that fits the schema', t => {
	t.deepEqual(decode(text('{"a":1,"extra":2}')), {ok: true, value: {a: 1}});
});

test('each kind of bad input has its sentence', t => {
	const problem = (bytes: Uint8Array, max?: number) => {
		const result = decode(bytes, max);
		return result.ok ? 'accepted' : result.problem;
	};
	t.is(problem(text('')), 'it is empty');
	t.is(problem(text('{"a":1}'), 6), 'it is longer than 6 bytes');
	t.is(problem(text('{"a":')), 'it is not JSON');
	t.is(problem(Uint8Array.of(0x22, 0xff, 0x22)), 'it is not UTF-8 text');
	t.regex(problem(text('{"a":"x"}')), /^a: /);
	t.regex(problem(text('[]')), /expected object/i);
	t.regex(problem(text('null')), /expected object/i);
});

test('deep nesting ends in a problem', t => {
	const deep = text('['.repeat(100_000));
	t.false(decode(deep, 200_000).ok);
	t.false(decode(text('['.repeat(100_000) + ']'.repeat(100_000)), 300_000).ok);
});

test('foreign keys in complaints are made printable', t => {
	const strict = z.strictObject({a: z.number()});
	const result = decodeJson(text('{"a":1,"\\u001b[2J":1}'), strict, 1000);
	t.false(result.ok);
	// eslint-disable-next-line no-control-regex -- the point of the test
	if (!result.ok) t.notRegex(result.problem, /\u001b/);
});

test('cleanText replaces control characters and cuts', t => {
	t.is(cleanText('a\n\u001b\u0000\u0085b', 100), 'a    b');
	t.is(cleanText('abcdef', 3), 'abc');
});

test('encodeJson ends with a newline', t => {
	t.is(encodeJson({a: 1}), '{\n\t"a": 1\n}\n');
});
