/** How many handles may be open: each takes a descriptor of the process. */
import {readFileSync} from 'node:fs';
import {DIRECTORIES_MAX} from './directory-cache.ts';
import {HANDLES_MAX} from './handle-layout.ts';

const DEFAULT_DESCRIPTORS = 1024;
/** Descriptors that are for other things than handles: sockets, logs, the device, short-lived ones of the workers. */
const RESERVED_DESCRIPTORS = DIRECTORIES_MAX + 512;
const HANDLES_MIN = 256;

/** The soft limit of open descriptors (node raises it to the hard one when it starts). */
const descriptorLimit = (): number => {
	const limits = readFileSync('/proc/self/limits', 'latin1');
	const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
	return soft === undefined ? DEFAULT_DESCRIPTORS : Number(soft);
};

/** @returns open handles at most, from this process's limit of descriptors */
export const handlesMax = (): number =>
	Math.min(HANDLES_MAX, Math.max(HANDLES_MIN, descriptorLimit() - RESERVED_DESCRIPTORS));
