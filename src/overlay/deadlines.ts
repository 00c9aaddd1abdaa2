/** How long requests may take, by class: which requests a class has is read off the guard's table of mutations. */
import {OPCODE, type OpcodeName} from '../fuse/wire/abi.ts';
import {alwaysMutates} from './guard.ts';

/** Milliseconds; 0 means for ever. */
export interface Deadlines {
	/** Whatever changes nothing: lookups, attributes, reading, listing, opening, locks that are not waited for. */
	readonly readsMs?: number | undefined;
	/** Mutations, and what makes sure of them: FSYNC and FLUSH. */
	readonly writesMs?: number | undefined;
	/** How long a client may wait for a lock. */
	readonly lockWaitsMs?: number | undefined;
}

/** They end something that nobody waits for: no deadline makes them quicker, and a lost one would leak. */
const NEVER = new Set<OpcodeName>(['RELEASE', 'RELEASEDIR', 'FORGET', 'BATCH_FORGET']);
const MAKES_SURE = new Set<OpcodeName>(['FSYNC', 'FSYNCDIR', 'FLUSH']);

const classOf = (name: OpcodeName): keyof Deadlines => {
	if (name === 'SETLKW') return 'lockWaitsMs';
	return alwaysMutates(OPCODE[name]) || MAKES_SURE.has(name) ? 'writesMs' : 'readsMs';
};

/** The deadlines of single opcodes, for those whose class has one of its own. */
export const deadlinesByOpcode = (deadlines: Deadlines): Partial<Record<OpcodeName, number>> => {
	const result: Partial<Record<OpcodeName, number>> = {};
	for (const name of Object.keys(OPCODE) as OpcodeName[]) {
		const deadlineMs = deadlines[classOf(name)];
		if (deadlineMs !== undefined && !NEVER.has(name)) result[name] = deadlineMs;
	}
	return result;
};
