import test from 'ava';
import {run} from '../../../src/gluster/command.ts';
import {HekafsError} from '../../../src/errors.ts';

const T = {timeoutMs: 10_000};

test('gives exit code and output, in the C locale', async t => {
	t.deepEqual(await run('sh', ['-c', 'echo out; echo err >&2; exit 3'], T), {
		exitCode: 3,
		stdout: 'out\n',
		stderr: 'err\n',
	});
	t.is((await run('sh', ['-c', 'echo $LC_ALL'], T)).stdout, 'C\n');
});

test('standard input is what is given, else empty', async t => {
	t.is((await run('cat', [], {...T, input: 'a\0b'})).stdout, 'a\0b');
	t.is((await run('cat', [], T)).stdout, '');
});

test('a missing program names itself and its package', async t => {
	const error = await t.throwsAsync(run('/nonexistent/glusterfsd', [], T), {instanceOf: HekafsError});
	t.is(error.code, 'HEKAFS_PROGRAM_MISSING');
	t.regex(error.message, /glusterfsd/);
	t.is(error.remedy, 'Install it: apt-get install glusterfs-server');
	const other = await t.throwsAsync(run('no-such-program-at-all', [], T), {instanceOf: HekafsError});
	t.regex(other.remedy ?? '', /^Install no-such-program-at-all/);
});

test('a late program is killed, also one that ignores SIGTERM', async t => {
	const start = performance.now();
	const error = await t.throwsAsync(
		run('sh', ['-c', 'trap "" TERM; echo $$; while :; do sleep 1; done'], {timeoutMs: 100}),
		{
			instanceOf: HekafsError,
		},
	);
	t.is(error.code, 'HEKAFS_TIMEOUT');
	t.regex(error.message, /did not end within 100 ms/);
	t.true(performance.now() - start < 5000);
});

test('a signal from outside and an abort end it', async t => {
	const killed = await t.throwsAsync(run('sh', ['-c', 'kill -9 $$'], T), {instanceOf: HekafsError});
	t.is(killed.code, 'HEKAFS_PROGRAM_FAILED');
	t.regex(killed.message, /SIGKILL/);
	const controller = new AbortController();
	const running = run('sleep', ['60'], {...T, signal: controller.signal});
	controller.abort(new Error('stopping'));
	await t.throwsAsync(running, {message: 'stopping'});
	await t.throwsAsync(run('true', [], {...T, signal: controller.signal}), {message: 'stopping'});
});
