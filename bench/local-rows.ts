/** The rows over a local directory: the directory itself, bindfs, fuse-native, hekafsd. */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {run} from '../native-tests/support/child.ts';
import {LocalDaemon} from '../native-tests/support/local-daemon.ts';
import {hasProgram} from '../native-tests/support/installed.ts';
import {waitFor} from '../native-tests/support/wait-for.ts';
import {type Row, Rows} from './row.ts';

const FUSE_NATIVE = fileURLToPath(new URL('fuse-native-passthrough.js', import.meta.url));
const MOUNT_DEADLINE_MS = 15_000;

/** Seconds that the kernel may keep attributes and names. */
export type CacheSeconds = 0 | 1;

const isMounted = (mountpoint: string): boolean =>
	readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${mountpoint} `);

/** A program that serves a mount in the foreground until SIGTERM. */
const served = async (name: string, mountpoint: string, argv: readonly string[]): Promise<Row> => {
	const child: ChildProcess = spawn(argv[0]!, argv.slice(1), {stdio: ['ignore', 'ignore', 'inherit']});
	const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
	child.once('error', () => undefined);
	await waitFor(() => Promise.resolve(isMounted(mountpoint)), {
		deadlineMs: MOUNT_DEADLINE_MS,
		what: `${name} is mounted`,
	});
	return {
		name,
		directory: mountpoint,
		pids: [child.pid!],
		async [Symbol.asyncDispose]() {
			await run('umount', ['-l', mountpoint]);
			child.kill('SIGTERM');
			const late = setTimeout(() => child.kill('SIGKILL'), 5000);
			await ended;
			clearTimeout(late);
		},
	};
};

const bindfs = (name: string, backing: string, mountpoint: string, seconds: CacheSeconds): Promise<Row> => {
	const options = `attr_timeout=${seconds},entry_timeout=${seconds}`;
	return served(name, mountpoint, ['bindfs', '-f', '-o', options, backing, mountpoint]);
};

const fuseNative = (name: string, backing: string, mountpoint: string, seconds: CacheSeconds): Promise<Row> =>
	served(name, mountpoint, [process.execPath, FUSE_NATIVE, backing, mountpoint, String(seconds)]);

/** A whole hekafsd over a directory that exists. */
export const hekafsd = async (
	name: string,
	backing: string,
	seconds: CacheSeconds,
	alsoServing: readonly number[] = [],
): Promise<Row> => {
	const daemon = new LocalDaemon();
	const running = await daemon.start({
		'--backend': `local:${backing}`,
		'--attr-timeout': String(seconds),
		'--entry-timeout': String(seconds),
	});
	const writable = join(daemon.mountpoint, '.hekafs', 'writable');
	await waitFor(async () => (await run('stat', [writable])).code === 0, {
		deadlineMs: MOUNT_DEADLINE_MS,
		what: `${name} admits writes`,
	});
	return {
		name,
		directory: daemon.mountpoint,
		pids: [running.child.pid!, ...alsoServing],
		[Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
	};
};

/** A directory as it is; what it lies on is somebody else's. */
export const plainDirectory = (name: string, directory: string, pids: readonly number[] = []): Row => ({
	name,
	directory,
	pids,
	[Symbol.asyncDispose]: () => Promise.resolve(),
});

/** @throws Error when the module is missing */
const assertFuseNative = async (): Promise<void> => {
	const {code} = await run(process.execPath, ['-e', "require('fuse-native')"]);
	if (code !== 0) throw new Error('the optional package fuse-native is not installed: npm install');
};

/**
 * Starts the local rows.
 * @param directory where backing directories and mount points are made
 * @throws Error naming what the machine lacks
 */
export const startLocalRows = async (directory: string): Promise<Rows> => {
	if (!hasProgram('bindfs')) throw new Error('bindfs is missing: apt-get install bindfs');
	await assertFuseNative();
	const rows = new Rows();
	const place = (name: string): {readonly backing: string; readonly mountpoint: string} => {
		const [backing, mountpoint] = [join(directory, `${name}-back`), join(directory, `${name}-mnt`)];
		for (const made of [backing, mountpoint]) mkdirSync(made);
		return {backing, mountpoint};
	};
	try {
		rows.add(plainDirectory('backing', place('backing').backing));
		for (const seconds of [1, 0] as const) {
			for (const [kind, start] of [
				['bindfs', bindfs],
				['fuse-native', fuseNative],
			] as const) {
				const name = `${kind}, ${seconds} s`;
				const {backing, mountpoint} = place(`${kind}-${seconds}`);
				rows.add(await start(name, backing, mountpoint, seconds));
			}
			rows.add(await hekafsd(`overlay, ${seconds} s`, place(`overlay-${seconds}`).backing, seconds));
		}
		return rows;
	} catch (error) {
		await rows[Symbol.asyncDispose]();
		throw error;
	}
};
