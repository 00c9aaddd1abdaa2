/** This node's brick: what it exports, when it is started and stopped. The state file says it first, then the brick does it. */
import {type NodeState} from '../membership/node-state.ts';
import {hasServer, sameSet, type ServerSet} from '../membership/server-set.ts';
import {type Node} from './node.ts';

/**
 * The set whose name this node's brick exports: that of a change that it has written down, else the one in use. Also a server
 * that leaves exports the new name until the change is concluded: what only it has is healed to those that stay, and
 * no client of the new set asks it. Undefined when it has no brick, or is not in the set in use.
 */
export const exportedSet = (state: NodeState | undefined, self: Node['self']): ServerSet | undefined => {
	if (state?.brick == null) return undefined;
	if (state.pending !== null) return state.pending.change.to;
	return hasServer(state.set, self) ? state.set : undefined;
};

export const exportsNow = (node: Node, set: ServerSet): boolean => {
	const exported = exportedSet(node.state, node.self);
	return exported !== undefined && sameSet(exported, set);
};

/** Starts this node's brick for `set`, if that is what it exports. The state is read in the brick's turn: it may have changed. */
export const startBrick = async (node: Node, set: ServerSet): Promise<boolean> =>
	node.withBrick(async () => {
		const directory = node.state?.brick?.directory;
		if (directory === undefined || !exportsNow(node, set)) return false;
		await node.ports.bricks.start(set, directory);
		node.problems.delete('brick');
		return true;
	});

/** The brick, and the self-heal daemon of the same set. */
export const startServing = async (node: Node, set: ServerSet): Promise<void> => {
	if (!(await startBrick(node, set))) return;
	// In the brick's turn: of two starts at once one fails for the other's pid file.
	await node.withBrick(async () => {
		if (exportsNow(node, set)) await node.ports.bricks.startSelfHeal(set);
	});
};

/** Ends a brick that exports another set than the state file says: after it no client of another set is served here (P1). */
export const fence = async (node: Node): Promise<void> =>
	node.withBrick(async () => {
		const {bricks} = node.ports;
		const set = exportedSet(node.state, node.self);
		const directory = node.state?.brick?.directory;
		if (set !== undefined && directory !== undefined && (await bricks.running(set, directory))) return;
		await bricks.stopSelfHeal();
		await bricks.stop();
	});

/** Ends the brick and moves its directory aside (P7). @returns where it is now */
export const dropBrick = async (node: Node, directory: string): Promise<string> =>
	node.withBrick(async () => {
		const {bricks} = node.ports;
		await bricks.stopSelfHeal();
		await bricks.stop();
		node.problems.delete('brick');
		return bricks.setAside(directory);
	});
