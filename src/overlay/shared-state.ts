/** The memory that all threads of one overlay share, and the tables over it. */
import {GateReader} from '../membership/gate.ts';
import {Board, createBoardBuffer} from './board.ts';
import {createRootCells, CurrentRoot} from './current-root.ts';
import {createDirectoryCells, DirectoryCache} from './directory-cache.ts';
import {createHandleCells} from './handle-layout.ts';
import {HandleTable} from './handle-table.ts';
import {createInodeCells, inodeNumbers} from './inode-layout.ts';
import {InodeTable} from './inode-table.ts';
import {createRingBuffer, JournalRing} from './journal-ring.ts';
import {KeptPages} from './kept-pages.ts';
import {ChangedRing, createChangedRing} from '../snapshot/changed-ring.ts';
import {SENTINELS} from './sentinels.ts';
import {createSlabBuffer} from './slab.ts';
import {createVersionBuffers, VersionTable} from './version-table.ts';
import {createWriteCounts, WriteCounts} from './write-counts.ts';

/** Files that the kernel may know at a time; more give ENFILE. Only what is used takes memory. */
const NODES_MAX = 1 << 20;
const NAMES_MAX_BYTES = 128 << 20;
/** Content of the virtual files that are open. */
const TEXTS_MAX_BYTES = 16 << 20;
/** Records that wait for the journal: some 40,000. */
const RING_BYTES = 4 << 20;

/** Plain buffers: goes to worker threads in their workerData. */
export interface SharedState {
	readonly gate: SharedArrayBuffer;
	readonly nodes: SharedArrayBuffer;
	readonly names: SharedArrayBuffer;
	readonly handles: SharedArrayBuffer;
	readonly texts: SharedArrayBuffer;
	readonly directories: SharedArrayBuffer;
	readonly root: SharedArrayBuffer;
	readonly board: SharedArrayBuffer;
	readonly ring: SharedArrayBuffer;
	readonly writes: SharedArrayBuffer;
	readonly versions: SharedArrayBuffer;
	readonly versionTexts: SharedArrayBuffer;
	/** What this node's users change, for who follows the tree. */
	readonly changed: SharedArrayBuffer;
}

/** @param handlesMax open files at most; there must be descriptors for all of them */
export const createSharedState = (gate: SharedArrayBuffer, handlesMax: number): SharedState => ({
	gate,
	nodes: createInodeCells(NODES_MAX),
	names: createSlabBuffer(NAMES_MAX_BYTES),
	handles: createHandleCells(handlesMax),
	texts: createSlabBuffer(TEXTS_MAX_BYTES),
	directories: createDirectoryCells(),
	root: createRootCells(),
	board: createBoardBuffer(SENTINELS.length),
	ring: createRingBuffer(RING_BYTES),
	writes: createWriteCounts(),
	...createVersionBuffers(),
	changed: createChangedRing(),
});

export interface Tables {
	readonly gate: GateReader;
	readonly inodes: InodeTable;
	readonly kept: KeptPages;
	readonly handles: HandleTable;
	readonly directories: DirectoryCache;
	readonly root: CurrentRoot;
	readonly board: Board;
	readonly inoOf: (nodeid: number) => bigint;
	readonly ring: JournalRing;
	readonly writes: WriteCounts;
	readonly versions: VersionTable;
	readonly changed: ChangedRing;
}

/** The calling thread's view of the shared memory. */
export const openTables = (state: SharedState): Tables => ({
	gate: new GateReader(state.gate),
	inodes: new InodeTable(state),
	kept: new KeptPages(state.nodes),
	handles: new HandleTable(state),
	directories: new DirectoryCache(state.directories),
	root: new CurrentRoot(state.root),
	board: new Board(state.board, SENTINELS.length),
	inoOf: inodeNumbers(state.nodes),
	ring: new JournalRing(state.ring),
	writes: new WriteCounts(state.writes),
	versions: new VersionTable(state),
	changed: new ChangedRing(state.changed),
});
