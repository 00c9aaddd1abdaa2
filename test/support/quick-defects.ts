/** Bugs that can be planted in the fast model, each one a protection taken out. Without any it follows the protocol. */
export interface QuickDefects {
	/** Every set is exported and asked for under one name. */
	readonly noFence?: boolean;
	/** A change that was written down is forgotten over a restart of hekafsd. */
	readonly forgetsPending?: boolean;
	/** Decided, recorded and shown before the new brick is marked; the mark comes after the marker. */
	readonly markerBeforeMark?: boolean;
	/** The record is written to whichever brick of the new set answers, without a quorum. */
	readonly recordWithoutQuorum?: boolean;
	/** A joining brick begins with what an earlier one held. */
	readonly reusesBricks?: boolean;
	/** Nobody looks at the heals behind the fence. */
	readonly noHealedCheck?: boolean;
	/** One server of the old set may decide. */
	readonly oneDecides?: boolean;
	/** A server that has lost sight of who acts goes back to the old set by itself. */
	readonly goesBackAlone?: boolean;
	/** What follows on the operator's word has just the next epoch. */
	readonly wordIsNextEpoch?: boolean;
	/** What follows on the operator's word only loses the marker of the one given up. */
	readonly wordKeepsMarkers?: boolean;
	/** Who joins stands first in the order. */
	readonly joinerFirst?: boolean;
}
