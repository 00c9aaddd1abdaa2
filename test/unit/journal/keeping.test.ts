/** Writing and reading journals: nothing is lost by a failing append, nothing is told twice, gaps are shown. */
import test from 'ava';
import {FileVersions} from '../../../src/journal/file-versions.ts';
import {JournalFollower} from '../../../src/journal/follower.ts';
import {JournalKeeper} from '../../../src/journal/keeper.ts';
import {isChosen, linesOfNode, mergeLines, type LogLine} from '../../../src/journal/log-lines.ts';
import {lineAsJson, pathText} from '../../../src/journal/log-text.ts';
import {type Entry, encodeRecord, type JournalRecord} from '../../../src/journal/record.ts';
import {journalOf, SEGMENT_MAX_BYTES, SEGMENTS_MAX} from '../../../src/journal/segments.ts';
import {type NodeUuid} from '../../../src/membership/ids.ts';
import {MemoryJournal, recordOf, stateOf} from '../../support/memory-journal.ts';
import {uuidOf} from '../../support/sets.ts';

const NODE = uuidOf(1);

const keeperOn = (files: MemoryJournal | undefined, over: {cleanly?: boolean} = {}) => {
	const ring: Buffer[] = [];
	const written: JournalRecord[] = [];
	const problems: unknown[] = [];
	const place = {files};
	const keeper = new JournalKeeper({
		node: NODE,
		run: 1_700_000_000_000,
		cleanly: over.cleanly ?? true,
		drain: () => ring.splice(0),
		files: () => place.files,
		seen: () => new Map([[uuidOf(2), 5]]),
		onRecords: records => written.push(...records),
		onProblem: problem => problems.push(problem),
	});
	const push = (...records: JournalRecord[]) => ring.push(...records.map(encodeRecord));
	return {keeper, push, written, problems, place};
};

const readAll = async (files: MemoryJournal): Promise<Map<NodeUuid, Entry[]>> => {
	const entries = new Map<NodeUuid, Entry[]>();
	const follower = new JournalFollower({
		files: () => files,
		onlyOnce: () => false,
		onEntries: (node, read) => entries.set(node, [...(entries.get(node) ?? []), ...read]),
	});
	await follower.turn();
	return entries;
};

const countersIn = (entries: readonly Entry[] = []): number[] =>
	entries.flatMap(entry => (entry.kind === 'record' ? [entry.record.counter] : []));

test('records are written in the order of counters, with how the file is then', async t => {
	const files = new MemoryJournal();
	files.states_.set('a/b', stateOf());
	const {keeper, push, written} = keeperOn(files);
	push(recordOf(2), recordOf(1, {operation: 'unlink'}), recordOf(3, {errno: 13}));
	await keeper.turn();
	const entries = (await readAll(files)).get(NODE)!;
	t.deepEqual(entries[0], {
		kind: 'header',
		header: {node: NODE, run: 1_700_000_000_000, first: 1, cleanly: true},
	});
	t.deepEqual(entries[1], {kind: 'seen', seen: new Map([[uuidOf(2), 5]])});
	t.deepEqual(countersIn(entries), [1, 2, 3]);
	t.deepEqual(
		written.map(r => r.after),
		[null, stateOf(), null],
	);
});

test('what can not be written now is written later, after a torn append in a file of its own', async t => {
	const files = new MemoryJournal();
	const {keeper, push, problems, place} = keeperOn(files);
	push(recordOf(1));
	await keeper.turn();
	files.failAfter = 20;
	push(recordOf(2));
	await keeper.turn();
	t.is(problems.length, 1);
	t.is(keeper.waiting, 1);
	place.files = undefined;
	push(recordOf(3));
	await keeper.turn();
	t.is(keeper.waiting, 2);
	place.files = files;
	await keeper.turn();
	t.deepEqual(countersIn((await readAll(files)).get(NODE)), [1, 2, 3]);
	t.is([...files.files.keys()].length, 2);
});

test('an append that failed whole and is written again is read once', async t => {
	const files = new MemoryJournal();
	const {keeper, push} = keeperOn(files);
	push(recordOf(1), recordOf(2));
	files.failAfter = 100_000;
	await keeper.turn();
	await keeper.turn();
	const entries = (await readAll(files)).get(NODE)!;
	t.deepEqual(countersIn(entries), [1, 2, 1, 2]);
	t.deepEqual(
		linesOfNode(NODE, entries).map(line => line.kind === 'record' && line.record.counter),
		[1, 2],
	);
});

test('files are ended at their size, and the oldest go', async t => {
	const files = new MemoryJournal();
	const {keeper, push} = keeperOn(files);
	const path = Buffer.alloc(4000, 0x61);
	const perFile = Math.ceil(SEGMENT_MAX_BYTES / 4000);
	for (let i = 0; i < (SEGMENTS_MAX + 20) * perFile; i++) {
		push(recordOf(i + 1, {path}));
		if (i % 20 === 0) await keeper.turn();
	}
	await keeper.turn();
	const sizes = [...files.files.values()].map(bytes => bytes.length);
	t.is(sizes.length, SEGMENTS_MAX);
	t.true(Math.max(...sizes) < SEGMENT_MAX_BYTES + 100_000);
	const counters = countersIn((await readAll(files)).get(NODE));
	t.is(counters.at(-1), (SEGMENTS_MAX + 20) * perFile);
	t.is(counters.length, counters.at(-1)! - counters[0]! + 1);
});

