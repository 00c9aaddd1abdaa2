/** Where copies lie: what a crash or a bad disk leaves is never taken for a copy. */
import test, {type ExecutionContext} from 'ava';
import * as fs from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {crc32} from 'node:zlib';
import {CopyStore, indexPath, packPath, readIndex} from '../../../src/snapshot/store.ts';
import {type CopyTree, TYPE} from '../../../src/snapshot/tree.ts';
import {copyNode, directoryNode} from '../../support/copy-trees.ts';

const FACTS = {checkedMs: 1, updatedMs: 2, quiet: true, filesystem: '0f9d2a4c-0000-4000-8000-000000000001'};

const scratch = (t: ExecutionContext): string => {
	const directory = fs.mkdtempSync(join(tmpdir(), 'hekafs-copy-'));
	t.teardown(() => fs.rmSync(directory, {recursive: true}));
	return join(directory, 'copy');
};

/** Publishes a tree with one file of that content. */
const publish = (store: CopyStore, text: string, served = 0): void => {
	const bytes = Buffer.from(text);
	const content = {offset: store.append(bytes), length: bytes.length, crc: crc32(bytes)};
	const tree: CopyTree = {
		root: 1n,
		nodes: new Map([
			[1n, directoryNode(1n, new Map([['f', 2n]]))],
			[2n, copyNode(2n, TYPE.regular, {content})],
		]),
	};
	store.publish(tree, FACTS, served);
};

/** The content of `f` as a new process finds it; undefined: no copy. */
const reopened = (directory: string): string | undefined => {
	const store = new CopyStore(directory);
	const index = store.open();
	store.close();
	if (index === undefined) return undefined;
	const place = index.lookup(index.root(), Buffer.from('f'))!;
	const {offset, length} = index.content(place);
	return fs
		.readFileSync(packPath(directory, index.facts.pack))
		.subarray(offset, offset + length)
		.toString();
};

const published = (t: ExecutionContext, ...texts: string[]): string => {
	const directory = scratch(t);
	const store = new CopyStore(directory);
	t.is(store.open(), undefined);
	for (const text of texts) publish(store, text);
	store.close();
	return directory;
};

test('the newest copy is there after a restart; directory and files are for root only', t => {
	const directory = published(t, 'one', 'two');
	t.is(reopened(directory), 'two');
	t.is(fs.statSync(directory).mode & 0o777, 0o700);
	for (const file of fs.readdirSync(directory)) t.is(fs.statSync(join(directory, file)).mode & 0o777, 0o600);
});

test('power lost before the index has its name: the copy before is there, and the next one has room', t => {
	const directory = published(t, 'one');
	// Content written, index half written, not renamed.
	fs.appendFileSync(packPath(directory, 1), 'two');
	fs.writeFileSync(join(directory, 'index.new'), fs.readFileSync(indexPath(directory, 1)).subarray(0, 100));
	t.is(reopened(directory), 'one');
	const store = new CopyStore(directory);
	store.open();
	publish(store, 'three');
	store.close();
	t.is(reopened(directory), 'three');
});

test('power lost after the rename of an index whose bytes are not on the disk: the copy before is there', t => {
	const directory = published(t, 'one', 'two');
	fs.truncateSync(indexPath(directory, 2), 50);
	t.is(reopened(directory), 'one');
	fs.writeFileSync(indexPath(directory, 9), '');
	t.is(reopened(directory), 'one');
	const store = new CopyStore(directory);
	store.open();
	// Numbers that were used are never used again: a reader may have one open.
	t.true(store.serial > 9);
	store.close();
});

test('a content that is not as it was written, or not there, makes the copy none', t => {
	const damaged = published(t, 'content');
	const bytes = fs.readFileSync(packPath(damaged, 1));
	bytes[2]! ^= 1;
	fs.writeFileSync(packPath(damaged, 1), bytes);
	t.is(reopened(damaged), undefined);
	const short = published(t, 'content');
	fs.truncateSync(packPath(short, 1), 3);
	t.is(reopened(short), undefined);
	const gone = published(t, 'content');
	fs.rmSync(packPath(gone, 1));
	t.is(reopened(gone), undefined);
});

test('a copy that is served stays on the disk, with its pack, whatever comes after it', t => {
	const directory = published(t, 'served');
	const store = new CopyStore(directory);
	store.open();
	const served = store.serial;
	// Each is large enough for the pack to be written anew.
	for (let i = 0; i < 6; i++) publish(store, String(i).repeat(9 << 20), served);
	store.close();
	const index = readIndex(directory, served)!;
	t.is(fs.readFileSync(packPath(directory, index.facts.pack)).subarray(0, 6).toString(), 'served');
	t.true(fs.readdirSync(directory).filter(name => name.startsWith('index-')).length <= 4);
	t.is(reopened(directory)?.length, 9 << 20);
});
