/**
 * Marks a new, empty brick as one that must be healed from the others, before any ordinary mount of the new set exists:
 * without that nothing is healed to it and it shows an empty root (GlusterFS heals only what is blamed). This is what
 * glusterd's add-brick does: a client with pid -12 sets `trusted.add-brick` (afr-inode-write.c).
 */
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {openBacking, type Backing} from '../backing/backing.ts';
import {errorCodeOf, HekafsError} from '../errors.ts';
import {mountGeneration, type ClientMount} from './client-mount.ts';
import {parseReplicateState, REPLICATE_META} from './meta.ts';

export interface MarkOptions {
	/** Client volfile of the new set. */
	readonly volfile: string;
	/** Volfiles with one protocol/client each, for the servers of the old set. */
	readonly singleBrickVolfiles: readonly string[];
	/** Client translator of the new brick: `cfs-<uuid>`. */
	readonly newClientName: string;
	/** Servers in the new set. */
	readonly childCount: number;
	/** Our own directory for mount points, pid files and volfiles; below the run directory, so that `cleanStale` finds them. */
	readonly tmpDirectory: string;
	readonly logFile: string;
	/** For each of the steps. */
	readonly timeoutMs?: number;
	readonly signal?: AbortSignal;
}

/** GF_CLIENT_PID_ADD_REPLICA_MOUNT: others get EPERM for `trusted.add-brick`. */
const ADD_BRICK_CLIENT_PID = -12;
const ADD_BRICK_XATTR = 'trusted.add-brick';
const DEFAULT_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const MAX_META_BYTES = 65_536;

const failed = (o: MarkOptions, why: string, cause?: unknown): HekafsError =>
	new HekafsError('HEKAFS_BRICK_FAILED', `Can't mark the new brick ${o.newClientName}: ${why}`, {
		cause,
		remedy: 'All servers of the new set must be up and reachable. Nothing was changed; try again.',
	});

/** Mounts, works through a thread with deadlines, and takes everything away again, also when calls hang. */
const withMount = async <T>(
	o: MarkOptions,
	name: string,
	volfile: string,
	work: (backing: Backing) => Promise<T>,
): Promise<T> => {
	const mount: ClientMount = await mountGeneration({
		volfile,
		directory: join(o.tmpDirectory, name),
		runDirectory: o.tmpDirectory,
		name,
		logFile: o.logFile,
		clientPid: ADD_BRICK_CLIENT_PID,
	});
	const backing = openBacking({root: mount.directory, connection: mount.connection});
	try {
		return await work(backing);
	} finally {
		if (backing.silent) await mount.abort();
		await backing[Symbol.asyncDispose]();
		await mount.unmount();
	}
};

/**
 * Repeats `look` until it gives a value. Errors of a mount whose servers are not (yet) reachable count as "not yet".
 * @throws the last such error, or `failed`, when the time is over
 */
const until = async <T>(o: MarkOptions, what: string, look: () => Promise<T | undefined>): Promise<T> => {
	const deadline = performance.now() + (o.timeoutMs ?? DEFAULT_TIMEOUT_MS);
	for (;;) {
		o.signal?.throwIfAborted();
		let last: unknown;
		try {
			const value = await look();
			if (value !== undefined) return value;
		} catch (error) {
			if (errorCodeOf(error) !== 'HEKAFS_MOUNT_LOST') throw error;
			last = error;
		}
		if (performance.now() >= deadline) throw failed(o, what, last);
		await delay(POLL_MS);
	}
};

/**
 * Whether a replication xattr of the root is the mark: all three of its counters (data, metadata, entries) are set.
 * Blame that is left from an earlier time of the same server in the set has no data counter: a directory has no data.
 */
export const isMarkValue = (value: Buffer | null): boolean =>
	value?.length === 12 && [0, 4, 8].every(at => value.readUInt32BE(at) !== 0);

const isMarkedOn = async (o: MarkOptions, volfile: string, index: number): Promise<boolean> =>
	withMount(o, `mark-check-${index}`, volfile, async backing =>
		until(o, `server ${index + 1} of the old set does not answer`, async () =>
			isMarkValue(
				await backing.call('getxattr', ['', `trusted.afr.${o.newClientName}`], {
					timeoutMs: CALL_TIMEOUT_MS,
				}),
			),
		),
	);

/** Whether every server of the old set bears the mark of the new brick. */
export const isMarked = async (o: MarkOptions): Promise<boolean> => {
	const marks = await Promise.allSettled(
		o.singleBrickVolfiles.map(async (volfile, index) => isMarkedOn(o, volfile, index)),
	);
	// All are waited for: a mount must not outlive this call.
	for (const mark of marks) if (mark.status === 'rejected') throw mark.reason;
	return marks.every(mark => mark.status === 'fulfilled' && mark.value);
};

const mark = async (o: MarkOptions): Promise<void> =>
	withMount(o, 'mark', o.volfile, async backing => {
		await until(o, 'not all servers of the new set are up', async () => {
			const text = await backing.call('read', [REPLICATE_META, MAX_META_BYTES], {
				timeoutMs: CALL_TIMEOUT_MS,
			});
			const state = text === null ? undefined : parseReplicateState(text.toString());
			if (state === undefined) return undefined;
			if (state.childCount !== o.childCount || !state.pendingKeys.includes(`trusted.afr.${o.newClientName}`))
				throw failed(o, 'the mounted set is not the new one');
			return state.up.every(Boolean) ? true : undefined;
		});
		await backing.call('setxattr', ['', ADD_BRICK_XATTR, Buffer.from(o.newClientName)], {
			timeoutMs: CALL_TIMEOUT_MS,
		});
	});

/**
 * Marks the new brick and verifies the mark on every server of the old set. May be repeated: what is already marked is
 * left alone.
 * @throws HEKAFS_BRICK_FAILED · HEKAFS_TIMEOUT · HEKAFS_MOUNT_LOST · what `mountGeneration` throws; no mount is left behind
 */
export const markNewBrick = async (o: MarkOptions): Promise<'marked' | 'already-marked'> => {
	if (o.singleBrickVolfiles.length === 0) throw new TypeError('there is no old server to heal from');
	if (await isMarked(o)) return 'already-marked';
	await mark(o);
	if (!(await isMarked(o))) throw failed(o, 'not every old server shows the mark');
	return 'marked';
};
