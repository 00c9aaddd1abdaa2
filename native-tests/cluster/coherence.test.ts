/** What one node writes another node sees, within the second that a bare GlusterFS mount promises, whatever it has cached. */
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
