/** History: content once, the last versions of each file, nothing named that is not there. */
import test from 'ava';
import {
	contentOf,
	historyOf,
	HistoryKeeper,
	HISTORY_DIRECTORY,
	keptOf,
	LONGEST_WAIT_MS,
	REST_MS,
	VERSIONS_PER_FILE,
	type KeptVersion,
} from '../../../src/journal/history.ts';
import {chooseVersion} from '../../../src/main/history.ts';
import {historyText, parseAt} from '../../../src/main/commands/history.ts';
import {MemoryJournal, recordOf, stateOf} from '../../support/memory-journal.ts';
import {uuidOf} from '../../support/sets.ts';

const NODE = uuidOf(1);
const INDEX = `${HISTORY_DIRECTORY}/${NODE}/index`;
const PATH = Buffer.from('a/b');
const NO_LIMIT = Number.POSITIVE_INFINITY;

const historyIn = () => {
	const files = new MemoryJournal();
	const keeper = new HistoryKeeper(NODE, () => files);
	let counter = 0;
	const change = async (content: string, name = 'a/b'): Promise<void> => {
		files.files.set(name, Buffer.from(content));
		keeper.changed([recordOf(++counter, {path: Buffer.from(name), after: stateOf()})]);
		await keeper.turn();
	};
	const objects = () => [...files.files.keys()].filter(each => each.includes('/objects/'));
	return {files, keeper, change, objects};
};

test('each content can be had again, also after the file is gone; equal content is kept once', async t => {
	const {files, change, objects} = historyIn();
	for (const content of ['one', 'two', 'two', 'one']) await change(content);
	await change('one', 'other');
	files.files.delete('a/b');
	const versions = await historyOf(files, PATH);
	const contents = await Promise.all(versions.map(async ({hash}) => String(await contentOf(files, hash))));
	t.deepEqual(contents, ['one', 'two', 'one']);
	t.is(objects().length, 2);
	t.deepEqual(await historyOf(files, Buffer.from('a')), []);
});

test('the last versions of a file stay, their contents too, and nothing else', async t => {
	const {files, change, objects} = historyIn();
	for (let i = 0; i < VERSIONS_PER_FILE + 5; i++) await change(`content ${i}`);
	await change('content 1', 'other');
	const versions = await historyOf(files, PATH);
	t.is(versions.length, VERSIONS_PER_FILE);
	t.is(String(await contentOf(files, versions[0]!.hash)), 'content 5');
	t.is(objects().length, VERSIONS_PER_FILE + 1);
});

test('a file that still changes waits until it rests, but not for ever', async t => {
	const {files, keeper, objects} = historyIn();
	files.files.set('a/b', Buffer.from('one'));
	const changedAt = (timeMs: number): void =>
		keeper.changed([recordOf(timeMs, {path: PATH, after: stateOf(), timeMs})]);
	changedAt(1000);
	await keeper.turn({nowMs: 1000 + REST_MS - 1, limitMs: NO_LIMIT});
	t.is(objects().length, 0);
	await keeper.turn({nowMs: 1000 + REST_MS, limitMs: NO_LIMIT});
	t.is(objects().length, 1);
	files.files.set('a/b', Buffer.from('two'));
	const began = 10_000;
	for (let now = began; now < began + LONGEST_WAIT_MS; now += 1000) {
		changedAt(now);
		await keeper.turn({nowMs: now, limitMs: NO_LIMIT});
	}
	t.is(objects().length, 1, 'it never rested');
	changedAt(began + LONGEST_WAIT_MS);
	await keeper.turn({nowMs: began + LONGEST_WAIT_MS, limitMs: NO_LIMIT});
	t.is(objects().length, 2);
});

test('a turn that has no time leaves what waits to the next one', async t => {
	const {files, keeper, objects} = historyIn();
	files.files.set('a/b', Buffer.from('one'));
	keeper.changed([recordOf(1, {path: PATH, after: stateOf(), timeMs: 1000})]);
	await keeper.turn({nowMs: 1000 + REST_MS, limitMs: 0});
	t.is(objects().length, 0);
	await keeper.turn({nowMs: 1000 + REST_MS, limitMs: NO_LIMIT});
	t.is(objects().length, 1);
});

test('a restart goes on with what was kept; a torn index loses only its tail', async t => {
	const {files, change, objects} = historyIn();
	await change('one');
	await change('two');
	files.files.set(INDEX, files.files.get(INDEX)!.subarray(0, -3));
	const again = new HistoryKeeper(NODE, () => files);
	files.files.set('a/b', Buffer.from('three'));
	again.changed([recordOf(9, {path: PATH, after: stateOf()})]);
	await again.turn();
	t.is(objects().length, 2, 'what no index names is gone');
	const versions = await historyOf(files, PATH);
	t.deepEqual(await Promise.all(versions.map(async ({hash}) => String(await contentOf(files, hash)))), [
		'one',
		'three',
	]);
});

test('a failing filesystem: what was not kept is kept later', async t => {
	const {files, keeper, change} = historyIn();
	await change('one');
	files.failAfter = 5;
	await t.throwsAsync(change('two'));
	await keeper.turn();
	const versions = await historyOf(files, PATH);
	t.is(versions.length, 2);
	t.is(String(await contentOf(files, versions[1]!.hash)), 'two');
});

test('content that is not what its name says is not given', async t => {
	const {files, change, objects} = historyIn();
	await change('one');
	files.files.set(objects()[0]!, Buffer.from('on'));
	t.is(await contentOf(files, (await historyOf(files, PATH))[0]!.hash), null);
});

test('directories, failures and removals have no history', async t => {
	const {files, keeper, objects} = historyIn();
	keeper.changed([
		recordOf(1, {after: stateOf({mode: 0o40755})}),
		recordOf(2, {after: null}),
		recordOf(3, {path: null, after: stateOf()}),
		recordOf(4, {after: stateOf({size: 10_000_000})}),
	]);
	await keeper.turn();
	t.deepEqual(objects(), []);
	t.false(files.files.has(INDEX));
});

const version = (hash: string, over: Partial<KeptVersion> = {}): KeptVersion => ({
	path: PATH,
	hash: hash.padEnd(64, '0'),
	size: 1,
	mode: 0o644,
	uid: 0,
	gid: 0,
	counter: 1,
	timeMs: 0,
	...over,
});

test('large contents push the oldest out', t => {
	const size = 30 * 1024 * 1024;
	const versions = ['a', 'b', 'c'].map(hash => version(hash, {size}));
	t.deepEqual(
		keptOf(versions).map(({hash}) => hash[0]),
		['b', 'c'],
	);
});

test('a version is chosen by the beginning of its hash', t => {
	const versions = [
		version('abcd1'),
		version('abcd2'),
		version('ef012', {counter: 1}),
		version('ef012', {counter: 2}),
	];
	t.is(chooseVersion(versions, 'ef01').counter, 2);
	for (const bad of ['abcd', 'ef0', '9999'])
		t.throws(() => chooseVersion(versions, bad), {code: 'HEKAFS_REFUSED'});
	t.deepEqual(parseAt('a@b@12'), {path: 'a@b', version: '12'});
	for (const bad of ['a', 'a@', '@a']) t.throws(() => parseAt(bad), {code: 'HEKAFS_USAGE'});
	t.is(
		historyText([
			{version: 'ab'.repeat(32), time: 'T', size: 3, mode: 0o600, uid: 1, gid: 2, path: '', content: ''},
		]),
		'VERSION       TIME  SIZE  MODE  OWNER\nabababababab  T     3     0600  1:2\n',
	);
});
