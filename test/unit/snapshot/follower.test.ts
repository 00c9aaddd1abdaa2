/** A copy that follows a directory: what it takes over, when it does not, and what it leaves alone. */
import test, {type ExecutionContext} from 'ava';
import * as fs from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {ChangedRing, createChangedRing} from '../../../src/snapshot/changed-ring.ts';
import {type CopyIndex} from '../../../src/snapshot/copy-index.ts';
import {Copies} from '../../../src/snapshot/follower.ts';
import {packPath, readIndex} from '../../../src/snapshot/store.ts';

const FILESYSTEM = '0f9d2a4c-0000-4000-8000-000000000001';
const DEADLINE_MS = 20_000;

const until = async (t: ExecutionContext, what: string, check: () => boolean): Promise<void> => {
	for (const end = performance.now() + DEADLINE_MS; !check();) {
		if (performance.now() > end) return void t.fail(`within ${DEADLINE_MS} ms: ${what}`);
		await delay(10);
	}
};

/** Descriptors of this process that lie in a directory. */
const openBelow = (directory: string): number =>
	fs.readdirSync('/proc/self/fd').filter(fd => {
		try {
			return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
		} catch {
			// The one that listed them.
			return false;
		}
	}).length;

const following = (t: ExecutionContext, limitBytes = 1 << 20) => {
	const scratch = fs.mkdtempSync(join(tmpdir(), 'hekafs-follow-'));
	const tree = join(scratch, 'tree');
	const directory = join(scratch, 'copy');
	fs.mkdirSync(join(tree, 'd'), {recursive: true});
	fs.writeFileSync(join(tree, 'd', 'f'), 'one');
	const buffer = createChangedRing();
	const make = () =>
		new Copies({directory, limitBytes, ring: buffer, onProblem: problem => void t.fail(problem)});
	const copies = make();
	const serials = (): string[] => fs.readdirSync(directory).filter(name => name.startsWith('index-'));
	t.teardown(async () => {
		await copies.stop();
		// The thread closes what it has open within a moment.
		await delay(100);
		fs.rmSync(scratch, {recursive: true});
	});
	const ino = (name: string): bigint => fs.statSync(join(tree, name), {bigint: true}).ino;
	return {tree, directory, ring: new ChangedRing(buffer), copies, make, serials, ino};
};

/** The content of a path in the newest copy; undefined: no such file. */
const contentIn = (directory: string, copies: Copies, ...path: string[]): string | undefined => {
	const serial = copies.newestOf(FILESYSTEM)?.serial;
	const index: CopyIndex | undefined = serial === undefined ? undefined : readIndex(directory, serial);
	if (index === undefined) return undefined;
	let at: number | undefined = index.root();
	for (const name of path) at = at === undefined ? undefined : index.lookup(at, Buffer.from(name));
	if (at === undefined) return undefined;
	const {offset, length} = index.content(at);
	return fs
		.readFileSync(packPath(directory, index.facts.pack))
		.subarray(offset, offset + length)
		.toString();
};

test('what this node changes is taken over, what others change too; a restart finds it all, without the tree', async t => {
	const f = following(t);
	await f.copies.follow(f.tree, FILESYSTEM);
	await until(t, 'the first look', () => contentIn(f.directory, f.copies, 'd', 'f') === 'one');
	fs.writeFileSync(join(f.tree, 'd', 'new'), 'told');
	await until(t, 'nothing more is known', () => f.copies.isComplete);
	f.ring.note(f.ino('d'), Buffer.from('new'));
	t.false(f.copies.isComplete, 'what was told is not in it yet');
	await until(t, 'all that was told', () => f.copies.isComplete);
	await until(t, 'what was told', () => contentIn(f.directory, f.copies, 'd', 'new') === 'told');
	fs.writeFileSync(join(f.tree, 'other'), 'not told');
	fs.rmSync(join(f.tree, 'd', 'f'));
	await until(t, 'what was not told', () => contentIn(f.directory, f.copies, 'other') === 'not told');
	t.is(contentIn(f.directory, f.copies, 'd', 'f'), undefined);
	await f.copies.stop();
	fs.rmSync(f.tree, {recursive: true});
	const again = f.make();
	await again.follow(undefined, '');
	t.is(contentIn(f.directory, again, 'd', 'new'), 'told');
	t.is(
		again.newestOf('0f9d2a4c-0000-4000-8000-00000000ffff'),
		undefined,
		'of another filesystem there is none',
	);
	await again.stop();
});

