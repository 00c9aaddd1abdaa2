import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {completionScript} from '../../../../src/main/commands/completion-scripts.ts';
import {configModel} from '../../../../src/main/manual/pages.ts';
import {NODE_A, NODE_B, NODE_C, startNode} from '../../../support/http-node.ts';

const PROGRAM = fileURLToPath(new URL('../../../../src/main/hfs-config.js', import.meta.url));

/** Sources the script in a bash of its own and completes the last of the words. */
const complete = async (...words: readonly string[]): Promise<string[]> =>
	await new Promise((resolve, reject) => {
		const script = `
			node=$1 program=$2; shift 2
			hfs_config() { "$node" "$program" "$@"; }
			. <(hfs_config completion bash) || exit 9
			complete -p hfs_config >/dev/null || exit 8
			COMP_WORDS=(hfs_config "$@") COMP_CWORD=$#
			_hfs_config
			printf '%s\\n' "\${COMPREPLY[@]}"`;
		execFile(
			'bash',
			['--norc', '-uc', script, 'bash', process.execPath, PROGRAM, ...words],
			{timeout: 30_000},
			(error, out, err) => {
				if (error !== null || err !== '') reject(error ?? new Error(err));
				else resolve(out.split('\n').filter(line => line !== ''));
			},
		);
	});

test('commands, their options, and choices', async t => {
	t.deepEqual(await complete('ser'), ['serve']);
	t.deepEqual(await complete('serve', '--f'), ['--found']);
	t.deepEqual(await complete('--run', '/tmp', 'vol'), ['volfile']);
	t.deepEqual(await complete('completion', 'z'), ['zsh']);
	t.deepEqual(await complete('no-such-command', '--no'), []);
	const all = await complete('');
	for (const name of ['status', 'retire', 'completion', '--socket']) t.true(all.includes(name), name);
	t.false(all.includes('node-names'), 'what is hidden is not offered');
});

test('files where a file is expected', async t => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-completion-'));
	t.teardown(async () => rm(directory, {recursive: true}));
	await writeFile(join(directory, 'one two'), '');
	t.deepEqual(await complete('init', '--from', join(directory, 'o')), [join(directory, 'one two')]);
});

test('node names come from the hekafsd that --run names', async t => {
	await using node = await startNode();
	const run = ['--run', dirname(node.socketPath), 'retire'];
	t.deepEqual(await complete(...run, 'al'), ['alpha']);
	t.deepEqual((await complete(...run, '2222')).sort(), [NODE_B, NODE_C].sort());
	t.deepEqual(await complete(...run, '--fo'), ['--force']);
	const everything = await complete(...run, '');
	for (const name of [NODE_A, 'beta', 'gamma', '10.0.0.2']) t.true(everything.includes(name), name);
});

test('without a hekafsd there are no node names, and no error spoils the line', async t => {
	t.deepEqual(await complete('--run', '/nonexistent', 'retire', 'al'), []);
});

test('the script for zsh has the same words', t => {
	const script = completionScript('zsh', configModel());
	t.regex(script, /^#compdef hfs_config$/m);
	t.regex(script, /'retire'\) offers=\(--force --yes --json --help\) nodes=yes ;;/);
});
