/** What is measured: the operations of `bench/client.c`, and in which of the bars each counts. */

export interface Operation {
	readonly name: string;
	readonly title: string;
	/** Changes the filesystem. */
	readonly mutates?: true;
	/** Moves a fixed amount of data instead of running for a fixed time; one operation is 128 KiB. */
	readonly sequential?: true;
}

/** In the order in which they run: `seq-read` reads what `seq-write` wrote. */
export const OPERATIONS: readonly Operation[] = [
	{name: 'stat-cached', title: 'stat'},
	{name: 'stat-forced', title: 'stat, uncached (AT_STATX_FORCE_SYNC)'},
	{name: 'stat-absent', title: 'stat of an absent name'},
	{name: 'open-read', title: 'open, read 4 KiB, close'},
	{name: 'create', title: 'create, write 1 KiB, close', mutates: true},
	{name: 'overwrite', title: 'overwrite (O_TRUNC) with 1 KiB', mutates: true},
	{name: 'replace', title: 'write 1 KiB to a new file, rename', mutates: true},
	{name: 'mkdir-rmdir', title: 'mkdir, rmdir', mutates: true},
	{name: 'readdir', title: 'readdir of 1,000'},
	{name: 'readdir-stat', title: 'readdir of 1,000, stat of each'},
	{name: 'seq-write', title: 'sequential write, 128 KiB', sequential: true},
	{name: 'seq-read', title: 'sequential read, 128 KiB', sequential: true},
];

/** How many clients work at once; each count is a line of its own. */
export const CLIENTS: readonly number[] = [1, 8];
