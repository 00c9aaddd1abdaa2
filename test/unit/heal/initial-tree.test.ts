import test from 'ava';
import {initialTree, type TreeEntry} from '../../../src/heal/initial-tree.ts';
import {FS, serverOf, uuidOf} from '../../support/sets.ts';

const tree = initialTree({
	filesystemId: FS,
	servers: [serverOf(2)],
	members: [
		{uuid: uuidOf(3), addresses: []},
		{uuid: uuidOf(1), addresses: ['h1', '10.0.0.1']},
		{uuid: uuidOf(2), addresses: ['h2', 'two.example']},
	],
});
const entry = (path: string): TreeEntry | undefined => tree.find(e => e.path === path);

test('each directory comes before its content, each path once', t => {
	const seen = new Set<string>();
	for (const {kind, path} of tree) {
		const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : undefined;
		t.true(parent === undefined || seen.has(parent), path);
		t.false(seen.has(path), path);
		if (kind === 'dir') seen.add(path);
	}
});

test('nodes are servers and members, with their names', t => {
	const nodes = tree.filter(e => /^nodes\/[^/]+$/.test(e.path)).map(e => e.path);
	t.deepEqual(
		nodes,
		[1, 2, 3].map(n => `nodes/${uuidOf(n)}`),
	);
	t.like(entry(`nodes/${uuidOf(1)}/address`), {content: 'h1\n', mode: 0o644});
	t.like(entry(`nodes/${uuidOf(1)}/aliases/10.0.0.1`), {content: ''});
	t.like(entry(`nodes/${uuidOf(2)}/address`), {content: 'h2\n'});
	t.like(entry(`nodes/${uuidOf(2)}/aliases/two.example`), {content: ''});
	t.is(entry(`nodes/${uuidOf(3)}/address`), undefined);
});

test('what is secret is root’s, the rest can be read', t => {
	t.like(entry('keys'), {kind: 'dir', mode: 0o700});
	for (const path of ['nodes', 'bricks', 'volumes', 'tenants'])
		t.like(entry(path), {kind: 'dir', mode: 0o755});
	t.like(entry('format'), {content: '1\n'});
	t.like(entry('filesystem'), {content: `${FS}\n`});
});

test('nothing of the machinery’s, and no filesystem id for a local directory', t => {
	t.false(tree.some(e => e.path.startsWith('.hekafs')));
	t.false(
		initialTree({filesystemId: undefined, servers: [], members: []}).some(e => e.path === 'filesystem'),
	);
});