test('looks that find nothing write nothing; the age that is told is that of the last look', async t => {
	const f = following(t);
	await f.copies.follow(f.tree, FILESYSTEM);
	await until(t, 'a quiet copy', () => f.copies.newestOf(FILESYSTEM)?.quiet === true);
	const {serial, checkedMs} = f.copies.newestOf(FILESYSTEM)!;
	const before = f.serials();
	await until(t, 'two more looks', () => f.copies.newestOf(FILESYSTEM)!.checkedMs > checkedMs + 2500);
	t.is(f.copies.newestOf(FILESYSTEM)!.serial, serial);
	t.deepEqual(f.serials(), before);
});

test('above the limit the copy stays as it was, whoever made the tree so large', async t => {
	const f = following(t, 1000);
	await f.copies.follow(f.tree, FILESYSTEM);
	await until(t, 'the first look', () => f.copies.newestOf(FILESYSTEM) !== undefined);
	fs.writeFileSync(join(f.tree, 'd', 'a'), 'a'.repeat(600));
	f.ring.note(f.ino('d'), Buffer.from('a'));
	await until(t, 'what fits', () => contentIn(f.directory, f.copies, 'd', 'a')?.length === 600);
	const lookedAt = f.copies.newestOf(FILESYSTEM)!.checkedMs;
	await until(t, 'a look', () => f.copies.newestOf(FILESYSTEM)!.checkedMs > lookedAt);
	// Each alone would fit. The next look at everything is far enough away for the note to come first.
	fs.writeFileSync(join(f.tree, 'd', 'b'), 'b'.repeat(600));
	f.ring.note(f.ino('d'), Buffer.from('b'));
	await until(t, 'the problem', () => f.copies.state.problem?.includes('1000 bytes') === true);
	t.is(contentIn(f.directory, f.copies, 'd', 'b'), undefined);
	t.true(f.copies.newestOf(FILESYSTEM)!.bytes <= 1000);
	// A look that ends early closes what it had open.
	await until(t, 'nothing of the tree is open', () => openBelow(f.tree) === 0);
	fs.rmSync(join(f.tree, 'd', 'a'));
	await until(t, 'room again', () => contentIn(f.directory, f.copies, 'd', 'b')?.length === 600);
	await until(t, 'no problem', () => f.copies.state.problem === undefined);
});

test('a tree that is away leaves the copy, and is followed again when it is back', async t => {
	const f = following(t);
	await f.copies.follow(f.tree, FILESYSTEM);
	await until(t, 'the first look', () => contentIn(f.directory, f.copies, 'd', 'f') === 'one');
	await until(t, 'nothing more is known', () => f.copies.isComplete);
	fs.renameSync(f.tree, `${f.tree}-away`);
	f.ring.note(1n);
	await delay(2500);
	t.false(f.copies.isComplete, 'a change that could not be read is not in it');
	t.is(contentIn(f.directory, f.copies, 'd', 'f'), 'one');
	// It is not the copy's matter to tell of a mount that is lost.
	t.is(f.copies.state.problem, undefined);
	fs.renameSync(`${f.tree}-away`, f.tree);
	fs.writeFileSync(join(f.tree, 'back'), 'back');
	await until(t, 'looks work again', () => contentIn(f.directory, f.copies, 'back') === 'back');
});
