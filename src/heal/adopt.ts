/** Makes a server set the one in use on this node: brick, new generation beside the old one, overlay, state file. */
import {HekafsError} from '../errors.ts';
import {formatReason} from '../membership/reason.ts';
import {hasServer, sameSet, type ServerSet} from '../membership/server-set.ts';
import {judge, type Verdict} from '../membership/verdict.ts';
import {type NodeState} from '../membership/node-state.ts';
import {sleep} from './clock.ts';
import {lookThrough} from './look.ts';
import {readSecret} from './marker-store.ts';
import {type Node} from './node.ts';
import {type GenerationMount} from './ports.ts';

/**
 * How long a new mount may take until it shows an agreed set: bricks that were just restarted need a moment, and while a
 * server does not answer at all, AFR waits 10 s for its word (afr_notify, observed).
 */
const AGREE_LIMIT_MS = 25_000;
const AGREE_POLL_MS = 100;

/** What this node's brick exports: the set of a change that is not recorded yet, else the one in use. */
export const exportedSet = (state: NodeState): ServerSet => state.next ?? state.set;

/** Writes down that the brick is about to export `set`, before it does: a restart must not undo the fence (P1). */
export const acceptNext = (node: Node, set: ServerSet): void => {
	const {state} = node;
	if (state === undefined) throw new Error('BUG: a node without a state has no brick to export a set with');
	node.setState({...state, next: sameSet(state.set, set) ? null : set});
};

/** The filesystem records `set`: it is the one in use. A brick stays ours only if the set names us. */
const rememberVerified = (node: Node, set: ServerSet): void => {
	const {brick = null, retired = null} = node.state ?? {};
	node.setState({
		format: 1,
		filesystemId: set.filesystemId,
		set,
		next: null,
		brick: hasServer(set, node.self) ? brick : null,
		founding: false,
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

/** Starts this node's brick for `set`, if it has one. */
export const startServing = async (node: Node, set: ServerSet): Promise<void> => {
	const directory = node.state?.brick?.directory;
	if (directory === undefined || !hasServer(set, node.self)) return;
	acceptNext(node, set);
	await node.ports.bricks.start(set, directory);
	await node.ports.bricks.startSelfHeal(set);
	node.problems.delete('brick');
};

/**
 * Adopts `set`. A set that the filesystem itself contradicts is not adopted; what it records instead is, if that is newer.
 * @throws HekafsError HEKAFS_MOUNT_FAILED; the generation in use stays as it was
 */
export const adopt = async (node: Node, set: ServerSet): Promise<void> => {
	await startServing(node, set);
	const mount = await node.ports.mounts.mount(set);
	const verdict = await untilAgreed(node, mount).catch(async (error: unknown) => {
		await mount.end();
		throw error;
	});
	if (verdict.kind === 'agreed') {
		await switchTo(node, mount, set);
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
		`epoch ${set.epoch} is not what the filesystem records: ${verdict.reasons.map(r => r.text).join('; ')}`,
	);
};

/**
 * A change whose acting node is not heard of any more left this brick exporting a set that may or may not be recorded.
 * The filesystem itself says: recorded, it is adopted; else the brick goes back to the set before. A majority of bricks
 * under the new name is needed to record it, so not all of them can go back once it is (docs/adr/0009-half-done-change.md).
 */
export const settleNext = async (node: Node, next: ServerSet): Promise<void> => {
	try {
		await adopt(node, next);
	} catch (error) {
		const set = node.state?.set;
		if (set === undefined) throw error;
		node.ports.log(`epoch ${next.epoch} was not recorded; back to epoch ${set.epoch}`);
		await startServing(node, set);
	}
};
