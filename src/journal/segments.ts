/** The files of one node's journal: names, sizes, and which of them go. Pure. */
import {type NodeUuid} from '../membership/ids.ts';

/** In the backing filesystem, below the machinery's directory. */
export const JOURNAL_DIRECTORY = '.hekafs/journal';
export const journalOf = (node: NodeUuid): string => `${JOURNAL_DIRECTORY}/${node}`;

/** A file is ended after it has passed this. */
export const SEGMENT_MAX_BYTES = 256 * 1024;
/** A node keeps this many files; each start of hekafsd begins a new one. */
export const SEGMENTS_MAX = 64;

const NAME = /^\d{16}-\d{4}\.journal$/;

const digits = (value: number, count: number): string => String(value).padStart(count, '0');

/**
 * Named for the counter of the first record, so that names sort as records do.
 * @param names what is in the directory: a file that an append failed on keeps its name, and the same records come again
 */
export const segmentName = (first: number, names: readonly string[]): string => {
	const begin = `${digits(first, 16)}-`;
	return `${begin}${digits(names.filter(name => name.startsWith(begin)).length, 4)}.journal`;
};

/** The names that are ours, oldest first. */
export const segmentsAmong = (names: readonly string[]): readonly string[] =>
	names.filter(name => NAME.test(name)).toSorted();

/** Which files must go before a new one is begun. @param names what is in the directory */
export const outdatedSegments = (names: readonly string[]): readonly string[] =>
	segmentsAmong(names).slice(0, -(SEGMENTS_MAX - 1));
