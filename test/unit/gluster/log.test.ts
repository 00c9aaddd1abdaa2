import test from 'ava';
import {errorMessages, parseLogLine} from '../../../src/gluster/log.ts';

const LOG = `[2026-11-23 06:48:13.658485 +0000] W [MSGID: 115024] [server.c:1337:server_init] 0-server: volfile-id argument not given. [{errno=22}]
[2026-11-23 06:48:13.658572 +0000] E [MSGID: 138001] [index.c:2427:init] 0-index: Failed to find parent dir (/b/.glusterfs) of index basepath /b/.glusterfs/indices. [No such file or directory]
[2026-11-23 06:48:03.278525 +0000] E [socket.c:938:__socket_server_bind] 0-tcp.server: binding to  failed: Cannot assign requested address
[2026-11-23 06:48:03.278525 +0000] E [socket.c:938:__socket_server_bind] 0-tcp.server: binding to  failed: Cannot assign requested address
+------------------------------------------------------------------------------+
  1: volume posix
[2026-11-23 06:48:03.279722 +0000] C [glusterfsd.c:1458:x] 0-: critical
`;

test('reads level, translator and message', t => {
	t.deepEqual(parseLogLine(LOG.split('\n')[0]!), {
		level: 'W',
		from: '0-server',
		message: 'volfile-id argument not given. [{errno=22}]',
	});
	t.is(parseLogLine('  1: volume posix'), undefined);
});

test('collects the errors, each once, in their order', t => {
	t.deepEqual(errorMessages(LOG), [
		'Failed to find parent dir (/b/.glusterfs) of index basepath /b/.glusterfs/indices. [No such file or directory]',
		'binding to  failed: Cannot assign requested address',
		'critical',
	]);
	t.deepEqual(errorMessages(''), []);
});
