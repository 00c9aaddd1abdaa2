import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {JournalCounter} from '../../../src/main/journal-counter.ts';
import {parseSince, parseUser, logText} from '../../../src/main/commands/log.ts';
import {pathFromRoot} from '../../../src/main/paths.ts';
import {uuidOf} from '../../support/sets.ts';

test('no number is given twice, whatever ends the run', t => {
	const directory = mkdtempSync(path.join(tmpdir(), 'hekafs-counter-'));
	t.teardown(() => rmSync(directory, {recursive: true}));
	const first = new JournalCounter(directory, 1000);
	t.deepEqual([first.start, first.cleanly], [1000, true]);
	first.used(1000 + 60_000);
	const cutOff = new JournalCounter(directory, 0);
	t.true(cutOff.start > 61_000);
	t.false(cutOff.cleanly);
	cutOff.undo();
	const again = new JournalCounter(directory);
	t.deepEqual([again.start, again.cleanly], [cutOff.start, false]);
	again.close(again.start + 3);
	const clean = new JournalCounter(directory);
	t.deepEqual([clean.start, clean.cleanly], [again.start + 3, true]);
	writeFileSync(path.join(directory, 'journal.json'), '{"format": 2}');
	t.is(new JournalCounter(directory, 5_000_000).start, 5_000_000);
});

test('paths are taken from the mount point or from its root', t => {
	t.is(pathFromRoot('/etc/hekafs/a/../b/', '/etc/hekafs'), 'b');
	t.is(pathFromRoot('a/b', '/etc/hekafs'), 'a/b');
	t.is(pathFromRoot('/etc/hekafs', '/etc/hekafs'), '');
	t.is(pathFromRoot('.', '/etc/hekafs'), '');
	for (const bad of ['/etc', '../x', '/', '/etc/hekafs/../x'])
		t.throws(() => pathFromRoot(bad, '/etc/hekafs'), {code: 'HEKAFS_USAGE'}, bad);
});

test('times, ages and users', t => {
	t.is(parseSince('15m', 1_000_000), 100_000);
	t.is(parseSince('2d', 1_000), 0);
	t.is(parseSince('1970-01-01T00:00:01Z', 0), 1000);
	t.throws(() => parseSince('soon', 0), {code: 'HEKAFS_USAGE'});
	t.is(parseUser('12', ''), 12);
	t.is(parseUser('bob', 'root:x:0:0::/:\nbob:x:1001:1::/:\n'), 1001);
	t.throws(() => parseUser('eve', ''), {code: 'HEKAFS_USAGE'});
});

test('lines for people', t => {
	const base = {node: uuidOf(1), time: '2026-01-31T12:00:00.000Z'};
	const record = {...base, kind: 'record', operation: 'write', path: 'a', uid: 0, pid: 5, command: 'sh'};
	const text = (value: object) => logText(JSON.stringify(value), () => 'h1');
	t.is(
		text({...record, result: 'ok', writes: 2, bytes: 9}),
		'2026-01-31T12:00:00.000Z h1 uid=0 sh[5] write a 9 bytes in 2',
	);
	t.true(text({...record, result: 'ENOSPC', to: 'b'}).endsWith('write a -> b ENOSPC'));
	t.regex(text({...base, kind: 'missing', from: 3, to: 4}), /records 3 to 4 are missing/);
	t.regex(text({...base, kind: 'cut-off'}), /cut off/);
	t.throws(() => text({}), {code: 'HEKAFS_PEER_INVALID'});
});
