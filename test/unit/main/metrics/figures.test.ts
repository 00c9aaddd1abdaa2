/** The figures: their text, the table of them in docs/INTERFACE.md, and the examples that use them. */
import {readFileSync} from 'node:fs';
import test from 'ava';
import {parse} from 'yaml';
import {OPCODE} from '../../../../src/fuse/wire/abi.ts';
import {createTallyBuffer, addUp, Tally} from '../../../../src/fuse/tally.ts';
import {FIGURES, type Moment} from '../../../../src/main/metrics/figures.ts';
import {Metrics} from '../../../../src/main/metrics/text.ts';
import {ERRNO} from '../../../../src/posix/errno.ts';
import {NODE_A, NODE_B, REPORT} from '../../../support/http-node.ts';

const read = (path: string): string =>
	readFileSync(new URL(`../../../../../${path}`, import.meta.url), 'utf8');

const buffer = createTallyBuffer(2);
const tally = new Tally(buffer, 0);
tally.count(OPCODE.LOOKUP, 128);
tally.count(OPCODE.LOOKUP, -ERRNO.ENOENT);
tally.count(OPCODE.MKDIR, -ERRNO.EROFS);
tally.count(OPCODE.RENAME2, 0);
tally.took(OPCODE.LOOKUP, 0.3);
tally.took(OPCODE.LOOKUP, 20_000);

const MOMENT: Moment = {
	report: {
		...REPORT,
		servers: [
			{uuid: NODE_A, address: 'alpha', up: true},
			{uuid: NODE_B, address: '10.0.0.2', up: false},
		],
		reasons: [{code: 'server-down', text: 'down', remedy: 'start'}],
	},
	fuse: {
		workers: 4,
		inFlight: 1,
		queued: 2,
		overdueAnswered: 3,
		requests: 5,
		refused: 6,
		nodes: 7,
		handles: 8,
		switches: 9,
	},
	tallied: addUp(buffer),
	refusals: new Map([['no-quorum', 4]]),
	journal: {counters: new Map([[NODE_A, 17]]), waiting: 1, dropped: 2},
};

const text = await new Metrics().text(MOMENT);
/** Names of metrics in the text, with their types. */
const TYPES = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(match => [match[1]!, match[2]!]));

test('the text has a line for each sample', t => {
	const lines = new Set(text.split('\n'));
	for (const line of [
		'hekafs_gate_open 1',
		'hekafs_verdict{verdict="agreed"} 1',
		'hekafs_verdict{verdict="disagreed"} 0',
		'hekafs_servers 2',
		'hekafs_servers_up 1',
		`hekafs_server_up{uuid="${NODE_B}",address="10.0.0.2"} 0`,
		'hekafs_reason{code="server-down"} 1',
		'hekafs_reason{code="split-brain"} 0',
		'hekafs_generation_switches_total 9',
		'hekafs_operations_total{kind="lookup",result="ok"} 1',
		'hekafs_operations_total{kind="lookup",result="absent"} 1',
		'hekafs_operations_total{kind="create",result="refused"} 1',
		'hekafs_operations_total{kind="rename",result="ok"} 1',
		'hekafs_operation_duration_seconds_bucket{le="0.0001",kind="lookup"} 0',
		'hekafs_operation_duration_seconds_bucket{le="0.0005",kind="lookup"} 1',
		'hekafs_operation_duration_seconds_bucket{le="10",kind="lookup"} 1',
		'hekafs_operation_duration_seconds_bucket{le="+Inf",kind="lookup"} 2',
		'hekafs_operation_duration_seconds_sum{kind="lookup"} 20.0003',
		'hekafs_operation_duration_seconds_count{kind="lookup"} 2',
		'hekafs_refusals_total{reason="no-quorum"} 4',
		'hekafs_refusals_total{reason="changing"} 0',
		'hekafs_deadline_answers_total 3',
		`hekafs_journal_counter{node="${NODE_A}"} 17`,
	])
		t.true(lines.has(line), `${line} is missing in:\n${text}`);
	t.true(TYPES.has('process_resident_memory_bytes'));
	t.true(TYPES.has('nodejs_eventloop_lag_seconds'));
});