test('a follower reads what grows, each entry once, and a node that comes later', async t => {
	const files = new MemoryJournal();
	const {keeper, push} = keeperOn(files);
	const read: number[] = [];
	const follower = new JournalFollower({
		files: () => files,
		onlyOnce: () => false,
		onEntries: (_, entries) => read.push(...countersIn(entries)),
	});
	await follower.turn();
	for (let i = 1; i <= 30; i++) {
		push(recordOf(i, {path: Buffer.alloc(4000)}), recordOf(1000 + i, {path: Buffer.alloc(20_000)}));
		await keeper.turn();
		await follower.turn();
	}
	for (let i = 0; i < 5; i++) await follower.turn();
	t.deepEqual(
		read.toSorted((a, b) => a - b),
		[...Array.from({length: 30}, (_, i) => i + 1), ...Array.from({length: 30}, (_, i) => 1001 + i)],
	);
	t.true([...files.files.keys()].every(path => path.startsWith(journalOf(NODE))));
});

const entriesOf = (...counters: number[]): Entry[] =>
	counters.map(counter => ({kind: 'record', record: recordOf(counter)}));
const headerOf = (first: number, cleanly: boolean): Entry => ({
	kind: 'header',
	header: {node: NODE, run: 1_700_000_000_000 + first, first, cleanly},
});
const shapeOf = (line: LogLine): unknown =>
	line.kind === 'record' ? line.record.counter : line.kind === 'missing' ? [line.from, line.to] : line.kind;

test('what is missing is shown: within a run, and where a run was cut off', t => {
	const entries = [headerOf(1, true), ...entriesOf(1, 2, 5), headerOf(100, false), ...entriesOf(100)];
	t.deepEqual(linesOfNode(NODE, entries).map(shapeOf), [1, 2, [3, 4], 5, 'cut-off', 100]);
	// A run that ended by itself has given its last number back: the next one goes on right behind it.
	const clean = [headerOf(1, true), ...entriesOf(1), headerOf(2, true), ...entriesOf(2)];
	t.deepEqual(linesOfNode(NODE, clean).map(shapeOf), [1, 2]);
});

test('nodes are merged by time, and chosen by path, user, node and time', t => {
	const record = (node: NodeUuid, timeMs: number, over: Partial<JournalRecord> = {}): LogLine => ({
		kind: 'record',
		node,
		timeMs,
		record: recordOf(timeMs, {timeMs, ...over}),
	});
	const one = [record(NODE, 1), record(NODE, 5), record(NODE, 4)];
	const two = [record(uuidOf(2), 2), record(uuidOf(2), 6, {uid: 7, path: Buffer.from('a/bc')})];
	const merged = mergeLines([one, two, []]);
	t.deepEqual(
		merged.map(line => line.timeMs),
		[1, 2, 5, 4, 6],
	);
	const chosen = (query: Parameters<typeof isChosen>[1]) =>
		merged.filter(line => isChosen(line, query)).map(line => line.timeMs);
	t.deepEqual(chosen({path: Buffer.from('a/b')}), [1, 2, 5, 4]);
	t.deepEqual(chosen({path: Buffer.from('a')}), [1, 2, 5, 4, 6]);
	t.deepEqual(chosen({path: Buffer.alloc(0)}), [1, 2, 5, 4, 6]);
	t.deepEqual(chosen({path: Buffer.from('a/b/c')}), []);
	t.deepEqual(chosen({uid: 7}), [6]);
	t.deepEqual(chosen({node: uuidOf(2), sinceMs: 3}), [6]);
	t.true(isChosen(record(NODE, 1, {path: null, to: Buffer.from('x')}), {path: Buffer.from('x')}));
	t.true(isChosen({kind: 'missing', node: NODE, timeMs: 1, from: 1, to: 2}, {uid: 9}));
});

test('a line as JSON has no byte that could mislead a reader', t => {
	t.is(pathText(Buffer.from('a b/ä')), 'a b/ä');
	t.is(pathText(Buffer.from('a\\n\n\u001b[1m')), 'a\\\\n\\x0a\\x1b[1m');
	t.is(pathText(Buffer.from([0x61, 0xff, 0x5c])), 'a\\xff\\x5c');
	const names = {errnoName: (errno: number) => `E${errno}`};
	const record = recordOf(9, {errno: 13, to: Buffer.from('x'), after: stateOf(), path: null});
	const json = lineAsJson({kind: 'record', node: NODE, timeMs: 0, record}, names);
	t.like(json, {result: 'E13', to: 'x', path: null, writes: 1, bytes: 3, time: '1970-01-01T00:00:00.000Z'});
	t.like(lineAsJson({kind: 'missing', node: NODE, timeMs: 0, from: 1, to: 2}, names), {from: 1, to: 2});
	t.is(lineAsJson({kind: 'cut-off', node: NODE, timeMs: 0}, names)['kind'], 'cut-off');
});

test('versions: each node counts for itself, in whatever order journals are read', t => {
	const versions = new FileVersions();
	const after = stateOf();
	t.is(versions.apply(NODE, recordOf(5, {after})), after.ino);
	t.is(versions.apply(uuidOf(2), recordOf(3, {after})), after.ino);
	t.is(versions.apply(NODE, recordOf(6)), undefined);
	t.is(versions.apply(NODE, recordOf(7, {after, errno: 5})), undefined);
	t.deepEqual(versions.files.get(after.ino), new Map([[NODE, 5], [uuidOf(2), 3]])); // prettier-ignore
	t.deepEqual(versions.all, new Map([[NODE, 7], [uuidOf(2), 3]])); // prettier-ignore
	versions.apply(uuidOf(3), recordOf(1, {after, operation: 'create'}));
	t.deepEqual(versions.files.get(after.ino), new Map([[NODE, 5], [uuidOf(2), 3], [uuidOf(3), 1]])); // prettier-ignore
});
