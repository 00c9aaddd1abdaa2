/**
 * Generations that are no mount but this node's verified copy (src/snapshot/): their numbers tell which copy. Descriptors
 * never belong to one, so that the same number may become current again and again.
 */
const COPY_BIT = 1 << 30;

/** @param serial number of the copy */
export const copyGeneration = (serial: number): number => COPY_BIT | serial;

/** @returns number of the copy; 0: the generation is a mount, or none */
export const copyOf = (generation: number): number =>
	(generation & COPY_BIT) === 0 ? 0 : generation & ~COPY_BIT;

/** What an operation on the mount gives, inside this folder, when the copy has become current meanwhile. No errno. */
export const COPY_SERVES = -4000;
