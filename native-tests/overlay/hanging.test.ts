/**
 * A backing that stops answering: sentinels must not notice (P5). The backing is another overlay, whose process is
 * stopped, just as a GlusterFS client may be.
 */
import test from 'ava';
import {start} from '../support/child.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

/** Lookups that hang, beside eight other requests; HEKAFS_HUNG_LOOKUPS sets another number. */
const LOOKUPS = Number(process.env['HEKAFS_HUNG_LOOKUPS'] ?? 12);

/** Stats a file again and again; prints the 99th percentile and the maximum in ms. */
const STAT_MANY = `import os,sys,time
ms=[]
for i in range(300):
    start=time.monotonic()
    try: os.stat(sys.argv[1])
    except FileNotFoundError: pass
    ms.append((time.monotonic()-start)*1000); time.sleep(0.002)
ms.sort(); print(round(ms[296],2),round(ms[-1],2))
`;

test.serial(
	'sentinels answer in milliseconds while the backing hangs, with every kind of request hanging',
	async t => {
		await withOverlay(t, async inner => {
			await withOverlay(
				t,
				async ({mnt, tell, ok, sh, stats}) => {
					await tell({do: 'switchTo', generation: 1, path: inner.mnt});
					await tell({do: 'open'});
					await ok('echo x >$M/f; mkdir $M/d; cat $M/f');
					process.kill(inner.pid, 'SIGSTOP');
					let hung;
					try {
						hung = [
							...Array.from({length: LOOKUPS}, (_, i) => start('/bin/cat', [`${mnt}/missing${i}`], 25_000)),
							...Array.from({length: 6}, (_, i) => start('/bin/mkdir', [`${mnt}/new${i}`], 25_000)),
							start('/bin/bash', ['-c', `echo x >'${mnt}/created'`], 25_000),
							start('/bin/ls', ['-l', mnt, `${mnt}/d`], 25_000),
						];
						await ok('sleep 0.5');
						for (const sentinel of ['writable', 'degraded', 'reason']) {
							const line = await ok(`python3 -c '${STAT_MANY}' $M/.hekafs/${sentinel}`);
							t.log(`${sentinel}: p99 and maximum ${line} ms`);
							t.true(Number(line.split(' ')[0]) < 20, line);
						}
						t.regex(await ok('cat $M/.hekafs/reason; ls $M/.hekafs; stat -c %F $M'), /directory/);
						await tell({do: 'refuse'});
						const refused = await sh('echo x >>$M/.hekafs/reason; ! test -e $M/.hekafs/writable');
						t.true(refused.code === 0 && refused.ms < 1000, String(refused.ms));
						// A client that is killed goes away, though its request hangs.
						const killed = hung[0]!;
						killed.child.kill('SIGKILL');
						t.true((await killed.result).ms < 9000);
						// The kernel lets one MKDIR at a time into a directory, and each would have its own deadline to wait for.
						// Without a backing what is still to come is answered from memory.
						await tell({do: 'detach'});
						for (const {result} of hung.slice(1)) {
							const {timedOut, code} = await result;
							t.false(timedOut);
							t.not(code, 0);
						}
					} finally {
						process.kill(inner.pid, 'SIGCONT');
					}
					await tell({do: 'switchTo', generation: 2, path: inner.mnt});
					await tell({do: 'open'});
					t.is(await ok('cat $M/f', 30_000), 'x');
					await ok('echo y >>$M/f; rm -rf $M/new* $M/created', 30_000);
					t.is((await stats()).inFlightMutations, 0);
					await tell({do: 'detach'});
				},
				{detached: true},
			);
		});
	},
);
