/** The names that volfiles, bricks and mounts agree on. */
import {type NodeUuid} from '../membership/ids.ts';
import {type ServerSet, setIdOf} from '../membership/server-set.ts';

/**
 * Name of a server's client translator, and so of its changelog xattr `trusted.afr.cfs-<uuid>` (GLUSTER.md §4): it stays the same
 * whoever else joins or leaves.
 */
export const clientName = (uuid: NodeUuid): string => `${CLIENT_PREFIX}${uuid}`;
export const CLIENT_PREFIX = 'cfs-';
/** What a brick exports in a set. A client of another set asks for another name and gets ENOTCONN: the fence. */
export const exportName = (set: ServerSet): string => `conf-${setIdOf(set)}`;
/** The replicate translator; its state is in `.meta/graphs/active/afr/private`. */
export const REPLICATE_NAME = 'afr';
