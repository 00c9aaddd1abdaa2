import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {parseGlusterdInfo, readNodeUuid} from '../../../src/gluster/glusterd-info.ts';

const UUID = '1d649be0-baea-4cfd-93f3-1f59a5efc3bc';

test('finds the UUID line, in lower case', t => {
	t.is(parseGlusterdInfo(`UUID=${UUID}\noperating-version=100000\n`), UUID);
	t.is(parseGlusterdInfo(`operating-version=100000\nUUID=${UUID.toUpperCase()}`), UUID);
	for (const text of ['', 'UUID=\n', `UUID=${UUID}0\n`, `xUUID=${UUID}\n`, 'UUID=1d649be0-baea\n'])
		t.is(parseGlusterdInfo(text), undefined, text);
});

test('absent, unreadable and invalid are three things', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-info-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	t.is(await readNodeUuid(join(directory, 'nothing')), undefined);
	t.is(await readNodeUuid(directory), undefined);
	await writeFile(join(directory, 'glusterd.info'), 'operating-version=1\n');
	await t.throwsAsync(readNodeUuid(directory), {code: 'HEKAFS_STATE_INVALID'});
	await writeFile(join(directory, 'glusterd.info'), `UUID=${UUID}\n`);
	t.is(await readNodeUuid(directory), UUID);
	await rm(join(directory, 'glusterd.info'));
	await mkdir(join(directory, 'glusterd.info'));
	await t.throwsAsync(readNodeUuid(directory), {code: 'HEKAFS_STATE_UNREADABLE'});
});
