/** An owner of the truth says what has changed below: the kernel drops what it would have kept for an hour. */
import test from 'ava';
import {withOverlay} from '../support/overlay-under-test.ts';

const HOUR_MS = 3_600_000;

test.serial('changed files and names are seen once they are told, and not before', async t => {
	await withOverlay(
		t,
		async ({ok, tell, back}) => {
			const inoOf = async (path: string): Promise<string> => ok(`stat -c %i ${path}`);
			await ok('cd $B; mkdir d; echo old >f; echo old >d/f; echo a >a; echo doomed >gone');
			const see = async (): Promise<string> =>
				ok('cd $M; stat -c %s f d/f; stat -c %i a; test -e gone && echo there || echo gone');
			const first = await see();
			t.is(
				await ok(`exec 5<$M/f; cat <&5; python3 - $M/f <<'PY'
import mmap, sys
with open(sys.argv[1], 'rb') as f: print(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:3])
PY`),
				"old\nb'old'",
			);
			await ok('cd $B; echo longer >f; echo longer >d/f; echo b >b; mv b a; rm gone');
			t.is(await see(), first, 'nobody has said anything');
			t.true(await tell({do: 'fileChanged', ino: await inoOf(`${back}/f`)}));
			t.true(await tell({do: 'fileChanged', ino: await inoOf(`${back}/d/f`)}));
			t.regex(await see(), /^7\n7\n/);
			t.is(await ok('cat $M/f $M/d/f'), 'longer\nlonger');
			const root = await inoOf(back);
			for (const name of ['a', 'gone']) t.true(await tell({do: 'nameChanged', ino: root, name}));
			t.is(await see(), `7\n7\n${await inoOf(`${back}/a`)}\ngone`);
			t.false(
				await tell({do: 'fileChanged', ino: '4711471147114711'}),
				'a file that the kernel does not know',
			);
			await ok('rm $B/d/f');
			t.true(await tell({do: 'nameChanged', ino: await inoOf(`${back}/d`), name: 'f'}));
			await ok('! test -e $M/d/f; test -z "$(ls $M/d)"');
		},
		{attrTimeoutMs: HOUR_MS},
	);
});
