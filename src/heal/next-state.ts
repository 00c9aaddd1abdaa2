/** What a node remembers after it has verified a set, or was retired. Pure. */
import {type NodeState} from '../membership/node-state.ts';
import {sameSet, type ServerSet} from '../membership/server-set.ts';

/**
 * The filesystem records `set`: it is the one in use. A brick stays remembered also where the set does not name this node: one that
 * is joining has it before, and one that was retired has to move it aside.
 */
export const verifiedState = (before: NodeState | undefined, set: ServerSet): NodeState => ({
	format: 2,
	filesystemId: set.filesystemId,
	set,
	closed: before !== undefined && sameSet(before.set, set) ? before.closed : 0,
	// A change that is under way from this very set goes on.
	pending: before?.pending != null && sameSet(before.pending.change.from, set) ? before.pending : null,
	brick: before?.brick ?? null,
	founding: false,
	retired: before?.retired ?? null,
});

/** The set in use does not have this node; its brick was moved to `directory`. @param at ISO 8601 */
export const retiredState = (set: ServerSet, directory: string, at: string): NodeState => ({
	format: 2,
	filesystemId: set.filesystemId,
	set,
	closed: 0,
	pending: null,
	brick: null,
	founding: false,
	retired: {epoch: set.epoch, at, directory},
});
