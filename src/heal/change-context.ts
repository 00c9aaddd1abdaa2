/** What the steps of one change of the server set share while it is carried out. */
import {type SetChange} from '../membership/change.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {HekafsError} from '../errors.ts';
import {type Node} from './node.ts';
import {type GenerationMount} from './ports.ts';
import {type Store} from './store.ts';

export interface ChangeContext {
	readonly node: Node;
	readonly progress: (text: string, done?: number, total?: number) => void;
	/** What the servers of the old set decide on; undefined while founding. */
	readonly change: SetChange | undefined;
	/** The set before the change; undefined while founding. */
	readonly from: ServerSet | undefined;
	readonly to: ServerSet;
	/** One line: what changes, for reasons and logs. */
	readonly why: string;
	/** The new set's mount, before it is given to the overlay. */
	maintenance: GenerationMount | undefined;
	/** Where the cluster's lock is held. */
	lockedIn: Store | undefined;
	/** The new brick directory of this node. */
	brickDirectory: string | undefined;
	secret: string | undefined;
	/** Whether a server may have written the change down: from then on it is decided, not just given up. */
	fenced: boolean;
	/** Whether the old set is known to have decided for the new one: from then on the change only goes forward. */
	decided: boolean;
}

export const currentStore = (context: ChangeContext): Store => {
	const store = context.node.current?.store;
	if (store === undefined) {
		throw new HekafsError('HEKAFS_REFUSED', 'the config filesystem is not mounted on this node', {
			remedy: 'Look why with: hfs_config status',
		});
	}
	return store;
};

export const maintenanceOf = (context: ChangeContext): GenerationMount => {
	if (context.maintenance === undefined)
		throw new Error('BUG: a step needs the new mount before it was made');
	return context.maintenance;
};

export const secretOf = (context: ChangeContext): string => {
	if (context.secret === undefined) {
		throw new HekafsError(
			'HEKAFS_UNAUTHENTICATED',
			"the cluster's secret can't be read from the config filesystem",
			{
				remedy: 'Other nodes accept a change only from one that can read it. Look with: hfs_config status',
			},
		);
	}
	return context.secret;
};
