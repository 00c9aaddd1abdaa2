/** Changes of the server set, from the request of an operator to the last step: observe, plan, execute, carry back. */
import {randomUUID} from 'node:crypto';
import {describeError, HekafsError} from '../errors.ts';
import {type FilesystemId, type NodeUuid} from '../membership/ids.ts';
import {type PeerAnswer} from '../membership/peer-answer.ts';
import {type Member} from '../membership/report.ts';
import {type Server, setIdOf} from '../membership/server-set.ts';
import {type Verdict} from '../membership/verdict.ts';
import {adopt} from './adopt.ts';
import {type ChangeContext} from './change-context.ts';
import {undoFounding} from './founding.ts';
import {sleep} from './clock.ts';
import {type Loop} from './loop.ts';
import {type Node} from './node.ts';
import {type ClusterObservation, describeStep, type Plan, type PlanResult, type Step} from './plan.ts';
import {planRetire} from './plan-retire.ts';
import {planServe} from './plan-serve.ts';
import {dropBrick} from './serving.ts';
import {settle} from './settle.ts';
import {runStep} from './steps.ts';
import {MACHINERY} from './store.ts';

/** What discovery has found, as far as planners need it. */
export interface Findings {
	readonly members: readonly Member[] | null;
	readonly answers: ReadonlyMap<NodeUuid, PeerAnswer>;
	/** Peers of which glusterd does not know the UUID yet. */
	readonly unidentified: readonly string[];
}

export interface ChangesOptions {
	readonly node: Node;
	readonly loop: Loop;
	/** Asks everybody now. */
	readonly discover: () => Promise<Findings>;
	/** How other nodes reach this one, given what they call it. */
	readonly addressOfSelf: (findings: Findings) => Promise<string>;
}

export type Progress = (text: string, done?: number, total?: number) => void;

/** A change waits this long for what this node is doing just now. */
const TURN_WAIT_MS = 15_000;
/** How long `serve` waits for the filesystem of its peers to be mounted here. */
const FOLLOW_LIMIT_MS = 20_000;
const FOLLOW_POLL_MS = 100;
/** How long the end of a change waits until the heals are counted again, so that `status` does not say `degraded`. */
const COUNT_LIMIT_MS = 6000;

/** The steps that write nothing another node could see, and those that a failure after the record must not skip. */
const isLastly = (step: Step): boolean => step.kind === 'unlock' || step.kind === 'waitHealed';

export class Changes {
	readonly #o: ChangesOptions;

	constructor(options: ChangesOptions) {
		this.#o = options;
	}

