/** A brick joins two others: marked, healed by self-heal daemons, in the end identical with them. */
import {execFileSync} from 'node:child_process';
import test from 'ava';
import {openBacking} from '../../src/backing/backing.ts';
import {HekafsError} from '../../src/errors.ts';
import {markNewBrick, type MarkOptions} from '../../src/gluster/add-brick-mark.ts';
import {countHeals} from '../../src/gluster/glfsheal.ts';
import {isShdRunning, startShd, stopShd} from '../../src/gluster/shd.ts';
import {EXPORTED, FILESYSTEM_ID, GlusterLab} from '../support/gluster-lab.ts';
import {nativeTest} from '../support/requirements.ts';
import {clientVolfile, shdVolfile, singleBrickVolfile} from '../support/volfiles.ts';
import {waitFor} from '../support/wait-for.ts';

const CALL = {timeoutMs: 15_000};
const FILES = 40;

test.beforeEach(t => t.timeout(240_000));

/** Every name of a brick with its kind, mode, owner and content, without GlusterFS's own directory. */
const contentOf = (directory: string): string =>
	execFileSync(
		'sh',
		[
			'-c',
			'find . -path ./.glusterfs -prune -o -printf "%P %y %m %U:%G\\n" | sort; find . -path ./.glusterfs -prune -o -type f -exec sha256sum {} + | sort -k2',
		],
		{cwd: directory, encoding: 'utf8', timeout: 20_000},
	);

const markOptions = (lab: GlusterLab): MarkOptions => ({
	volfile: clientVolfile(lab.bricks(3), EXPORTED, FILESYSTEM_ID),
	singleBrickVolfiles: lab.bricks(2).map(brick => singleBrickVolfile(brick, EXPORTED)),
	newClientName: 'cfs-3',
	childCount: 3,
	tmpDirectory: `${lab.directory}/run/mark`,
	logFile: lab.log('mark'),
});

const fill = async (lab: GlusterLab): Promise<void> => {
	const mount = await lab.mount(2);
	{
		await using backing = openBacking({root: mount.directory, connection: mount.connection});
		await waitFor(async () => backing.call('mkdir', ['d', 0o755], CALL).then(() => true), {
			deadlineMs: 10_000,
			what: 'the first write',
		});
		for (let n = 0; n < FILES; n++)
			await backing.call('writeAtomic', [`d/f${n}`, Buffer.from(`content ${n}\n`), 0o600], CALL);
	}
	await mount.unmount();
};

nativeTest(
	['root', 'fuse', 'gluster'],
	'a new brick is marked, listed at once and healed until identical',
	async t => {
		await using lab = await GlusterLab.make();
		for (const n of [1, 2, 3]) {
			await lab.prepare(n);
			if (n < 3) await lab.start(n);
		}
		await fill(lab);
		const absent = await t.throwsAsync(markNewBrick({...markOptions(lab), timeoutMs: 1500}), {
			instanceOf: HekafsError,
		});
		t.is(absent.code, 'HEKAFS_BRICK_FAILED', 'the new server is not up yet');
		await lab.start(3);
		t.is(await markNewBrick(markOptions(lab)), 'marked');
		t.is(await markNewBrick(markOptions(lab)), 'already-marked');
		const mount = await lab.mount(3);
		const volfile = clientVolfile(lab.bricks(3), EXPORTED, FILESYSTEM_ID);
		const counts = async () => countHeals({volfile, tmpDirectory: lab.runDirectory(1)});
		{
			await using backing = openBacking({root: mount.directory, connection: mount.connection});
			t.is(
				(await waitFor(() => backing.call('list', ['d'], CALL), {deadlineMs: 10_000, what: 'd'})).length,
				FILES,
			);
			const before = await counts();
			t.is(before.bricks.length, 3);
			t.true(before.bricks.every(brick => brick.connected));
			for (const n of [1, 2, 3])
				await startShd({
					volfile: shdVolfile(lab.bricks(3), EXPORTED, FILESYSTEM_ID),
					runDirectory: lab.runDirectory(n),
					logFile: lab.log(`shd${n}`),
				});
			t.true(await isShdRunning(lab.runDirectory(1)));
			await waitFor(
				async () => {
					const {pending, splitBrain} = await counts();
					t.is(splitBrain, 0);
					return pending === 0 && contentOf(lab.brick(3).directory) === contentOf(lab.brick(1).directory);
				},
				{deadlineMs: 120_000, intervalMs: 1000, what: 'all healed'},
			);
		}
		t.is(contentOf(lab.brick(2).directory), contentOf(lab.brick(1).directory));
		t.true(contentOf(lab.brick(3).directory).includes(`d/f${FILES - 1} f 600 0:0`));
		await mount.unmount();
		for (const n of [1, 2, 3]) {
			t.true(await stopShd(lab.runDirectory(n)));
			t.true(await lab.stop(n));
		}
		t.deepEqual(await lab.leftovers(), []);
		const none = await t.throwsAsync(counts(), {instanceOf: HekafsError});
		t.is(none.code, 'HEKAFS_PEER_UNREACHABLE');
	},
);
