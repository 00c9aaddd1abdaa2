/** The step that looks again under the lock: a change begins only from a healthy state. */
import {HekafsError} from '../errors.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {type ChangeContext, currentStore} from './change-context.ts';
import {sleep} from './clock.ts';
import {readChange, removeChange} from './marker-store.ts';
import {type Step} from './plan.ts';
import {type Heals} from './ports.ts';

const HEAL_POLL_MS = 1000;
/** How long a change waits for heals that were pending when it began. */
const PENDING_LIMIT_MS = 20_000;

/** A write counts as pending until its post-operation (1 s by default, AFR `post-op-delay-secs`): that much is waited for. */
const patientCount = async (
	context: ChangeContext,
	set: ServerSet,
	pendingAllowed: boolean,
): Promise<Heals> => {
	const {now} = context.node.ports;
	const deadline = now() + PENDING_LIMIT_MS;
	for (;;) {
		const heals = await context.node.ports.bricks.countHeals(set);
		if (heals.pending === 0 || pendingAllowed || heals.splitBrain > 0 || now() > deadline) return heals;
		context.progress(`waiting for ${heals.pending} heals`);
		await sleep(context.node.ports, HEAL_POLL_MS);
	}
};

/** Looked at again under the lock: what was healthy before may not be now. */
export const requireHealthy = async (
	context: ChangeContext,
	step: Extract<Step, {kind: 'requireHealthy'}>,
): Promise<void> => {
	const {node, from} = context;
	const look = node.look;
	if (from === undefined || look?.kind !== 'seen' || node.current?.set?.epoch !== from.epoch) {
		throw new HekafsError('HEKAFS_REFUSED', 'the server set was changed meanwhile', {
			remedy: 'Look with: hfs_config status',
		});
	}
	const down = from.servers.filter(server => server.uuid !== step.except && !look.view.up.has(server.uuid));
	if (down.length > 0) {
		throw new HekafsError('HEKAFS_REFUSED', `config server ${down.map(s => s.address).join(', ')} is down`, {
			remedy:
				'Start hekafsd there, or retire a server that will never come back with: hfs_config retire NODE',
		});
	}
	const heals = await patientCount(context, from, step.except !== undefined);
	if (heals.splitBrain > 0) {
		throw new HekafsError('HEKAFS_REFUSED', `${heals.splitBrain} files are in split brain`, {
			remedy: 'Choose a version of each first; `hfs_config status` says how.',
		});
	}
	if (heals.pending > 0 && step.except === undefined) {
		throw new HekafsError('HEKAFS_BUSY', `${heals.pending} heals are pending`, {
			remedy:
				'Servers heal each other by themselves: wait until `hfs_config status` says healthy, then try again.',
		});
	}
	// An intent that is still there belongs to an attempt that its servers have concluded: none of them would take part else.
	if ((await readChange(currentStore(context))) !== undefined) await removeChange(currentStore(context));
};
