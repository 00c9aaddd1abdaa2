/** Very large directories that change, other filesystems below, what is refused on purpose, and what a write costs. */
import {endBackings, overEach} from '../support/backings.ts';
import {withOverlay} from '../support/overlay-under-test.ts';

/** HEKAFS_ENTRIES sets another number; GlusterFS takes some minutes to make 100,000. */
const ENTRIES = {local: 100_000, GlusterFS: 3000};

/** Lists the directory while another process adds and removes names: what stays is seen once, what is seen was there. */
const LIST_WHILE_CHANGING = `import os, sys, subprocess, time
mnt, back, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
changer = subprocess.Popen([sys.executable, "-c", """
import os, sys
n = 0
while os.path.exists(sys.argv[1] + '/go'):
    open(f'{sys.argv[1]}/new{n}', 'w').close()
    if n >= 50: os.unlink(f'{sys.argv[1]}/new{n - 50}')
    n += 1
print(n)
""", back], stdout=subprocess.PIPE, text=True)
stay = {f'n{i}' for i in range(count)}
end, turn = time.monotonic() + 2, 0
while turn < 3 or time.monotonic() < end:
    turn += 1
    names = [entry.name for entry in os.scandir(mnt)]
    assert len(names) == len(set(names)), 'a name came twice'
    assert stay <= set(names), (turn, len(stay - set(names)))
    assert all(name.startswith('new') for name in set(names) - stay - {'go'})
os.unlink(back + '/go')
print(int(changer.communicate()[0]) > 20)
`;

endBackings();

overEach('a large directory is listed while it changes', async (t, {kind, one}) => {
	t.timeout(300_000);
	const entries = Number(process.env['HEKAFS_ENTRIES'] ?? ENTRIES[kind]);
	await withOverlay(
		t,
		async ({ok}) => {
			await ok(`mkdir $B/d; cd $B/d; touch go; seq -f n%.0f 0 ${entries - 1} | xargs touch`, 240_000);
			t.is(
				await ok(
					`python3 - $M/d $B/d ${entries} <<'PY'
${LIST_WHILE_CHANGING}PY`,
					120_000,
				),
				'True',
			);
			await ok('cd $B/d; find . -type f -delete', 240_000);
		},
		{backing: one},
	);
});

overEach('another filesystem mounted below is refused: its inode numbers are not ours', async (t, {one}) => {
	await withOverlay(
		t,
		async ({ok, sh}) => {
			await ok('mkdir $B/other $B/mine; mount -t tmpfs none $B/other; echo x >$B/other/f');
			try {
				for (const name of ['other', 'other/f', 'other/new'])
					t.regex((await sh(`stat $M/${name}`)).stderr, /Invalid cross-device link/);
				t.regex((await sh('echo x >$M/other/new')).stderr, /Invalid cross-device link/);
				t.is(
					await ok('ls $M; touch $M/mine/f; ls -d $M/mine/*'),
					`mine\nother\n$M/mine/f`.replace('$M', await ok('echo $M')),
				);
			} finally {
				await ok('umount $B/other');
			}
			await ok('test ! -e $B/other/new; sleep 1.1; touch $M/other/f; test -e $B/other/f');
		},
		{backing: one},
	);
});

overEach('ACLs and file capabilities are refused, and nobody takes them for kept', async (t, {one}) => {
	await withOverlay(
		t,
		async ({ok}) => {
			const answers = await ok(`: >$M/f; mkdir $M/d; python3 - $M <<'PY'
import errno, os, struct, sys
def attempt(call, *args):
    try: return call(*args)
    except OSError as error: return errno.errorcode[error.errno]
path = sys.argv[1] + '/f'
acl = struct.pack('<I' + 'HHI' * 5, 2, 1, 6, 2**32 - 1, 2, 6, 1000, 4, 4, 2**32 - 1, 16, 6, 2**32 - 1, 32, 4, 2**32 - 1)
print(attempt(os.setxattr, path, 'system.posix_acl_access', acl), attempt(os.setxattr, sys.argv[1] + '/d', 'system.posix_acl_default', acl))
print(attempt(os.getxattr, path, 'system.posix_acl_access'), os.listxattr(path))
print(attempt(os.setxattr, path, 'security.capability', struct.pack('<5I', 0x2000001, 1 << 10, 0, 0, 0)), attempt(os.getxattr, path, 'security.capability'))
print(attempt(os.setxattr, path, 'trusted.a', b'1'))
PY`);
			t.is(answers, ['ENOTSUP ENOTSUP', 'ENOTSUP []', 'ENOTSUP ENODATA', 'ENOTSUP'].join('\n'));
		},
		{backing: one},
	);
});

overEach('a write is one request: no look for set-id bits or capabilities before it', async (t, {one}) => {
	await withOverlay(
		t,
		async ({ok, stats}) => {
			await ok('touch $M/f; chmod 666 $M/f');
			const before = await stats();
			await ok(`python3 - $M/f <<'PY'
import os, sys
os.setgroups([]), os.setgid(1000), os.setuid(1000)
fd = os.open(sys.argv[1], os.O_WRONLY)
for i in range(200): os.pwrite(fd, b'x', i)
PY`);
			const requests = (await stats()).requests - before.requests;
			t.log(`200 writes took ${requests} requests`);
			t.true(requests >= 200 && requests < 220, String(requests));
		},
		{backing: one},
	);
});
