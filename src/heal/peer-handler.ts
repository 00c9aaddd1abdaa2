/** What other nodes may ask of this one while they change the server set; http/ has checked their signature. */
import {HekafsError} from '../errors.ts';
import {type SetChange} from '../membership/change.ts';
import {hasServer, type ServerSet} from '../membership/server-set.ts';
import {type Answer, type Ask} from '../membership/vote.ts';
import {adopt} from './adopt.ts';
import {type Node} from './node.ts';
import {type Question} from './ports.ts';
import {fence, startBrick, startServing} from './serving.ts';

/** How long a request waits for what this node is doing just now. */
const TURN_WAIT_MS = 15_000;
interface ChangeRequest {
	readonly change: SetChange;
	readonly question: Question;
	readonly reason: string;
}

interface Request {
	readonly set: ServerSet;
	readonly reason: string;
}

const requireOurs = (node: Node, set: ServerSet): void => {
	const ours = node.state?.filesystemId;
	if (ours !== undefined && ours !== set.filesystemId) {
		throw new HekafsError(
			'HEKAFS_REFUSED',
			`this node belongs to the config filesystem ${ours}, not to ${set.filesystemId}`,
			{
				remedy: 'Two config filesystems in one cluster: retire the servers of one of them.',
			},
		);
	}
};

export class PeerHandler {
	readonly #node: Node;
	readonly #nudge: () => void;

	constructor(node: Node, nudge: () => void) {
		this.#node = node;
		this.#nudge = nudge;
	}

	async switching({set, reason}: Request): Promise<Record<string, never>> {
		requireOurs(this.#node, set);
		this.#node.ports.log(`another node changes the set: ${reason}`);
		await this.#node.closeForSwitch(reason);
		return {};
	}

	/** A question about a change, and its answer. What is answered is written down, and done, before. */
	async change({change, question, reason}: ChangeRequest): Promise<Answer> {
		const node = this.#node;
		requireOurs(node, change.to);
		if (!hasServer(change.from, node.self))
			throw new HekafsError('HEKAFS_REFUSED', `this node is no config server of epoch ${change.from.epoch}`, {
				remedy: 'Another change was quicker. Look with: hfs_config status',
			});
		node.pendingHeardAtMs = node.ports.now();
		switch (question.kind) {
			case 'prepare':
				return node.exclusive(TURN_WAIT_MS, async () => {
					await node.closeForSwitch(reason);
					return this.#answer(change, question);
				});
			case 'start':
			case 'heal':
				return this.#serve(change, question.kind);
			case 'promise':
			case 'accept':
				return this.#answer(change, question);
			case 'abandon': {
				const answer = node.vote(change, question);
				node.problems.delete('mount');
				node.endSwitch();
				await startServing(node, change.from);
				this.#nudge();
				return answer;
			}
		}
	}

	/** Not in a turn of this node: it may be settling the same change itself, and wait for the one that asks. */
	async #answer(change: SetChange, ask: Ask): Promise<Answer> {
		const answer = this.#node.vote(change, ask);
		if (answer.kind === 'yes') await fence(this.#node);
		return answer;
	}

	/** The change must have been written down here before. */
	async #serve(change: SetChange, what: 'start' | 'heal'): Promise<Answer> {
		const node = this.#node;
		const {bricks} = node.ports;
		const started = await startBrick(node, change.to);
		if (!started)
			throw new HekafsError('HEKAFS_REFUSED', 'this node has no brick for that set', {
				remedy: 'The change was undone meanwhile. Look with: hfs_config status',
			});
		if (what === 'heal') await node.withBrick(async () => bricks.startSelfHeal(change.from, change.to));
		else await node.withBrick(async () => bricks.stopSelfHeal());
		return {kind: 'yes', accepted: node.state?.pending?.accepted ?? null};
	}

	async adopt({set}: Request): Promise<Record<string, never>> {
		const node = this.#node;
		requireOurs(node, set);
		if (set.epoch < (node.state?.set.epoch ?? 0)) return {};
		node.heardEpoch = Math.max(node.heardEpoch, set.epoch);
		await node.exclusive(TURN_WAIT_MS, async () => {
			const mounted = node.current?.set?.epoch ?? 0;
			// Retired nodes are left to the loop, which also puts the brick aside.
			if (mounted < set.epoch && (node.state?.brick == null || hasServer(set, node.self)))
				await adopt(node, set);
			node.endSwitch();
		});
		this.#nudge();
		return {};
	}
}
