/** The lock between scripts: many at once, holders that die or are slow, and readers meanwhile. */
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {EXAMPLES, ScriptTree} from '../../support/script-tree.ts';

const until = async (condition: () => boolean, timeoutMs = 10_000): Promise<void> => {
	for (const deadline = Date.now() + timeoutMs; !condition();) {
		if (Date.now() > deadline) throw new Error('the condition did not come true in time');
		await delay(10);
	}
};

/** Starts a script that holds the lock until it is killed. @returns a function that kills it with SIGKILL */
const holdLock = async (
	tree: ScriptTree,
	code: string,
	env: Readonly<Record<string, string>> = {},
): Promise<() => Promise<void>> => {
	const ready = tree.path('ready');
	const child = spawn(
		'sh',
		['-c', `. "${EXAMPLES}/hfs-lib.sh"\ntake_lock\n${code}\n: > "$ROOT/ready"\nexec sleep 60`, 'holder'],
		{env: {...process.env, HEKAFS_ROOT: tree.root, ...env}, stdio: 'inherit'},
	);
	const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
	await until(() => existsSync(ready));
	return async () => {
		child.kill('SIGKILL');
		await ended;
	};
};

test('of 8 processes that want overlapping ranges exactly one wins, three times over', async t => {
	const tree = new ScriptTree(t);
	for (const round of [1, 2, 3]) {
		const base = round * 1000;
		const outcomes = await Promise.all(
			Array.from({length: 8}, async (_, i) =>
				tree.run('hfs_add_tenant', [
					`r${round}-${i}`,
					'p',
					String(base + i),
					String(base + 100 + i),
					String(base + i),
					String(base + 100 + i),
				]),
			),
		);
		t.deepEqual(outcomes.map(o => o.code).sort(), [0, 1, 1, 1, 1, 1, 1, 1]);
		for (const {code, err} of outcomes) if (code === 1) t.regex(err, /overlaps/);
	}
	t.is(tree.names('tenants').length, 3);
	t.deepEqual(tree.names('.hfs-locks'), ['held']);
});

test('8 processes that add what does not collide all win', async t => {
	const tree = new ScriptTree(t);
	const outcomes = await Promise.all(
		Array.from({length: 8}, async (_, i) =>
			tree.run('hfs_add_tenant', [`t${i}`, 'p', `${i + 1}0`, `${i + 1}9`, `${i + 1}0`, `${i + 1}9`]),
		),
	);
	t.deepEqual(
		outcomes.map(o => o.code),
		Array.from({length: 8}, () => 0),
	);
	t.is((await tree.run('hfs_list_tenants', [])).out.split('\n').length, 9);
});

test('of 8 processes that add the same name exactly one wins, and its tenant is whole', async t => {
	const tree = new ScriptTree(t);
	const outcomes = await Promise.all(
		Array.from({length: 8}, async (_, i) =>
			tree.run('hfs_add_tenant', ['same', `p${i}`, `${i + 1}0`, `${i + 1}9`, `${i + 1}0`, `${i + 1}9`]),
		),
	);
	const winner = outcomes.findIndex(o => o.code === 0);
	t.is(outcomes.filter(o => o.code === 0).length, 1);
	t.is(readFileSync(tree.path('tenants', 'same', 'credential'), 'utf8'), `p${winner}\n`);
	t.is(readFileSync(tree.path('tenants', 'same', 'uid_range'), 'utf8'), `${winner + 1}0 ${winner + 1}9\n`);
});

test('a holder killed in the middle leaves nothing half-made, and the next one goes on at once', async t => {
	const tree = new ScriptTree(t);
	// What hfs_add_tenant has built just before it would publish.
	const kill = await holdLock(tree, 'mkdir "$new/half" && echo secret >"$new/half/credential"');
	await kill();
	t.deepEqual(tree.names('tenants'), []);
	const startMs = Date.now();
	t.is((await tree.run('hfs_add_tenant', ['whole', 'p', '1', '2', '1', '2'])).code, 0);
	t.true(Date.now() - startMs < 5000);
	t.deepEqual(tree.names('tenants'), ['whole']);
	t.deepEqual(tree.names('.hfs-locks'), ['held']);
	t.deepEqual(tree.names('.hfs-locks', 'held'), []);
});

test('scripts killed at random moments leave whole tenants or none', async t => {
	const tree = new ScriptTree(t);
	for (let i = 0; i < 20; i++) {
		const child = spawn(
			'sh',
			[`${EXAMPLES}/hfs_add_tenant`, `t${i}`, 'p', `${i + 1}0`, `${i + 1}9`, `${i + 1}0`, `${i + 1}9`],
			{
				env: {...process.env, HEKAFS_ROOT: tree.root},
				stdio: 'ignore',
			},
		);
		const ended = new Promise(resolve => child.once('close', resolve));
		await delay(3 * i);
		child.kill('SIGKILL');
		await ended;
		for (const name of tree.names('tenants'))
			t.deepEqual(tree.names('tenants', name), ['credential', 'gid_range', 'uid_range', 'volumes']);
	}
	t.is((await tree.run('hfs_add_tenant', ['last', 'p', '5000', '5001', '5000', '5001'])).code, 0);
	t.deepEqual(tree.names('.hfs-locks'), ['held']);
});

