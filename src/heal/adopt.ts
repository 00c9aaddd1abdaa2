/** Makes a server set the one in use on this node: brick, new generation beside the old one, overlay, state file. */
import {HekafsError} from '../errors.ts';
import {formatReason} from '../membership/reason.ts';
import {hasServer, sameSet, type ServerSet} from '../membership/server-set.ts';
import {judge, type Verdict} from '../membership/verdict.ts';
import {sleep} from './clock.ts';
import {lookThrough} from './look.ts';
import {readSecret} from './marker-store.ts';
import {verifiedState} from './next-state.ts';
import {type Node} from './node.ts';
import {type GenerationMount} from './ports.ts';
import {startBrick, startServing} from './serving.ts';

/**
 * How long a new mount may take until it shows an agreed set: bricks that were just restarted need a moment, and while a
 * server does not answer at all, AFR waits 10 s for its word (afr_notify, observed).
 */
const AGREE_LIMIT_MS = 25_000;
const AGREE_POLL_MS = 100;

const rememberVerified = (node: Node, set: ServerSet): void => node.setState(verifiedState(node.state, set));

/** Looks until the verdict is `agreed`, or says something that waiting won't change. */
export const untilAgreed = async (node: Node, mount: GenerationMount): Promise<Verdict> => {
	const deadline = node.ports.now() + AGREE_LIMIT_MS;
	for (;;) {
		const look = await lookThrough(mount);
		if (look.kind === 'local') throw new Error('BUG: a local directory has no set to agree on');
		const verdict: Verdict | undefined = look.kind === 'seen' ? judge(look.view) : undefined;
		if (verdict?.kind === 'agreed' || verdict?.kind === 'disagreed') return verdict;
		const outdated = node.heardEpoch > (mount.set?.epoch ?? 0);
		if (outdated || node.ports.now() > deadline || !(await mount.alive())) {
			const text =
				verdict?.reasons.map(formatReason).join('; ') ??
				(look.kind === 'failed' ? look.problem : 'it does not answer');
			throw new HekafsError(
				'HEKAFS_MOUNT_FAILED',
				`the config filesystem (epoch ${mount.set?.epoch ?? '?'}) can't be used: ${text}`,
			);
		}
		await sleep(node.ports, AGREE_POLL_MS);
	}
};

/** Gives a verified generation to the overlay and lets go of the old one. */
export const switchTo = async (node: Node, mount: GenerationMount, set: ServerSet): Promise<void> => {
	const old = node.current;
	await node.ports.overlay.switchTo(mount.generation, {path: mount.path});
	node.current = mount;
	rememberVerified(node, set);
	node.look = await lookThrough(mount);
	node.answeredAtMs = node.ports.now();
	node.problems.delete('mount');
	if (old !== undefined) void old.end();
	const secret = await readSecret(mount.looking).catch(() => undefined);
	if (secret !== undefined) node.ports.stateStore.writeSecret(secret);
	node.ports.log(`generation ${mount.generation} in use, epoch ${set.epoch}`);
};

/**
 * Adopts `set`. A set that the filesystem itself contradicts is not adopted; what it records instead is, if that is newer.
 * This node's brick takes another name only once the set is verified, unless it waits for just this set.
 * @throws HekafsError HEKAFS_MOUNT_FAILED; the generation in use stays as it was
 */
export const adopt = async (node: Node, set: ServerSet): Promise<void> => {
	await startBrick(node, set);
	const mount = await node.ports.mounts.mount(set);
	const verdict = await untilAgreed(node, mount).catch(async (error: unknown) => {
		await mount.end();
		throw error;
	});
	if (verdict.kind === 'agreed') {
		await switchTo(node, mount, set);
		await startServing(node, set);
		return;
	}
	await mount.end();
	const recorded = verdict.kind === 'disagreed' ? verdict.recorded : undefined;
	if (recorded !== undefined && recorded.epoch > set.epoch && !sameSet(recorded, set)) {
		node.ports.log(`the filesystem records epoch ${recorded.epoch}; mounting that set`);
		await adoptRecorded(node, recorded);
		return;
	}
	throw new HekafsError(
		'HEKAFS_MOUNT_FAILED',
		`epoch ${set.epoch} is not what the filesystem records: ${verdict.reasons.map(r => r.text).join('; ')}`,
	);
};

/** Adopts a set that this node has read in the filesystem, through a mount with quorum: its brick may be needed for it. */
export const adoptRecorded = async (node: Node, set: ServerSet): Promise<void> => {
	if (node.state !== undefined && hasServer(set, node.self)) rememberVerified(node, set);
	await adopt(node, set);
};
