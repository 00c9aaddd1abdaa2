/** The steps of a change of the server set: each does one thing and makes no choice; heal/plan.ts has chosen. */
import {randomBytes} from 'node:crypto';
import {HekafsError} from '../errors.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {hasQuorum, sameSet, type ServerSet} from '../membership/server-set.ts';
import {switchTo, untilAgreed} from './adopt.ts';
import {type ChangeContext, currentStore, maintenanceOf, secretOf} from './change-context.ts';
import {sleep} from './clock.ts';
import {
	matchMarkers,
	readSecret,
	readStoredSet,
	removeChange,
	removeMarker,
	writeChange,
	writeMarker,
	writeRecord,
} from './marker-store.ts';
import {retiredState} from './next-state.ts';
import {type Step} from './plan.ts';
import {requireHealthy} from './require-healthy.ts';
import {dropBrick, startBrick as serve, startServing} from './serving.ts';
import {decideChange, prepareServers, requireHealed, startBricks} from './steps-servers.ts';
import {MACHINERY} from './store.ts';

/** A join returns when the new server holds everything, or after this. */
const HEAL_LIMIT_MS = 30 * 60_000;
const HEAL_POLL_MS = 1000;
/** How long a change keeps writers of this node waiting; its own steps have shorter limits. */
const CHANGE_LIMIT_MS = 120_000;
/** How long the bricks of a new set may take until the client is connected to all of them. */
const CONNECT_LIMIT_MS = 15_000;
const CONNECT_POLL_MS = 50;

type Executor<K extends Step['kind']> = (
	context: ChangeContext,
	step: Extract<Step, {kind: K}>,
) => Promise<void>;

const lock: Executor<'lock'> = async context => {
	const store = currentStore(context);
	if (!(await store.tryLock(MACHINERY.lock))) {
		throw new HekafsError('HEKAFS_BUSY', 'another node is changing or initialising the config filesystem', {
			remedy: 'One change at a time: wait for it, then look with: hfs_config status',
		});
	}
	context.lockedIn = store;
	context.secret = await readSecret(store);
};

const unlock: Executor<'unlock'> = async context => {
	await context.lockedIn?.unlock(MACHINERY.lock);
	context.lockedIn = undefined;
};

const closeGate: Executor<'closeGate'> = async context => {
	await context.node.closeForSwitch(context.why, CHANGE_LIMIT_MS);
};

/** A node that can't be told is cut off by the fence anyway; it follows by itself when it is back. */
const tellMembersSwitching: Executor<'tellMembersSwitching'> = async (context, step) => {
	const secret = secretOf(context);
	await Promise.allSettled(
		step.members.map(async peer =>
			context.node.ports.peers.post(peer, {kind: 'switching', set: context.to}, secret),
		),
	);
};

const prepareBrick: Executor<'prepareBrick'> = async context => {
	const {node, to} = context;
	context.brickDirectory = await node.ports.bricks.prepare(to);
};

/** The new brick of this node. Remembered before it is started, so that a restart finds it. */
const startBrick: Executor<'startBrick'> = async (context, step) => {
	const {node, to, brickDirectory: directory} = context;
	if (directory === undefined) throw new Error('BUG: the brick is started before it was prepared');
	const {from, change} = context;
	node.setState({
		format: 2,
		filesystemId: to.filesystemId,
		set: from ?? to,
		closed: node.state?.closed ?? 0,
		pending: change === undefined ? null : {change, promised: 0, accepted: null},
		brick: {directory, port: node.ports.bricks.port, setId: step.setId},
		founding: from === undefined,
		retired: node.state?.retired ?? null,
	});
	await serve(node, to);
};

const markNewBrick: Executor<'markNewBrick'> = async context => {
	await context.node.ports.bricks.markNew(context.to, context.node.self);
};

/** Whether a mount of the new set reaches those that the step needs. */
const reaches = (set: ServerSet, up: ReadonlySet<NodeUuid>, need: 'all' | 'quorum'): boolean =>
	need === 'all' ? set.servers.every(server => up.has(server.uuid)) : hasQuorum(set, up);

const mountMaintenance: Executor<'mountMaintenance'> = async (context, step) => {
	const {node, to} = context;
	const mount = await node.ports.mounts.mount(to);
	context.maintenance = mount;
	const deadline = node.ports.now() + CONNECT_LIMIT_MS;
	while (!reaches(to, await mount.up().catch(() => new Set<NodeUuid>()), step.need)) {
		if (node.ports.now() > deadline)
			throw new HekafsError(
				'HEKAFS_MOUNT_FAILED',
				`${step.need === 'all' ? 'not all' : 'too few'} servers of epoch ${to.epoch} can be reached through the new mount`,
			);
		await sleep(node.ports, CONNECT_POLL_MS);
	}
	if (context.from === undefined) {
		await mount.store.mkdir(MACHINERY.directory, 0o700);
		return;
	}
	if (!(await mount.store.tryLock(MACHINERY.lock))) {
		throw new HekafsError('HEKAFS_BUSY', 'another node holds the lock of the config filesystem');
	}
	context.lockedIn = mount.store;
};

