/** What the in-memory filesystem of the tests shares between its threads and the test: cells of one shared buffer. */

export const CELL = {
	/** 1: operations on names that begin with `hang` wait until this is 0. */
	hanging: 0,
	/** How many wait there now. */
	hung: 1,
	/** The digit that `counter` holds. */
	counter: 2,
	/** Size of `data`. */
	dataSize: 3,
	lookups: 4,
	forgets: 5,
	opens: 6,
	releases: 7,
	undone: 8,
	/** Whether `appearing` exists. */
	appearing: 9,
} as const;
const CELLS = 16;
export const DATA_CAPACITY = 4 << 20;

export interface MemoryState {
	readonly cells: SharedArrayBuffer;
	readonly data: SharedArrayBuffer;
	/** Looking `stuck` up opens this FIFO: a system call that nobody but the kernel can end. */
	readonly fifo: string;
}

export const createMemoryState = (fifo = '/dev/null'): MemoryState => {
	const state = {cells: new SharedArrayBuffer(4 * CELLS), data: new SharedArrayBuffer(DATA_CAPACITY), fifo};
	new Int32Array(state.cells)[CELL.hanging] = 1;
	return state;
};
