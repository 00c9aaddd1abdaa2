/** The filesystems that the behaviour tests run over, each seen from two nodes: a local directory and GlusterFS. */
import {chmodSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type ClientMount} from '../../src/gluster/client-mount.ts';
import {runOrThrow} from './run-command.ts';
import {GlusterLab} from './gluster-lab.ts';
import {nativeTest} from './requirements.ts';

const BRICKS = 3;

/** One empty directory as two nodes see it: the same path twice when it is local. */
export interface TwoSides {
	readonly kind: 'local' | 'GlusterFS';
	readonly one: string;
	readonly two: string;
}

/** Three bricks and two mounts on this machine, made by the first test that wants them. */
let running:
	Promise<{readonly lab: GlusterLab; readonly mounts: readonly [ClientMount, ClientMount]}> | undefined;
let directories = 0;

const startGluster = async (): NonNullable<typeof running> => {
	const lab = await GlusterLab.make();
	for (let n = 1; n <= BRICKS; n++) {
		await lab.prepare(n);
		await lab.start(n);
	}
	const mounts = [await lab.mount(BRICKS), await lab.mount(BRICKS)] as const;
	// Other users than root take part.
	for (const below of ['', 'run', 'run/gen']) chmodSync(join(lab.directory, below), 0o755);
	return {lab, mounts};
};

/** To be called once by each test file that uses `overEach`. */
export const endBackings = (): void => {
	test.after.always('GlusterFS ends', async () => {
		if (running === undefined) return;
		const {lab, mounts} = await running;
		for (const mount of mounts) await mount.unmount();
		await lab[Symbol.asyncDispose]();
	});
};

const onGluster = async (body: (sides: TwoSides) => Promise<void>): Promise<void> => {
	const {mounts} = await (running ??= startGluster());
	const name = `t${++directories}`;
	const [one, two] = mounts.map(mount => join(mount.directory, name)) as [string, string];
	// From a child: this process must not hang on a mount. The other mount may not know the name for a second.
	await runOrThrow([], ['sh', '-c', `mkdir ${one} && until test -d ${two}; do sleep 0.1; done`], {
		timeoutMs: 10_000,
	});
	await body({kind: 'GlusterFS', one, two});
	await runOrThrow([], ['rm', '-rf', one], {timeoutMs: 30_000});
};

const onLocal = async (body: (sides: TwoSides) => Promise<void>): Promise<void> => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-local-'));
	chmodSync(directory, 0o755);
	try {
		await body({kind: 'local', one: directory, two: directory});
	} finally {
		await rm(directory, {recursive: true, force: true});
	}
};

type Body = (t: ExecutionContext, sides: TwoSides) => Promise<void>;

/** Registers the test over a fresh directory of a replicated GlusterFS. */
export const overGluster = (title: string, body: Body): void => {
	nativeTest(['root', 'fuse', 'gluster'], `GlusterFS: ${title}`, async t =>
		onGluster(async sides => body(t, sides)),
	);
};

/** Registers the test twice: over a fresh local directory and over GlusterFS. */
export const overEach = (title: string, body: Body): void => {
	test.serial(`local: ${title}`, async t => onLocal(async sides => body(t, sides)));
	overGluster(title, body);
};
