/** What the page may show of the journal, and to whom. */
import test from 'ava';
import {type LogLine} from '../../../src/journal/log-lines.ts';
import {type JournalRecord} from '../../../src/journal/record.ts';
import {PageSource, type PageChanges} from '../../../src/main/page-source.ts';
import {REPORT} from '../../support/http-node.ts';
import {generationOf, markerRead, recordOf, setOf, uuidOf, uuids} from '../../support/sets.ts';

const record = (timeMs: number, more: Partial<JournalRecord> = {}): LogLine => ({
	kind: 'record',
	node: uuidOf(1),
	timeMs,
	record: {
		counter: timeMs,
		timeMs,
		operation: 'write',
		path: Buffer.from('tenants/secret-name'),
		to: null,
		uid: 1000,
		pid: 7,
		command: 'vi',
		errno: 0,
		writes: 1,
		bytes: 2,
		after: null,
		...more,
	},
});

const source = (changes: PageChanges): PageSource =>
	new PageSource({report: () => REPORT, look: () => undefined, changes, peerPort: 8080});

test('paths and users are shown only where they were asked for, or to root on this node', t => {
	const shown = (setting: PageChanges, names: boolean): string | undefined => {
		const page = source(setting);
		page.learn(record(5));
		return JSON.stringify(page.state(names).changes);
	};
	const plain = `[{"timeMs":5,"node":"${uuidOf(1)}","operation":"write"}]`;
	t.is(shown('plain', false), plain);
	t.is(shown('none', false), undefined);
	t.regex(shown('names', false)!, /secret-name.*uid 1000 \(vi\)/);
	for (const setting of ['plain', 'none', 'names'] as const) t.regex(shown(setting, true)!, /secret-name/);
});

test('the twelve newest changes that took effect, whatever the order in which journals are read', t => {
	const page = source('plain');
	for (const timeMs of [50, 10, 30, ...Array.from({length: 20}, (_, i) => 100 + i), 20])
		page.learn(record(timeMs));
	page.learn(record(500, {errno: 28}));
	page.learn({kind: 'cut-off', node: uuidOf(1), timeMs: 600});
	t.deepEqual(
		page.state(false).changes?.map(change => change.timeMs),
		Array.from({length: 12}, (_, i) => 119 - i),
	);
});

test('a rename shows both names', t => {
	const page = source('names');
	page.learn(record(1, {operation: 'rename', path: Buffer.from('a\n'), to: Buffer.from('b')}));
	t.is(page.state(false).changes?.[0]?.names?.path, 'a\\x0a → b');
});

test('the most heals that were pending is kept until there are none', t => {
	const page = source('plain');
	const peaks = [3, 40, 12, 0, 5].map(pending => {
		page.counted(pending);
		return page.state(false).healsPeak;
	});
	t.deepEqual(peaks, [3, 40, 40, 0, 5]);
});

test('markers are those that are valid and stand under their own name', t => {
	const set = setOf(1, [1, 2]);
	const markers = [
		markerRead(1),
		{...markerRead(2), name: uuidOf(3)},
		{kind: 'invalid', name: 'x', problem: 'y'} as const,
	];
	const view = {
		generation: generationOf(1),
		mounted: set,
		up: uuids(1, 2),
		record: {kind: 'record', record: recordOf(set)} as const,
		markers,
	};
	const page = new PageSource({
		report: () => REPORT,
		look: () => ({kind: 'seen', view}),
		changes: 'plain',
		peerPort: 1,
	});
	t.deepEqual(page.state(false).markers, new Set([uuidOf(1)]));
	t.is(source('plain').state(false).markers, undefined);
});
