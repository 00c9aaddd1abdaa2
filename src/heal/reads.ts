/** Where readings go: to the mount in use, or to this node's verified copy while that gives nothing (P4). */
import {reasonFor} from '../membership/reasons.ts';
import {hasQuorum} from '../membership/server-set.ts';
import {type Look, passes} from './look.ts';
import {type Node} from './node.ts';

/** A node that has just started finds the filesystem within this, as a rule; its copy may be old. */
export const START_GRACE_MS = 5000;

/**
 * A look that was in vain takes two seconds and the next one begins within one: what the mount has answered a user meanwhile
 * is newer than what the look says.
 */
export const ANSWER_COUNTS_MS = 3000;

/**
 * A mount that does not answer is waited for so long when the copy lacks what this node's own users have changed: a server
 * that vanished is given up after three to four seconds (ADR-0015), and readings don't go back in time. Less than
 * the deadline of a reading.
 */
export const INCOMPLETE_WAITS_MS = 6000;

export interface ReadFacts {
	/** Undefined while nothing is mounted. */
	readonly look: Look | undefined;
	/** A change of the set is under way: its end is waited for, which takes seconds. */
	readonly switching: boolean;
	/** For how long this node has been looking for the filesystem. */
	readonly runningForMs: number;
	/** Mounting has failed. */
	readonly mountFailed: boolean;
	/** How long ago a change went through the mount although it was taken for silent; undefined: never. */
	readonly answeredMsAgo: number | undefined;
	/** For how long the mount has not answered a look, or has answered with an error. */
	readonly silentForMs: number;
	/** Everything that this node's users have changed is in the copy. */
	readonly complete: boolean;
}

/** Total and pure. */
export const readsFrom = (facts: ReadFacts): 'mount' | 'copy' => {
	const {look, switching, runningForMs, mountFailed, answeredMsAgo = Infinity} = facts;
	if (look === undefined) return mountFailed || runningForMs >= START_GRACE_MS ? 'copy' : 'mount';
	switch (look.kind) {
		case 'local':
			return 'mount';
		case 'silent':
			if (answeredMsAgo < ANSWER_COUNTS_MS) return 'mount';
			return facts.complete || facts.silentForMs >= INCOMPLETE_WAITS_MS ? 'copy' : 'mount';
		case 'failed':
			// What this node's users have changed a moment ago must not be missing while the mount comes back.
			return switching || (!facts.complete && passes(look, facts.silentForMs)) ? 'mount' : 'copy';
		case 'seen':
			return hasQuorum(look.view.mounted, look.view.up) ? 'mount' : 'copy';
	}
};

/** Moves the overlay between the two, and says so. */
export class Reads {
	readonly #node: Node;
	readonly #startedAtMs: number;
	#from: 'mount' | 'copy' = 'mount';

	constructor(node: Node) {
		this.#node = node;
		this.#startedAtMs = node.ports.now();
	}

	/** Before the gate moves: when it opens, writes and reads must find the same generation. */
	choose(): void {
		const {current, look, ports, problems, switching, answeredAtMs} = this.#node;
		const {copy, problem, complete} = ports.overlay.copies();
		this.#from = readsFrom({
			look: current === undefined ? undefined : look,
			switching: switching !== undefined,
			runningForMs: ports.now() - this.#startedAtMs,
			mountFailed: problems.has('mount'),
			answeredMsAgo: ports.overlay.mountAnsweredMsAgo(),
			silentForMs: ports.now() - answeredAtMs,
			complete,
		});
		if (this.#from === 'mount') ports.overlay.serveMount();
		if (this.#from === 'copy' && copy !== undefined)
			problems.set('copy', reasonFor.readingCopy(new Date(copy.checkedMs), ports.now() - copy.checkedMs));
		else if (problem !== undefined) problems.set('copy', reasonFor.copyNotKept(problem));
		else problems.delete('copy');
	}

	/** After the gate has closed. */
	apply(): void {
		if (this.#from === 'copy') this.#node.ports.overlay.serveCopy();
	}
}
