/** Signatures: what is accepted, and that nothing else is. */
import test from 'ava';
import {parseNodeUuid} from '../../../src/membership/ids.ts';
import {
	HEADERS,
	SIGNATURE_WINDOW_MS,
	SignatureVerifier,
	signRequest,
	signResponse,
	verifyResponse,
	type SignedContent,
} from '../../../src/http/sign.ts';

const SECRET = 'a1'.repeat(32);
const NODE_A = parseNodeUuid('11111111-1111-4111-8111-111111111111')!;
const NODE_B = parseNodeUuid('22222222-2222-4222-8222-222222222222')!;
const START_MS = 1_700_000_000_000;

const content = (changes: Partial<SignedContent> = {}): SignedContent => ({
	method: 'POST',
	path: '/v1/peer/switching',
	to: NODE_A,
	body: Buffer.from('{"a":1}'),
	...changes,
});

const clockAt = (ms: number): {now: () => number; set: (ms: number) => void} => {
	let current = ms;
	return {now: () => current, set: next => (current = next)};
};

test('a request signed with the same secret is accepted', t => {
	const clock = clockAt(START_MS);
	const verifier = new SignatureVerifier(clock);
	clock.set(START_MS + 5);
	t.deepEqual(verifier.verify(SECRET, content(), signRequest(SECRET, content(), START_MS + 5)), {kind: 'ok'});
});

const tampered: Record<string, Partial<SignedContent>> = {
	method: {method: 'GET'},
	path: {path: '/v1/peer/adopt'},
	'receiving node': {to: NODE_B},
	body: {body: Buffer.from('{"a":2}')},
	'empty body': {body: Buffer.alloc(0)},
};
for (const [what, changes] of Object.entries(tampered))
	test(`a request with another ${what} than was signed is rejected`, t => {
		const verifier = new SignatureVerifier(clockAt(START_MS));
		const result = verifier.verify(SECRET, content(changes), signRequest(SECRET, content(), START_MS));
		t.is(result.kind, 'rejected');
	});

test('a request with a changed header is rejected', t => {
	const verifier = new SignatureVerifier(clockAt(START_MS));
	const headers = signRequest(SECRET, content(), START_MS);
	for (const [name, value] of [
		[HEADERS.timestamp, String(START_MS + 1)],
		[HEADERS.nonce, '0'.repeat(32)],
		[HEADERS.signature, 'f'.repeat(64)],
	] as const)
		t.is(verifier.verify(SECRET, content(), {...headers, [name]: value}).kind, 'rejected', name);
	t.is(verifier.verify(SECRET, content(), headers).kind, 'ok', 'the original is still good');
});

test('another secret is rejected', t => {
	const verifier = new SignatureVerifier(clockAt(START_MS));
	t.is(
		verifier.verify('b2'.repeat(32), content(), signRequest(SECRET, content(), START_MS)).kind,
		'rejected',
	);
});

test('a request is accepted once', t => {
	const clock = clockAt(START_MS);
	const verifier = new SignatureVerifier(clock);
	const headers = signRequest(SECRET, content(), START_MS);
	t.is(verifier.verify(SECRET, content(), headers).kind, 'ok');
	t.is(verifier.verify(SECRET, content(), headers).kind, 'rejected');
	clock.set(START_MS + SIGNATURE_WINDOW_MS);
	t.is(verifier.verify(SECRET, content(), headers).kind, 'rejected');
});

test('a nonce is remembered as long as a request from a clock ahead stays valid', t => {
	const clock = clockAt(START_MS);
	const verifier = new SignatureVerifier(clock);
	const ahead = signRequest(SECRET, content(), START_MS + SIGNATURE_WINDOW_MS);
	t.is(verifier.verify(SECRET, content(), ahead).kind, 'ok');
	for (let afterMs = 0; afterMs <= 2 * SIGNATURE_WINDOW_MS; afterMs += 500) {
		clock.set(START_MS + afterMs);
		t.is(verifier.verify(SECRET, content(), ahead).kind, 'rejected', `${afterMs} ms later`);
	}
});

test('requests outside the window are rejected and the message tells the difference', t => {
	const clock = clockAt(START_MS - 10 * SIGNATURE_WINDOW_MS);
	const verifier = new SignatureVerifier(clock);
	clock.set(START_MS);
	const verdict = (offsetMs: number): unknown =>
		verifier.verify(SECRET, content(), signRequest(SECRET, content(), START_MS + offsetMs));
	t.deepEqual(verdict(-SIGNATURE_WINDOW_MS), {kind: 'ok'});
	t.deepEqual(verdict(SIGNATURE_WINDOW_MS), {kind: 'ok'});
	t.deepEqual(verdict(-SIGNATURE_WINDOW_MS - 1000), {
		kind: 'rejected',
		problem: "the request's time is 31 s behind this node's clock",
	});
	t.deepEqual(verdict(SIGNATURE_WINDOW_MS + 1000), {
		kind: 'rejected',
		problem: "the request's time is 31 s ahead of this node's clock",
	});
});

test('what was signed before the start is rejected: its nonce may have been used before', t => {
	const verifier = new SignatureVerifier(clockAt(START_MS));
	t.is(verifier.verify(SECRET, content(), signRequest(SECRET, content(), START_MS - 1)).kind, 'rejected');
});

test('missing and malformed headers are rejected', t => {
	const verifier = new SignatureVerifier(clockAt(START_MS));
	const good = signRequest(SECRET, content(), START_MS);
	for (const name of Object.values(HEADERS)) {
		t.is(verifier.verify(SECRET, content(), {...good, [name]: undefined}).kind, 'rejected');
		for (const hostile of ['', '\0', 'x'.repeat(100_000), '-1', '1e9', 'NaN', ['a', 'b']])
			t.is(verifier.verify(SECRET, content(), {...good, [name]: hostile}).kind, 'rejected');
	}
});

test('a full memory of nonces refuses, it never forgets', t => {
	const clock = clockAt(START_MS);
	const verifier = new SignatureVerifier({...clock, maxNonces: 3});
	const requests = Array.from({length: 4}, () => signRequest(SECRET, content(), START_MS));
	t.deepEqual(
		requests.map(headers => verifier.verify(SECRET, content(), headers).kind),
		['ok', 'ok', 'ok', 'rejected'],
	);
	t.is(verifier.verify(SECRET, content(), requests[0]!).kind, 'rejected');
	const laterMs = START_MS + 3 * SIGNATURE_WINDOW_MS;
	clock.set(laterMs);
	t.is(verifier.verify(SECRET, content(), signRequest(SECRET, content(), laterMs)).kind, 'ok');
});

test('an answer is tied to its request, status and body', t => {
	const body = Buffer.from('{}');
	const nonce = '5'.repeat(32);
	const signature = signResponse(SECRET, nonce, 200, body);
	t.true(verifyResponse(SECRET, nonce, 200, body, signature));
	t.false(verifyResponse(SECRET, '6'.repeat(32), 200, body, signature));
	t.false(verifyResponse(SECRET, nonce, 201, body, signature));
	t.false(verifyResponse(SECRET, nonce, 200, Buffer.from('{ }'), signature));
	t.false(verifyResponse('b2'.repeat(32), nonce, 200, body, signature));
	for (const hostile of [undefined, '', 'zz', ['x'], 5])
		t.false(verifyResponse(SECRET, nonce, 200, body, hostile));
});