test('every line of the text is in the exposition format', t => {
	const sample = /^[a-z_0-9]+(\{([a-z_]+="[^"\n]*",?)+\})? (-?[0-9.e+-]+|nan|\+inf)$/i;
	for (const line of text.split('\n'))
		t.true(line === '' || /^# (HELP|TYPE) [a-z_0-9]+ \S/.test(line) || sample.test(line), line);
});

test('figures that are not known have no sample, or say so', async t => {
	const report = {...MOMENT.report, brick: null, copy: null, heals: null};
	const unknown = await new Metrics().text({...MOMENT, report});
	t.notRegex(unknown, /^hekafs_(copy_age_seconds|brick_running) /m);
	t.regex(unknown, /^hekafs_heals_pending -1$/m);
	const known = await new Metrics().text({...MOMENT, report: {...report, brick: MOMENT.report.brick}});
	t.regex(known, /^hekafs_brick_running [01]$/m);
});

test('names follow the conventions of Prometheus', t => {
	for (const {name, type} of FIGURES) {
		t.is(type === 'counter', name.endsWith('_total'), name);
		t.regex(name, /^hekafs_[a-z_]+$/);
		if (type === 'histogram') t.true(name.endsWith('_seconds'), name);
	}
});

test('docs/INTERFACE.md lists the figures that there are, with their types', t => {
	const table = new Map(
		[...read('docs/INTERFACE.md').matchAll(/^\| `(hekafs_[a-z_]+)`[^|]*\| (\S+) \|/gm)].map(match => [
			match[1]!,
			match[2]!,
		]),
	);
	t.deepEqual(table, new Map(FIGURES.map(({name, type}) => [name, type])));
});

/** Names in expressions that the text does not have; `up` is Prometheus's own. */
const unknownNames = (expressions: readonly string[]): string[] =>
	expressions
		.flatMap(expression => expression.match(/\b(?:hekafs|process|nodejs)_[a-z_]+/g) ?? [])
		.filter(name => !TYPES.has(name) && TYPES.get(name.replace(/_(bucket|sum|count)$/, '')) !== 'histogram');

/** Label matchers of our own labels whose value no sample has. */
const unknownLabels = (expressions: readonly string[]): string[] =>
	expressions
		.flatMap(expression => expression.match(/\b(?:kind|result|reason|code|verdict)(?:!=|=)"[^"~|]*"/g) ?? [])
		.filter(matcher => !text.includes(matcher.replace('!=', '=')));

test('the example of alert rules parses, and uses figures that there are', t => {
	const rules = parse(read('examples/prometheus/hekafs.rules.yml')) as {
		groups: [{rules: {alert: string; expr: string; annotations: {summary: string; description: string}}[]}];
	};
	const all = rules.groups[0].rules;
	t.true(all.length > 10);
	t.is(new Set(all.map(rule => rule.alert)).size, all.length);
	const expressions = all.map(rule => rule.expr);
	t.deepEqual([unknownNames(expressions), unknownLabels(expressions)], [[], []]);
	for (const {alert, annotations} of all)
		t.true(annotations.summary.length > 10 && annotations.description.length > 10, alert);
});

test('the example of a dashboard parses, and uses figures that there are', t => {
	const {panels} = JSON.parse(read('examples/grafana/hekafs.json')) as {
		panels: {id: number; targets: {expr: string}[]}[];
	};
	t.is(new Set(panels.map(panel => panel.id)).size, panels.length);
	const expressions = panels.flatMap(panel => panel.targets.map(target => target.expr));
	t.true(expressions.length > 15);
	t.deepEqual([unknownNames(expressions), unknownLabels(expressions)], [[], []]);
	t.deepEqual(unknownNames(['rate(hekafs_servers_dwon[1m])']), ['hekafs_servers_dwon']);
	t.deepEqual(unknownLabels(['x{kind="wrote"}']), ['kind="wrote"']);
});
