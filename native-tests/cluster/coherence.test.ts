/** What one node writes another node sees, within the second that a bare GlusterFS mount promises, whatever it has cached. */
import {setTimeout as delay} from 'node:timers/promises';
import {Cluster, config, ROOT, SENTINELS, untilSentinel} from '../support/cluster.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = [...LAB, 'gluster'] as const;

nativeTest(
	NEEDS,
	'changes in place, replacements, new and removed names reach a node that has them cached',
	async t => {
		await using cluster = await Cluster.serving(2, 1);
		const [h1, h2] = [cluster.host(1), cluster.host(2)];
		const sees = async (path: string, text: string | undefined, what: string): Promise<void> => {
			const startMs = performance.now();
			await waitFor(
				async () => {
					const read = await h1.exec(['cat', path]);
					return text === undefined ? read.exitCode !== 0 : read.stdout === text;
				},
				{deadlineMs: 5000, intervalMs: 20, what: `h1 sees ${what}`},
			);
			t.log(`${what}: ${Math.round(performance.now() - startMs)} ms`);
		};
		const file = `${ROOT}/shared`;
		await h1.writeFile(file, 'one\n');
		t.is(await h1.readFile(file), 'one\n');
		// The same size, in place: only the time stamp tells.
		for (const text of ['two\n', 'six\n']) {
			await h2.writeFile(file, text);
			await sees(file, text, `${text.trim()} written in place`);
		}
		await h2.shell(`echo ten > ${file}.new && mv ${file}.new ${file}`);
		await sees(file, 'ten\n', 'a replacement');
		await h2.shell(`echo more >> ${file}`);
		await sees(file, 'ten\nmore\n', 'an append');
		t.not((await h1.exec(['cat', `${ROOT}/new-name`])).exitCode, 0);
		await h2.shell(`echo here > ${ROOT}/new-name`);
		await sees(`${ROOT}/new-name`, 'here\n', 'a new name');
		await h2.run(['rm', file]);
		await sees(file, undefined, 'a removed name');
	},
);

/** The kernel keeps pages and listings beyond an open only of what has been left alone for so long (kept-pages.ts). */
const UNTIL_KEPT_MS = 11_000;

nativeTest(
	NEEDS,
	'what a node has kept for long is dropped when another node changes it, by read, stat and listing alike',
	async t => {
		await using cluster = await Cluster.serving(2, 1);
		const [h1, h2] = [cluster.host(1), cluster.host(2)];
		await h2.shell(`mkdir ${ROOT}/d && echo one > ${ROOT}/d/f && touch ${ROOT}/d/gone`);
		await delay(UNTIL_KEPT_MS);
		const looks: readonly [string, string, RegExp, RegExp][] = [
			['read', `cat ${ROOT}/d/f`, /one/, /two/],
			['listing', `ls ${ROOT}/d`, /gone/, /^f\nnew\n$/],
			['stat', `stat -c %a ${ROOT}/d/f`, /644/, /600/],
			['absent name', `ls ${ROOT}/d/new`, /^$/, /new/],
			['removed name', `ls ${ROOT}/d/gone`, /gone/, /^$/],
		];
		// Twice, so that the second time comes from what was kept.
		for (let i = 0; i < 2; i++)
			for (const [what, command, before] of looks)
				t.regex((await h1.exec(['sh', '-c', command])).stdout, before, what);
		await h2.shell(`cd ${ROOT}/d && printf 'two\\n' 1<> f && chmod 600 f && rm gone && touch new`);
		const changed = performance.now();
		for (const [what, command, , after] of looks) {
			await waitFor(async () => after.test((await h1.exec(['sh', '-c', command])).stdout), {
				deadlineMs: 5000,
				intervalMs: 20,
				what: `h1 sees the ${what}`,
			});
			t.log(`${what}: seen ${Math.round(performance.now() - changed)} ms after the last change`);
		}
		// Once seen, never again as it was.
		for (const end = performance.now() + 2000; performance.now() < end;)
			for (const [what, command, , after] of looks)
				t.regex((await h1.exec(['sh', '-c', command])).stdout, after, what);
	},
);

nativeTest(NEEDS, 'a record changed in place is seen by the control plane of every node', async t => {
	await using cluster = await Cluster.serving(2, 1);
	const [h1, h2] = [cluster.host(1), cluster.host(2)];
	await h2.writeFile('/run/by-hand.vol', await config(h2, 'volfile'));
	await h2.shell('mkdir -p /mnt/m && glusterfs -f /run/by-hand.vol -l /run/by-hand.log /mnt/m');
	const record = '/mnt/m/.hekafs/set';
	await waitFor(async () => (await h2.exec(['cat', record])).exitCode === 0, {
		deadlineMs: 10_000,
		what: 'the mount by hand',
	});
	const right = await h2.readFile(record);
	// The same size, so that only the time stamp tells.
	const wrong = right.replace('1', '9');
	t.not(wrong, right);
	await h2.writeFile(record, wrong);
	for (const host of [h1, h2]) await untilSentinel(host, 'writable', false, 5000);
	t.regex(await h1.readFile(`${SENTINELS}/reason`), /markers-unreadable/);
	await h2.writeFile(record, right);
	for (const host of [h1, h2]) await untilSentinel(host, 'writable', true, 20_000);
	await h2.run(['umount', '-l', '/mnt/m']);
});