test('8 processes that find a dead holder: one takes the lock away, all get their turn', async t => {
	const tree = new ScriptTree(t);
	const kill = await holdLock(tree, ':');
	await kill();
	const outcomes = await Promise.all(
		Array.from({length: 8}, async (_, i) =>
			tree.run('hfs_add_tenant', [`t${i}`, 'p', '10', '19', '10', '19']),
		),
	);
	t.deepEqual(outcomes.map(o => o.code).sort(), [0, 1, 1, 1, 1, 1, 1, 1]);
});

test('a living holder is waited for, and named when it takes too long', async t => {
	const tree = new ScriptTree(t);
	const kill = await holdLock(tree, ':');
	t.teardown(kill);
	const {code, err} = await tree.run('hfs_delete_tenant', ['x'], {
		env: {HEKAFS_LOCK_WAIT: '1', HEKAFS_LOCK_STALE: '100'},
	});
	t.is(code, 1);
	t.regex(err, /locked for 1 s by holder on .*, process \d+, since /);
	t.is(tree.names('.hfs-locks', 'held').length, 1, "the holder's lock is untouched");
	t.is(tree.names('.hfs-locks').length, 1, 'the one that waited has cleaned up');
});

test('a holder on another node is taken for dead only after it was watched long enough', async t => {
	const tree = new ScriptTree(t);
	mkdirSync(tree.path('.hfs-locks', 'held', 'elsewhere.1.2.abc', 'new'), {recursive: true});
	writeFileSync(tree.path('.hfs-locks', 'held', 'elsewhere.1.2.abc', 'holder'), 'a far node\n');
	const early = await tree.run('hfs_add_tenant', ['a', 'p', '1', '2', '1', '2'], {
		env: {HEKAFS_LOCK_WAIT: '1'},
	});
	t.is(early.code, 1);
	t.regex(early.err, /by a far node/);
	const startMs = Date.now();
	const late = await tree.run('hfs_add_tenant', ['a', 'p', '1', '2', '1', '2'], {
		env: {HEKAFS_LOCK_STALE: '2'},
	});
	t.is(late.code, 0, late.err);
	t.true(Date.now() - startMs >= 1000);
});

test('a holder that was only slow is cut off: it can neither publish nor remove any more', async t => {
	const tree = new ScriptTree(t);
	await tree.run('hfs_add_tenant', ['victim', 'p', '1', '2', '1', '2']);
	const slow = tree.shell(
		[
			'take_lock',
			'mkdir "$new/late"',
			': > "$ROOT/ready"',
			'while [ ! -e "$ROOT/go" ]; do sleep 0.1; done',
			'(withdraw "$ROOT/tenants/victim"); echo "withdraw $?" >&2',
			'publish late "$ROOT/tenants"',
		].join('\n'),
	);
	await until(() => existsSync(tree.path('ready')));
	// It lives on this node, so that only the watch can end its holding.
	t.is(
		(await tree.run('hfs_add_tenant', ['next', 'p', '3', '4', '3', '4'], {env: {HEKAFS_LOCK_STALE: '1'}}))
			.code,
		0,
	);
	writeFileSync(tree.path('go'), '');
	const {code, err} = await slow;
	t.is(code, 1);
	t.regex(err, /another node has taken the lock over; nothing was changed/);
	t.regex(err, /withdraw 1/);
	t.deepEqual(tree.names('tenants'), ['next', 'victim']);
});

/** Names in a tenant's directory; empty when it was removed while we looked. */
const contentOf = (tree: ScriptTree, tenant: string): string[] => {
	const path = tree.path('tenants', tenant);
	try {
		const {ino} = statSync(path);
		const names = tree.names('tenants', tenant);
		return statSync(path).ino === ino ? names : [];
	} catch {
		return [];
	}
};

test('readers never see half a tenant or half a volume', async t => {
	const tree = new ScriptTree(t);
	const state = {done: false};
	const writer = (async () => {
		for (let i = 0; i < 12; i++) {
			await tree.run('hfs_add_tenant', ['t', 'p', '10', '19', '20', '29']);
			await tree.run('hfs_add_volume', ['v', 'h:/1', 'h:/2', 'h:/3']);
			await tree.run('hfs_delete_volume', ['v']);
			await tree.run('hfs_delete_tenant', ['t']);
		}
		state.done = true;
	})();
	while (!state.done) {
		t.true(['', 't\t10\t19\t20\t29\n'].includes((await tree.run('hfs_list_tenants', [])).out));
		// A list is no snapshot: of a volume that goes away meanwhile it may show fewer bricks, never part of a line.
		t.regex((await tree.run('hfs_list_volumes', [])).out, /^(v\tstopped\t1(\th:\/[123])*\n)?$/);
		for (const tenant of tree.names('tenants')) {
			const names = contentOf(tree, tenant);
			if (names.length > 0) t.deepEqual(names, ['credential', 'gid_range', 'uid_range', 'volumes']);
		}
	}
	await writer;
});
