/** Makes a server set the one in use on this node: state file, brick, new generation beside the old one, overlay. */
import {HekafsError} from '../errors.ts';
import {formatReason} from '../membership/reason.ts';
import {hasServer, sameSet, type ServerSet} from '../membership/server-set.ts';
import {judge, type Verdict} from '../membership/verdict.ts';
import {lookThrough} from './look.ts';
import {readSecret} from './marker-store.ts';
import {type Node} from './node.ts';
import {type GenerationMount} from './ports.ts';

/** How long a new mount may take until it shows an agreed set: bricks that were just restarted need a moment. */
const AGREE_LIMIT_MS = 10_000;
const AGREE_POLL_MS = 100;

/** Remembers the set, before anything is started with it. The brick stays ours only if the set names us. */
export const rememberSet = (node: Node, set: ServerSet): void => {
	const {brick = null, retired = null, founding = false} = node.state ?? {};
	node.setState({
		format: 1,
		filesystemId: set.filesystemId,
		set,
		brick: hasServer(set, node.self) ? brick : null,
		founding,
		retired,
	});
};

/** Looks until the verdict is `agreed`, or says something that waiting won't change. */
export const untilAgreed = async (node: Node, mount: GenerationMount): Promise<Verdict> => {
	const deadline = node.ports.now() + AGREE_LIMIT_MS;
	for (;;) {
		const look = await lookThrough(mount);
		if (look.kind === 'local') throw new Error('BUG: a local directory has no set to agree on');
		const verdict: Verdict | undefined = look.kind === 'seen' ? judge(look.view) : undefined;
		if (verdict?.kind === 'agreed' || verdict?.kind === 'disagreed') return verdict;
		if (node.ports.now() > deadline || !(await mount.alive())) {
			const text =
				verdict?.reasons.map(formatReason).join('; ') ??
				(look.kind === 'failed' ? look.problem : 'it does not answer');
			throw new HekafsError(
				'HEKAFS_MOUNT_FAILED',
				`the config filesystem (epoch ${mount.set?.epoch ?? '?'}) can't be used: ${text}`,
			);
		}
		await new Promise(resolve => setTimeout(resolve, AGREE_POLL_MS));
	}
};

/** Gives a verified generation to the overlay and lets go of the old one. */
export const switchTo = async (node: Node, mount: GenerationMount): Promise<void> => {
	const old = node.current;
	await node.ports.overlay.switchTo(mount.generation, {path: mount.path});
	node.current = mount;
	node.look = await lookThrough(mount);
	node.answeredAtMs = node.ports.now();
	if (old !== undefined) void old.end();
	const secret = await readSecret(mount.store).catch(() => undefined);
	if (secret !== undefined) node.ports.stateStore.writeSecret(secret);
	node.ports.log(`generation ${mount.generation} in use, epoch ${mount.set?.epoch ?? 0}`);
};

const startServing = async (node: Node, set: ServerSet): Promise<void> => {
	const directory = node.state?.brick?.directory;
	if (directory === undefined) return;
	await node.ports.bricks.start(set, directory);
	await node.ports.bricks.startSelfHeal(set);
};

/**
 * Adopts `set`: a mount that is given has been verified by the caller's own means and is judged once more.
 * A set that the filesystem itself contradicts is not adopted; what it records instead is, if that is newer.
 * @throws HekafsError HEKAFS_MOUNT_FAILED; the generation in use stays as it was
 */
export const adopt = async (node: Node, set: ServerSet, given?: GenerationMount): Promise<void> => {
	rememberSet(node, set);
	await startServing(node, set);
	const mount = given ?? (await node.ports.mounts.mount(set));
	const verdict = await untilAgreed(node, mount).catch(async (error: unknown) => {
		await mount.end();
		throw error;
	});
	if (verdict.kind === 'agreed') {
		await switchTo(node, mount);
		return;
	}
	await mount.end();
	const recorded = verdict.kind === 'disagreed' ? verdict.recorded : undefined;
	if (recorded !== undefined && recorded.epoch > set.epoch && !sameSet(recorded, set)) {
		node.ports.log(`the filesystem records epoch ${recorded.epoch}; mounting that set`);
		await adopt(node, recorded);
		return;
	}
	throw new HekafsError(
		'HEKAFS_MOUNT_FAILED',
		`epoch ${set.epoch} is not what the filesystem records: ${verdict.reasons.map(formatReason).join('; ')}`,
	);
};
