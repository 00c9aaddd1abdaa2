/** What other nodes may ask of this one while they change the server set; http/ has checked their signature. */
import {HekafsError} from '../errors.ts';
import {hasServer, type ServerSet} from '../membership/server-set.ts';
import {acceptNext, adopt} from './adopt.ts';
import {type Node} from './node.ts';

/** How long a request waits for what this node is doing just now. */
const TURN_WAIT_MS = 15_000;
/** A brick stopped for a change that is not heard of again is started by the loop after this. */
const STOPPED_LIMIT_MS = 20_000;

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
	#brickStoppedUntilMs = 0;

	constructor(node: Node, nudge: () => void) {
		this.#node = node;
		this.#nudge = nudge;
	}

	/** Whether the loop must leave this node's brick down, because a change has stopped it. */
	get brickHeld(): boolean {
		return this.#node.ports.now() < this.#brickStoppedUntilMs;
	}

	async switching({set, reason}: Request): Promise<Record<string, never>> {
		requireOurs(this.#node, set);
		this.#node.ports.log(`another node changes the set: ${reason}`);
		await this.#node.closeForSwitch(reason);
		return {};
	}

	async stopBrick({set, reason}: Request): Promise<Record<string, never>> {
		const node = this.#node;
		requireOurs(node, set);
		if (set.epoch <= (node.state?.set.epoch ?? 0)) {
			throw new HekafsError(
				'HEKAFS_REFUSED',
				`epoch ${set.epoch} is not newer than this node's epoch ${node.state?.set.epoch ?? 0}`,
				{
					remedy: 'Another change was quicker. Look with: hfs_config status',
				},
			);
		}
		await node.exclusive(TURN_WAIT_MS, async () => {
			await node.closeForSwitch(reason);
			this.#brickStoppedUntilMs = node.ports.now() + STOPPED_LIMIT_MS;
			await node.ports.bricks.stopSelfHeal();
			await node.ports.bricks.stop();
		});
		return {};
	}

	/** Also carries a change back: the set of the epoch before, when a step of the change failed. */
	async startBrick({set}: Request): Promise<Record<string, never>> {
		const node = this.#node;
		requireOurs(node, set);
		await node.exclusive(TURN_WAIT_MS, async () => {
			const directory = node.state?.brick?.directory;
			if (directory === undefined || !hasServer(set, node.self)) {
				throw new HekafsError('HEKAFS_REFUSED', 'this node has no brick for that set', {
					remedy: 'Make it a config server with: hfs_config serve',
				});
			}
			acceptNext(node, set);
			node.problems.delete('brick');
			await node.ports.bricks.start(set, directory);
			this.#brickStoppedUntilMs = 0;
		});
		return {};
	}

	async adopt({set}: Request): Promise<Record<string, never>> {
		const node = this.#node;
		requireOurs(node, set);
		if (set.epoch < (node.state?.set.epoch ?? 0)) return {};
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
