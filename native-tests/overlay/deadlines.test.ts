/** Each class of requests has its own deadline, and an overdue one is answered ETIMEDOUT while its thread still hangs. */
import {writeFileSync} from 'node:fs';
import test from 'ava';
import {start} from '../support/child.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

/** Opens the file, waits to be told, and says how a write ends and after how many seconds. */
const WRITE_WHEN_TOLD = `import errno, os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY)
open(sys.argv[2] + '/ready', 'w').close()
while not os.path.exists(sys.argv[2] + '/go'): time.sleep(0.05)
start = time.monotonic()
try: os.write(fd, b'x'); how = 'written'
except OSError as error: how = errno.errorcode[error.errno]
print(how, round(time.monotonic() - start, 2))
`;

test.serial('reads, writes and lock waits end after the time of their class', async t => {
	await withOverlay(t, async inner => {
		await withOverlay(
			t,
			async ({mnt, tell, ok}) => {
				await tell({do: 'switchTo', generation: 1, path: inner.mnt});
				await tell({do: 'open'});
				await ok(': >$M/f; mkdir $M/d; cat $M/f');
				const holder = start('flock', [`${mnt}/f`, 'sleep', '30'], 40_000);
				await ok('until ! flock -n $M/f true; do sleep 0.05; done');
				const waiter = await start('flock', [`${mnt}/f`, 'true'], 20_000).result;
				t.regex(waiter.stderr, /timed out/);
				t.true(waiter.ms > 1400 && waiter.ms < 6000, `a lock: ${waiter.ms} ms`);
				holder.child.kill('SIGKILL');
				await holder.result;
				const writer = start('python3', ['-c', WRITE_WHEN_TOLD, `${mnt}/f`, inner.back], 40_000);
				await ok(`until test -e ${inner.back}/ready; do sleep 0.05; done`);
				process.kill(inner.pid, 'SIGSTOP');
				try {
					// One after the other: in the kernel a lookup waits for a change in the same directory.
					const read = await start('stat', [`${mnt}/d/missing`], 20_000).result;
					t.regex(read.stderr, /timed out/);
					t.true(read.ms > 700 && read.ms < 3500, `a read: ${read.ms} ms`);
					writeFileSync(`${inner.back}/go`, '');
					const [error, seconds] = (await writer.result).stdout.trim().split(' ');
					t.is(error, 'ETIMEDOUT');
					t.true(Number(seconds) > 3.5 && Number(seconds) < 15, `a write: ${seconds} s`);
				} finally {
					process.kill(inner.pid, 'SIGCONT');
				}
				await ok('until cat $M/f; do sleep 0.1; done', 15_000);
				await tell({do: 'detach'});
			},
			{detached: true, deadlines: {readsMs: 1000, writesMs: 4000, lockWaitsMs: 1500}},
		);
	});
});
