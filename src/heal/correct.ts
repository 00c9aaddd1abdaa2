/** What the loop does by itself when this node is not as the cluster says it should be. Pure choice, then one action. */
import {describeError, errorCodeOf, HekafsError} from '../errors.ts';
import {type SetChange} from '../membership/change.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type NodeState} from '../membership/node-state.ts';
import {reasonFor} from '../membership/reasons.ts';
import {hasServer, type ServerSet} from '../membership/server-set.ts';
import {type Decision} from './decide.ts';
import {adopt, adoptRecorded, switchTo, untilAgreed} from './adopt.ts';
import {settleFounding} from './founding.ts';
import {retiredState} from './next-state.ts';
import {type Node} from './node.ts';
import {dropBrick, startBrick, startServing} from './serving.ts';
import {settle} from './settle.ts';

export type Correction =
	| {readonly kind: 'none'}
	| {readonly kind: 'start-brick'; readonly set: ServerSet}
	| {readonly kind: 'become-retired'; readonly set: ServerSet; readonly directory: string}
	| {readonly kind: 'settle'; readonly change: SetChange}
	| {readonly kind: 'settle-founding'; readonly set: ServerSet}
	| {readonly kind: 'adopt-recorded'; readonly set: ServerSet}
	| {readonly kind: 'adopt'; readonly set: ServerSet; readonly why: string};

export interface CorrectionFacts {
	readonly self: NodeUuid;
	readonly state: NodeState | undefined;
	/** Whether the brick runs as it ought to; also when it ought not to run. */
	readonly brickRunning: boolean;
	/** Whether nobody is heard of who carries the pending change out. */
	readonly orphaned: boolean;
	/** The set of the newest epoch that a peer with our filesystem reports (any filesystem's, when we have none). */
	readonly newestKnown: ServerSet | undefined;
	readonly mounted: ServerSet | undefined;
	readonly mountAlive: boolean;
	/** For how long the mount in use has been silent. */
	readonly silentForMs: number;
	readonly decision: Decision;
}

/** A mount that has been silent for this long is replaced: its client process is stuck, not just waiting for a peer. */
export const REPLACE_SILENT_MS = 15_000;

/** While it is pending this node serves the new set's name and waits, or brings it to its end. */
const pendingCorrection = ({orphaned, brickRunning}: CorrectionFacts, change: SetChange): Correction =>
	orphaned ? {kind: 'settle', change} : brickRunning ? {kind: 'none'} : {kind: 'start-brick', set: change.to};

/** Total and pure. */
export const chooseCorrection = (facts: CorrectionFacts): Correction => {
	const {state, newestKnown, mounted} = facts;
	const known = state?.set;
	const target = newestKnown !== undefined && newestKnown.epoch > (known?.epoch ?? 0) ? newestKnown : known;
	if (target === undefined) return {kind: 'none'};
	const directory = state?.brick?.directory;
	const change = state?.pending?.change;
	// A set that somebody else knows may be the one that the operator has given up: first his word is brought to its end.
	if (change !== undefined && (target === known || (change.forced && change.to.epoch > target.epoch)))
		return pendingCorrection(facts, change);
	if (directory !== undefined && !hasServer(target, facts.self))
		return {kind: 'become-retired', set: target, directory};
	if (target !== known) return {kind: 'adopt', set: target, why: `a peer reports epoch ${target.epoch}`};
	if (state?.founding === true) return {kind: 'settle-founding', set: target};
	if (directory !== undefined && !facts.brickRunning) return {kind: 'start-brick', set: target};
	if (mounted === undefined) return {kind: 'adopt', set: target, why: 'nothing is mounted'};
	if (!facts.mountAlive) return {kind: 'adopt', set: target, why: 'the mount is gone'};
	if (facts.silentForMs > REPLACE_SILENT_MS)
		return {kind: 'adopt', set: target, why: 'the mount does not answer'};
	const recorded =
		facts.decision.judgement?.kind === 'disagreed' ? facts.decision.judgement.recorded : undefined;
	if (recorded !== undefined && recorded.epoch > mounted.epoch) {
		return {kind: 'adopt-recorded', set: recorded};
	}
	if (mounted.epoch < target.epoch)
		return {kind: 'adopt', set: target, why: `epoch ${mounted.epoch} is over`};
	return {kind: 'none'};
};

/** A sentence for `hfs_config plan` and the log. */
export const describeCorrection = (correction: Correction): string => {
	switch (correction.kind) {
		case 'none':
			return 'nothing: this node is as the cluster says it should be';
		case 'start-brick':
			return `start this node's brick for epoch ${correction.set.epoch}`;
		case 'become-retired':
			return `stop serving: epoch ${correction.set.epoch} does not have this node; move ${correction.directory} aside`;
		case 'settle':
			return `settle with the servers of epoch ${correction.change.from.epoch} whether epoch ${correction.change.to.epoch} follows, and complete or undo it`;
		case 'settle-founding':
			return `finish or undo the founding of filesystem ${correction.set.filesystemId}`;
		case 'adopt-recorded':
			return `mount the servers of epoch ${correction.set.epoch}, which the filesystem records`;
		case 'adopt':
			return `mount the servers of epoch ${correction.set.epoch}: ${correction.why}`;
	}
};

/** What a peer says about a set without this node is believed only once the filesystem itself says so. */
const becomeRetired = async (node: Node, set: ServerSet, directory: string): Promise<void> => {
	const {mounts, log} = node.ports;
	const mount = await mounts.mount(set);
	try {
		const verdict = await untilAgreed(node, mount);
		if (verdict.kind !== 'agreed') {
			throw new HekafsError(
				'HEKAFS_MOUNT_FAILED',
				`epoch ${set.epoch} without this node is not what the filesystem records`,
			);
		}
		const aside = await dropBrick(node, directory);
		node.setState(retiredState(set, aside, new Date().toISOString()));
		log(`this node was retired; its brick is kept in ${aside}`);
	} catch (error) {
		await mount.end();
		throw error;
	}
	await switchTo(node, mount, set);
};

/** Carries out one correction. What fails is remembered as a problem, and tried again at a later turn. */
export const correct = async (node: Node, correction: Correction): Promise<void> => {
	if (correction.kind === 'none') return;
	node.ports.log(describeCorrection(correction));
	try {
		switch (correction.kind) {
			case 'start-brick':
				// No self-heal daemon of a set that is not decided: it would forget what it knows of a server that leaves.
				if (node.state?.pending != null) await startBrick(node, correction.set);
				else await startServing(node, correction.set);
				break;
			case 'become-retired':
				await becomeRetired(node, correction.set, correction.directory);
				break;
			case 'settle':
				await settle(node, correction.change);
				break;
			case 'settle-founding':
				await settleFounding(node);
				break;
			case 'adopt-recorded':
				await adoptRecorded(node, correction.set);
				break;
			case 'adopt':
				await adopt(node, correction.set);
				break;
		}
	} catch (error) {
		const text = describeError(error).replaceAll(/\n\s*/g, '; ');
		node.ports.log(`failed: ${text}`);
		const aboutBrick =
			['start-brick', 'become-retired', 'settle-founding'].includes(correction.kind) ||
			errorCodeOf(error) === 'HEKAFS_BRICK_FAILED';
		if (aboutBrick) node.problems.set('brick', reasonFor.brickDown(text));
		else node.problems.set('mount', reasonFor.mountFailed(text));
	}
};
