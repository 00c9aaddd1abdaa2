/** The steps of a change that the servers of the old set carry out together: prepare, start again, heal, decide. */
import {HekafsError} from '../errors.ts';
import {type SetChange} from '../membership/change.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {afterAccepts, type Answer} from '../membership/vote.ts';
import {askServers} from './ask-servers.ts';
import {type ChangeContext, secretOf} from './change-context.ts';
import {sleep} from './clock.ts';
import {type Step} from './plan.ts';
import {type Heals} from './ports.ts';
import {fence, startBrick} from './serving.ts';

/** How long a change waits for heals behind the fence; writers wait with it. */
const HEALED_LIMIT_MS = 15_000;
const HEALED_POLL_MS = 200;

type StepOf<K extends Step['kind']> = Extract<Step, {kind: K}>;

export const changeOf = (context: ChangeContext): SetChange => {
	if (context.change === undefined) throw new Error('BUG: a founding is no change that servers decide on');
	return context.change;
};

/** Why a server takes no part. */
const refusalOf = (server: NodeUuid, answer: Answer): HekafsError => {
	const remedy = 'One change at a time: look with: hfs_config status';
	switch (answer.kind) {
		case 'moved':
			return new HekafsError(
				'HEKAFS_REFUSED',
				`the server set was changed: ${server} is in epoch ${answer.set.epoch}`,
				{
					remedy,
				},
			);
		case 'behind':
			return new HekafsError('HEKAFS_BUSY', `config server ${server} has not verified the set yet`, {
				remedy: 'Wait some seconds, then try again.',
			});
		default:
			return new HekafsError('HEKAFS_BUSY', `config server ${server} takes part in another change`, {remedy});
	}
};

/** Each writes the change down, then ends its brick: from the last of them on, no client of the old set has a quorum (P1). */
export const prepareServers = async (
	context: ChangeContext,
	step: StepOf<'prepareServers'>,
): Promise<void> => {
	const {node} = context;
	const change = changeOf(context);
	context.fenced = true;
	const prepare = async (server: NodeUuid): Promise<void> => {
		let answer: Answer;
		if (server === node.self) {
			answer = node.vote(change, {kind: 'prepare'});
			await fence(node);
		} else answer = await node.ports.peers.ask(server, change, {kind: 'prepare'}, secretOf(context));
		if (answer.kind !== 'yes') throw refusalOf(server, answer);
	};
	// All are waited for: one that is asked but not waited for could prepare after the change was undone.
	const results = await Promise.allSettled(step.servers.map(prepare));
	for (const result of results) if (result.status === 'rejected') throw result.reason;
};

/** Bricks under the name of the new set, remote ones by their own hekafsd. */
export const startBricks = async (context: ChangeContext, step: StepOf<'startBricks'>): Promise<void> => {
	const {node, to} = context;
	await Promise.all(
		step.servers.map(async server => {
			if (server === node.self) await startBrick(node, to);
			else await node.ports.peers.ask(server, changeOf(context), {kind: 'start'}, secretOf(context));
		}),
	);
};

const splitBrain = (count: number): HekafsError =>
	new HekafsError('HEKAFS_REFUSED', `${count} files are in split brain`, {
		remedy: 'Choose a version of each first; `hfs_config status` says how.',
	});

/** Before a new brick is marked: a daemon that does not know the server that joins would forget the mark. */
const stopHealing = async (context: ChangeContext, servers: readonly NodeUuid[]): Promise<void> => {
	const {node} = context;
	await Promise.all(
		servers.map(async server => {
			if (server === node.self) await node.withBrick(async () => node.ports.bricks.stopSelfHeal());
			else await node.ports.peers.ask(server, changeOf(context), {kind: 'start'}, secretOf(context));
		}),
	);
};

/**
 * What was written between the look at the heals and the fence may be missing on one of those that stay, and be lost with
 * the one that has it, be it the one that leaves (P2): now that nobody writes, all that are prepared are counted, and healed.
 */
export const requireHealed = async (context: ChangeContext, step: StepOf<'requireHealed'>): Promise<void> => {
	const {node} = context;
	const {from, to} = changeOf(context);
	const {bricks, peers, now} = node.ports;
	if (step.servers.length < 2) return;
	const only = new Set(step.servers);
	const deadline = now() + HEALED_LIMIT_MS;
	let healing = false;
	for (;;) {
		const heals: Heals | undefined = await bricks.countHeals(from, only, to).catch(() => undefined);
		if (heals !== undefined && heals.unreachable === 0) {
			if (heals.splitBrain > 0) throw splitBrain(heals.splitBrain);
			if (heals.pending === 0) {
				if (healing) await stopHealing(context, step.servers);
				return;
			}
			context.progress(`waiting for ${heals.pending} heals`);
			if (!healing) {
				healing = true;
				await Promise.all(
					step.servers.map(async server =>
						server === node.self
							? context.node.withBrick(async () => bricks.startSelfHeal(from, to))
							: peers.ask(server, changeOf(context), {kind: 'heal'}, secretOf(context)),
					),
				);
			}
		}
		if (now() > deadline)
			throw new HekafsError('HEKAFS_BUSY', `${heals?.pending ?? 'some'} heals are pending`, {
				remedy: 'Servers heal each other by themselves: wait until `hfs_config status` says healthy.',
			});
		await sleep(node.ports, HEALED_POLL_MS);
	}
};

/** The ballot that belongs to who began the change: `prepare` was its promise. */
const FIRST_BALLOT = 0;

/** From a quorum's word on the new set is the next one, whatever happens (P1). */
export const decideChange = async (context: ChangeContext, step: StepOf<'decide'>): Promise<void> => {
	const {node} = context;
	const change = changeOf(context);
	const question = {kind: 'accept', ballot: FIRST_BALLOT, word: 'go'} as const;
	const outcome = afterAccepts(change, 'go', await askServers(node, change, question, step.servers));
	if (outcome.kind !== 'decided' || outcome.word !== 'go')
		throw new HekafsError('HEKAFS_BUSY', 'too few config servers agreed to the new set', {
			remedy: 'Look with: hfs_config status',
		});
	context.decided = true;
};
