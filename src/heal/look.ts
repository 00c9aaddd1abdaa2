/** One look through the mount in use: who is connected, what the filesystem says about itself. */
import {describeError, errorCodeOf} from '../errors.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {hasQuorum, type ServerSet} from '../membership/server-set.ts';
import {type MountView} from '../membership/verdict.ts';
import {readStoredSet} from './marker-store.ts';
import {type GenerationMount} from './ports.ts';

/** `silent`: the mount did not answer within the deadline. `failed`: it answered with an error, such as ENOTCONN. */
export type Look =
	| {readonly kind: 'seen'; readonly view: MountView}
	| {readonly kind: 'silent'}
	| {
			readonly kind: 'failed';
			readonly problem: string;
			readonly set: ServerSet;
			/** Servers whose bricks take connections: when quorum is lost, the mount itself tells nothing (GLUSTER.md 3). */
			readonly reachable: ReadonlySet<NodeUuid>;
	  }
	| {readonly kind: 'local'};

/**
 * A brick that comes back under writers makes GlusterFS fail the whole mount for up to 1.5 s ("no read subvols for /",
 * observed), although a quorum can be reached. For so long writers wait, as for a server that is silent.
 */
export const FAILURE_TOLERATED_MS = 3000;

/** Whether a failed look is one that passes by itself as a rule. Pure. @param failedForMs since the mount last answered */
export const passes = (look: Look | undefined, failedForMs: number): boolean =>
	look?.kind === 'failed' && failedForMs < FAILURE_TOLERATED_MS && hasQuorum(look.set, look.reachable);

/** Never rejects. */
export const lookThrough = async (mount: GenerationMount): Promise<Look> => {
	try {
		if (mount.set === undefined) {
			await mount.looking.list('');
			return {kind: 'local'};
		}
		const up = await mount.up();
		const {record, markers} = await readStoredSet(mount.looking);
		return {kind: 'seen', view: {generation: mount.generation, mounted: mount.set, up, record, markers}};
	} catch (error) {
		if (mount.set === undefined || errorCodeOf(error) === 'HEKAFS_TIMEOUT') return {kind: 'silent'};
		return {
			kind: 'failed',
			problem: describeError(error).split('\n', 1)[0]!,
			set: mount.set,
			reachable: await mount.reachable(),
		};
	}
};
