/** The place where a test stops a change. */
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import test from 'ava';
import {pausePoint} from '../../../src/main/pause-point.ts';

test('without a directory there is no hook', t => {
	t.is(
		pausePoint(undefined, () => t.fail()),
		undefined,
	);
	t.is(
		pausePoint('', () => t.fail()),
		undefined,
	);
});

test('it stops where it is told to, once, and goes on when it may', async t => {
	const directory = mkdtempSync(join(tmpdir(), 'hekafs-pause-'));
	t.teardown(() => rmSync(directory, {recursive: true}));
	const said: string[] = [];
	const at = pausePoint(directory, text => said.push(text))!;
	await at('before:3');
	writeFileSync(join(directory, 'at'), 'before:3\n');
	await at('before:2');
	let wentOn = false;
	const waiting = at('before:3').then(() => (wentOn = true));
	await delay(50);
	t.false(wentOn);
	t.false(existsSync(join(directory, 'at')));
	rmSync(join(directory, 'paused'));
	await waiting;
	await at('before:3');
	t.deepEqual(said, ['paused before:3, as HEKAFS_PAUSE_DIR asks']);
});

test('a directory that is missing stops nothing', async t => {
	await t.notThrowsAsync(pausePoint('/nonexistent/pause', () => t.fail())!('before:1'));
});
