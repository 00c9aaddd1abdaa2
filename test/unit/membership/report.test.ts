import fc from 'fast-check';
import test from 'ava';
import {MAX_REPORT_BYTES, parseReport} from '../../../src/membership/report.ts';
import {bytesOf, filesystemOf, reportOf, setOf, uuidOf} from '../../support/sets.ts';

const report = reportOf(1, setOf(2, [1, 2]), {
	reasons: [{code: 'server-down', text: 'h2 is down', remedy: 'start it'}],
});

test('a report survives JSON', t => {
	t.deepEqual(parseReport(bytesOf(report)), {kind: 'report', report});
	const bare = reportOf(4, null, {heals: null});
	t.deepEqual(parseReport(bytesOf(bare)), {kind: 'report', report: bare});
});

test('unknown keys are ignored, at every depth', t => {
	const more = {...report, extra: 1, gate: {...report.gate, extra: [1]}, set: {...report.set, extra: null}};
	t.deepEqual(parseReport(bytesOf(more)), {kind: 'report', report});
});

test('a reason of a newer version is left out', t => {
	const more = {...report, reasons: [...report.reasons, {code: 'new-code', text: 'a', remedy: 'b'}]};
	t.deepEqual(parseReport(bytesOf(more)), {kind: 'report', report});
});

test('control characters of foreign text are replaced', t => {
	const hostile = {...report, reasons: [{code: 'no-quorum', text: '\u001b[2Ja\nb', remedy: '\u0007'}]};
	const read = parseReport(bytesOf(hostile));
	t.is(read.kind, 'report');
	if (read.kind === 'report')
		t.deepEqual(read.report.reasons, [{code: 'no-quorum', text: ' [2Ja b', remedy: ' '}]);
});

const spoiled: ReadonlyArray<readonly [string, object]> = [
	['another format', {format: 2}],
	['no node', {node: undefined}],
	['a node that is no UUID', {node: {uuid: 'h1', hostname: 'h1'}}],
	['a set of another filesystem', {filesystemId: filesystemOf(2)}],
	['an address with a blank', {servers: [{uuid: uuidOf(1), address: 'a b', up: true}]}],
	['up as a number', {servers: [{uuid: uuidOf(1), address: 'a', up: 1}]}],
	['a member with a newline', {members: [{uuid: uuidOf(2), addresses: ['a\nb'], connected: true}]}],
	['a version without end', {version: 'x'.repeat(65)}],
	['too many reasons', {reasons: Array.from({length: 201}, () => report.reasons[0])}],
	['negative heals', {heals: {pending: -1, splitBrain: 0}}],
	['a verdict of its own', {verdict: 'fine'}],
	['a relative mount point', {mountpoint: 'etc/hekafs'}],
	['a time that is none', {time: 'yesterday'}],
];
for (const [name, changes] of spoiled) {
	test(`a report with ${name} is invalid`, t => {
		t.is(parseReport(bytesOf({...report, ...changes})).kind, 'invalid');
	});
}

test('hostile and huge answers never throw', t => {
	t.is(parseReport(new Uint8Array(MAX_REPORT_BYTES + 1)).kind, 'invalid');
	t.is(parseReport(bytesOf('{"__proto__":{"format":1}}')).kind, 'invalid');
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 200}), bytes => {
			t.is(parseReport(bytes).kind, 'invalid');
		}),
		{numRuns: 200},
	);
});

test('any single value replaced by anything: a report or a problem, never an exception', t => {
	const keys = Object.keys(report);
	fc.assert(
		fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
			const read = parseReport(bytesOf({...report, [key]: value}));
			t.true(read.kind === 'report' || read.problem.length > 0);
		}),
		{numRuns: 300},
	);
});
