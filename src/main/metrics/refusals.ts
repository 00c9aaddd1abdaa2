/**
 * Refusals by the reason that stood first when they happened. Workers know only that the gate is closed; what closed it is
 * the loop's knowledge, so each turn what was refused since the one before is put down to the decision that was in force.
 */
import {type Decision} from '../../heal/decide.ts';
import {type ReasonCode} from '../../membership/reason.ts';

/** `other`: EROFS of the filesystem below while the gate stood open. */
export type RefusalReason = ReasonCode | 'other';

type InForce = Pick<Decision, 'gate' | 'reasons'>;

const firstReason = ({gate, reasons}: InForce): ReasonCode | undefined =>
	gate === 'open' ? undefined : reasons[0]?.code;

export class Refusals {
	readonly #counts = new Map<RefusalReason, number>();
	#seen = 0;
	#before: InForce = {gate: 'refusing', reasons: []};

	/**
	 * @param total all refusals since the start
	 * @param decision in force from now on
	 */
	note(total: number, decision: InForce): void {
		// A gate that has just closed refuses before the loop's turn is over.
		const reason = firstReason(this.#before) ?? firstReason(decision) ?? 'other';
		this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + total - this.#seen);
		this.#seen = total;
		this.#before = decision;
	}

	get counts(): ReadonlyMap<RefusalReason, number> {
		return this.#counts;
	}
}