	/** Makes this node a config server: founds the filesystem, or joins it. @returns what was done, as text */
	async serve(request: {found: boolean; wait: boolean; progress: Progress}): Promise<string> {
		const newFilesystemId = randomUUID() as string as FilesystemId;
		await this.#followPeers(request.progress);
		const plan = await this.#change(
			request.progress,
			o => planServe(o, {newFilesystemId, found: request.found}),
			request.wait,
		);
		return plan.from === undefined
			? `the config filesystem ${plan.to.filesystemId} is founded; this node is its first config server`
			: `this node is a config server now, of ${plan.to.servers.length} in epoch ${plan.to.epoch}`;
	}

	/** Removes a config server from the set. @returns what was done, as text */
	async retire(request: {subject: NodeUuid; force: boolean; progress: Progress}): Promise<string> {
		const plan = await this.#change(request.progress, o => planRetire(o, request), true);
		return `${request.subject} is no config server any more; ${plan.to.servers.length} remain in epoch ${plan.to.epoch}`;
	}

	/** Mounts the set in use anew, beside the mount in use. */
	async remount(): Promise<void> {
		const {node} = this.#o;
		await node.exclusive(TURN_WAIT_MS, async () => {
			const set = node.state?.set;
			if (set !== undefined) await adopt(node, set);
		});
	}

	async observe(): Promise<ClusterObservation> {
		const {node, loop, discover, addressOfSelf} = this.#o;
		const findings = await discover();
		const self: Server = {
			uuid: node.self,
			address: await addressOfSelf(findings),
			port: node.ports.bricks.port,
		};
		const {look} = node;
		return {
			now: new Date().toISOString(),
			self,
			state: node.state,
			members: findings.members,
			answers: findings.answers,
			unidentified: findings.unidentified,
			verdict: verdictOf(node, loop),
			up: look?.kind === 'seen' ? look.view.up : look?.kind === 'failed' ? look.reachable : new Set(),
			// Counted under the lock, with patience: a write of a moment ago still counts as pending here.
			heals: null,
		};
	}

	/** A filesystem that a peer reports is mounted by the loop within seconds; a join is worth that wait. */
	async #followPeers(progress: Progress): Promise<void> {
		const {node, loop, discover} = this.#o;
		const reported = [...(await discover()).answers.values()].some(
			answer => answer.kind === 'report' && answer.report.set !== null,
		);
		const deadline = node.ports.now() + FOLLOW_LIMIT_MS;
		const isMounted = (): boolean => node.current !== undefined;
		if (!reported || isMounted()) return;
		progress('waiting until the config filesystem is mounted on this node');
		while (!isMounted() && node.ports.now() < deadline) {
			await loop.turnNow();
			await sleep(node.ports, FOLLOW_POLL_MS);
		}
	}

	async #change(
		progress: Progress,
		planner: (o: ClusterObservation) => PlanResult,
		wait: boolean,
	): Promise<Plan> {
		const {node, loop} = this.#o;
		await loop.turnNow();
		const plan = await node.exclusive(TURN_WAIT_MS, async () => {
			const result = planner(await this.observe());
			if (result.kind === 'refused')
				throw new HekafsError(result.code, result.message, {remedy: result.remedy});
			for (const warning of result.warnings) progress(`note: ${warning}`);
			await this.#execute(result, progress, wait);
			return result;
		});
		loop.recount();
		await loop.untilCounted(COUNT_LIMIT_MS);
		return plan;
	}

	async #execute(plan: Plan, progress: Progress, wait: boolean): Promise<void> {
		const {node} = this.#o;
		const context: ChangeContext = {
			node,
			progress,
			change: plan.change,
			from: plan.from,
			to: plan.to,
			why: `node ${node.self} changes the server set to epoch ${plan.to.epoch}`,
			maintenance: undefined,
			lockedIn: undefined,
			brickDirectory: undefined,
			secret: node.ports.stateStore.readSecret(),
			fenced: false,
			decided: false,
		};
		const steps = plan.steps.filter(step => wait || step.kind !== 'waitHealed');
		// While this node says so, nobody else settles the change.
		node.acting = setIdOf(plan.to);
		try {
			for (const [i, step] of steps.entries()) {
				const text = describeStep(step);
				node.ports.log(`step ${i + 1} of ${steps.length}, ${step.kind}: ${text}`);
				await node.ports.atStep?.(`before:${i + 1}`);
				if (!isLastly(step)) progress(text, i + 1, steps.length);
				if (step.kind === 'adopt' && plan.from === undefined)
					await this.#requireOnlyFounder(plan.to.filesystemId);
				await runStep(context, step);
				await node.ports.atStep?.(`after:${i + 1}`);
			}
		} catch (error) {
			node.ports.log(`the change failed: ${describeError(error)}`);
			if (!(await this.#end(context))) throw error;
		} finally {
			node.acting = undefined;
			node.pendingHeardAtMs = node.ports.now();
			node.endSwitch();
		}
	}

	/** Two nodes that found at the same moment saw nobody before; now each sees the other, and neither goes on. */
	async #requireOnlyFounder(filesystemId: FilesystemId): Promise<void> {
		const {answers} = await this.#o.discover();
		for (const [uuid, answer] of answers) {
			const other = answer.kind === 'report' ? answer.report.filesystemId : null;
			if (other !== null && other !== filesystemId) {
				throw new HekafsError('HEKAFS_BUSY', `node ${uuid} founds a config filesystem at the same moment`, {
					remedy: 'Run `hfs_config serve` again on one node only.',
				});
			}
		}
	}

	/**
	 * Ends a change that failed on its way: what the old set decides is completed or undone; while it can't decide, whoever
	 * can settles it later. @returns whether the new set is in use
	 */
	async #end(context: ChangeContext): Promise<boolean> {
		const {node} = this.#o;
		const {change, brickDirectory} = context;
		await context.lockedIn?.unlock(MACHINERY.lock).catch(() => false);
		await context.maintenance?.end();
		try {
			if (change === undefined) await undoFounding(node, brickDirectory);
			else if (context.fenced) return (await settle(node, change)) === 'go';
			else if (brickDirectory !== undefined) await dropBrick(node, brickDirectory);
		} catch (error) {
			node.ports.log(`not settled yet: ${describeError(error)}`);
		}
		return false;
	}
}

/** Whatever keeps the gate closed keeps a change away, too: two filesystems, a mount that does not answer. */
const verdictOf = (node: Node, loop: Loop): Verdict | undefined => {
	const {judgement, verdict, reasons} = loop.decision;
	if (verdict === 'agreed') return judgement;
	return node.state === undefined && judgement === undefined ? undefined : {kind: 'unknown', reasons};
};
