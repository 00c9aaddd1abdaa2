import test from 'ava';
import {brickFailure} from '../../../src/gluster/brick.ts';

const BRICK = {directory: '/srv/brick', port: 24_100, logFile: '/var/log/hekafs/brick.log'};

// As GlusterFS 10.3 writes them.
const CASES = [
	['binding to  failed: Address already in use', 'HEKAFS_PORT_IN_USE', /Port 24100/],
	['mkdir failed [No space left on device]', 'HEKAFS_NO_SPACE', /\/srv\/brick/],
	[
		'mismatching volume-id (x) received. already is a part of volume y ',
		'HEKAFS_BRICK_FAILED',
		/another filesystem/,
	],
	['Extended attribute trusted.glusterfs.volume-id is absent', 'HEKAFS_BRICK_FAILED', /is not a brick/],
	["Directory '/srv/brick' doesn't exist, exiting.", 'HEKAFS_BRICK_FAILED', /does not exist/],
	[
		'Failed to find parent dir (/srv/brick/.glusterfs) of index basepath /x. [No such file or directory]',
		'HEKAFS_BRICK_FAILED',
		/does not exist, or is not a brick/,
	],
	['Extended attribute not supported, exiting.', 'HEKAFS_BRICK_FAILED', /no trusted xattrs/],
	['binding to  failed: Cannot assign requested address', 'HEKAFS_BRICK_FAILED', /not one of this machine/],
	['something else', 'HEKAFS_BRICK_FAILED', /did not start/],
] as const;

for (const [message, code, expected] of CASES)
	test(`a start fails with: ${message}`, t => {
		const error = brickFailure(BRICK, 1, ['Initialization of volume failed.', message]);
		t.is(error.code, code);
		t.regex(error.message, expected);
		t.truthy(error.remedy);
		t.regex((error.cause as Error).message, /Initialization/);
	});

test('without a message the exit code is the cause, and the log is named', t => {
	const error = brickFailure(BRICK, 255, []);
	t.regex((error.cause as Error).message, /exit code 255/);
	t.regex(error.remedy ?? '', /brick\.log/);
});
