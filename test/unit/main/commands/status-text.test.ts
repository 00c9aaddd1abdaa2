/** What people see: golden texts of reports in each state. UPDATE_GOLDEN=1 writes them anew. */
import {readFileSync, writeFileSync} from 'node:fs';
import test from 'ava';
import {type StatusReport} from '../../../../src/membership/report.ts';
import {statusText} from '../../../../src/main/commands/status-text.ts';
import {painter} from '../../../../src/main/commands/terminal.ts';
import {renderRows, textWidth, wrap} from '../../../../src/main/commands/text-table.ts';
import {type Generation} from '../../../../src/membership/ids.ts';
import {NODE_A, NODE_B, REPORT} from '../../../support/http-node.ts';

const plain = painter(false);
const golden = (name: string): URL =>
	new URL(`../../../../../test/golden/status/${name}.txt`, import.meta.url);

const REPORTS: Record<string, StatusReport> = {
	healthy: REPORT,
	degraded: {
		...REPORT,
		health: 'degraded',
		servers: [
			{uuid: NODE_A, address: 'alpha', up: true},
			{uuid: NODE_B, address: '10.0.0.2', up: false},
		],
		heals: {pending: 12, splitBrain: 1},
		reasons: [
			{
				code: 'server-down',
				text: `Config server 10.0.0.2 (${NODE_B}) is not reachable from this node, so that new writes are kept by one server only.`,
				remedy: 'Start it, or check the network; it comes back by itself. Gone for good: hfs_config retire.',
			},
			{code: 'heals-pending', text: '12 entries wait for a heal.', remedy: 'Nothing, they are healed.'},
		],
	},
	refusing: {
		...REPORT,
		health: 'refusing',
		verdict: 'disagreed',
		gate: {state: 'refusing', generation: 0 as Generation, since: '2026-01-02T03:03:00.000Z'},
		heals: null,
		brick: {running: false, port: 24_100, epoch: null},
		reasons: [
			{code: 'marker-missing', text: `Marker ${NODE_B} is missing.`, remedy: 'Run: hfs_config verify'},
		],
	},
	'not-founded': {
		...REPORT,
		health: 'refusing',
		verdict: 'unknown',
		gate: {state: 'refusing', generation: 0 as Generation, since: '2026-01-02T03:03:00.000Z'},
		filesystemId: null,
		set: null,
		serving: false,
		brick: null,
		servers: [],
		members: [],
		heals: null,
		reasons: [{code: 'no-filesystem', text: 'Nobody serves.', remedy: 'Run: hfs_config serve'}],
	},
	local: {...REPORT, backend: 'local', set: null, brick: null, servers: [], members: [], heals: null},
};

for (const [name, report] of Object.entries(REPORTS))
	test(`the text of a report: ${name}`, t => {
		const text = statusText(report, plain, 80);
		if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden(name), text);
		t.is(text, readFileSync(golden(name), 'utf8'));
		t.notRegex(text, /[ \t]$/m);
		t.true(text.split('\n').every(line => line.length <= 100));
	});

test('colours change nothing but colour', t => {
	for (const report of Object.values(REPORTS)) {
		const coloured = statusText(report, painter(true), 80);
		t.true(coloured.includes('\u001B['));
		// eslint-disable-next-line no-control-regex -- the codes are what is removed
		t.is(coloured.replaceAll(/\u001B\[\d+m/g, ''), statusText(report, plain, 80));
	}
});

test('columns are aligned by what is seen, not by code units', t => {
	t.is(textWidth('abc'), 3);
	t.is(textWidth('設定'), 4);
	t.is(textWidth('e\u0301'), 1);
	t.deepEqual(
		renderRows([
			[{text: '設定'}, {text: 'x'}],
			[{text: 'a'}, {text: 'y'}],
			[{text: 'a'}, {text: ''}],
		]),
		['設定  x', 'a     y', 'a'],
	);
});

test('sentences are broken at spaces, long words stay whole', t => {
	t.deepEqual(wrap('one two  three', 9, '  '), ['  one two', '  three']);
	t.deepEqual(wrap('x'.repeat(30), 10, ''), ['x'.repeat(30)]);
	t.deepEqual(wrap('', 10, ''), []);
});