/** A completion may come late: what a later change has recorded stays. */
const record: Executor<'writeRecord'> = async (context, step) => {
	const {store} = maintenanceOf(context);
	const {record: found} = await readStoredSet(store);
	if (found.kind === 'record' && found.record.set.epoch > step.record.set.epoch)
		throw new HekafsError('HEKAFS_REFUSED', `epoch ${found.record.set.epoch} is recorded already`);
	if (found.kind === 'record' && sameSet(found.record.set, step.record.set)) return;
	await writeRecord(store, step.record);
};

const writeSecret: Executor<'writeSecret'> = async context => {
	const secret = randomBytes(32).toString('hex');
	await maintenanceOf(context).store.writeExclusive(MACHINERY.secret, `${secret}\n`, 0o600);
	context.secret = await readSecret(maintenanceOf(context).store);
};

const adopt: Executor<'adopt'> = async context => {
	const {node, to} = context;
	const mount = maintenanceOf(context);
	const verdict = await untilAgreed(node, mount);
	if (verdict.kind !== 'agreed') {
		throw new HekafsError(
			'HEKAFS_MOUNT_FAILED',
			`the new set is not agreed: ${verdict.reasons.map(r => r.text).join('; ')}`,
		);
	}
	await switchTo(node, mount, to);
	context.maintenance = undefined;
	await startServing(node, to);
	node.endSwitch();
};

const tellMembersAdopt: Executor<'tellMembersAdopt'> = async (context, step) => {
	const secret = secretOf(context);
	const results = await Promise.allSettled(
		step.members.map(async peer =>
			context.node.ports.peers.post(peer, {kind: 'adopt', set: context.to}, secret),
		),
	);
	const late = step.members.filter((_, i) => results[i]?.status === 'rejected');
	if (late.length > 0) context.progress(`${late.length} nodes did not answer; they follow by themselves`);
};

const setBrickAside: Executor<'setBrickAside'> = async (context, step) => {
	const {node, to} = context;
	const aside = await dropBrick(node, step.directory);
	node.setState(retiredState(to, aside, new Date().toISOString()));
	context.progress(`the old brick is kept in ${aside}`);
};

/** Waits until the new server holds everything; the change itself is complete before. */
const waitHealed: Executor<'waitHealed'> = async context => {
	const {node, to} = context;
	const deadline = node.ports.now() + HEAL_LIMIT_MS;
	// A healed directory brings its entries to light, so the count also grows; what is done only grows.
	let done = 0;
	let before = 0;
	let zeros = 0;
	while (zeros < 2 && node.ports.now() < deadline) {
		const heals = await node.ports.bricks.countHeals(to).catch(() => undefined);
		if (heals !== undefined) {
			done += Math.max(0, before - heals.pending);
			before = heals.pending;
			zeros = heals.pending === 0 && heals.unreachable === 0 ? zeros + 1 : 0;
			context.progress('filling the new server', done, done + heals.pending);
		}
		if (zeros < 2) await sleep(node.ports, HEAL_POLL_MS);
	}
	if (zeros < 2)
		context.progress(
			`note: the new server does not hold everything yet, ${before} entries are pending; watch it with: hfs_config status`,
		);
};

/** One executor for each kind of step: a new kind without one does not compile. */
const EXECUTORS: {readonly [K in Step['kind']]: Executor<K>} = {
	lock,
	unlock,
	requireHealthy,
	writeChange: async (context, step) => writeChange(currentStore(context), step.change),
	closeGate,
	tellMembersSwitching,
	prepareBrick,
	prepareServers,
	startBricks,
	requireHealed,
	startBrick,
	markNewBrick,
	mountMaintenance,
	decide: decideChange,
	writeSecret,
	writeRecord: record,
	writeMarker: async (context, step) => writeMarker(maintenanceOf(context).store, step.marker),
	matchMarkers: async (context, step) => matchMarkers(maintenanceOf(context).store, step.set),
	removeMarker: async (context, step) => removeMarker(maintenanceOf(context).store, step.uuid),
	removeChange: async context => removeChange(maintenanceOf(context).store),
	adopt,
	tellMembersAdopt,
	setBrickAside,
	waitHealed,
};

/** The executor that fits the step; the table's type guarantees that there is one. */
export const runStep = async (context: ChangeContext, step: Step): Promise<void> => {
	const execute = EXECUTORS[step.kind] as (context: ChangeContext, step: Step) => Promise<void>;
	await execute(context, step);
};
