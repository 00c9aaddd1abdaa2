/** A node of the fast model: its disks, its state file, its processes; and groups of nodes as bits. */
import {type NodeUuid, type SetId} from '../../src/membership/ids.ts';
import {type NodeState} from '../../src/membership/node-state.ts';
import {type ServerSet} from '../../src/membership/server-set.ts';
import {uuidOf} from './sets.ts';

export const ABSENT = 0;

/** How many bits are set in a number below 256. */
const COUNTS = Uint8Array.from({length: 256}, (_, bits) => bits.toString(2).replaceAll('0', '').length);

export const countOf = (bits: number): number => COUNTS[bits]!;

/** The index of the lowest bit that is set. */
export const firstOf = (bits: number): number => 31 - Math.clz32(bits & -bits);

export class Brick {
	/** By path; 0 is absent. A file's value is a version, whose size says which one AFR takes where nobody is blamed. */
	readonly data: number[];
	/** By path: the nodes that missed it. */
	readonly blame: number[];
	/** Bits of paths: a write that was cut off may or may not have reached them. */
	dirty = 0;
	lock: Mount | undefined;

	constructor(paths: number) {
		this.data = new Array<number>(paths).fill(ABSENT);
		this.blame = new Array<number>(paths).fill(0);
	}
}

export interface Mount {
	readonly node: QuickNode;
	readonly set: ServerSet;
	readonly name: string;
	/** Indices of the set's servers, in its order. */
	readonly servers: readonly number[];
	ended: boolean;
}

export interface Waiting {
	readonly until: () => boolean;
}

export type Task = Generator<Waiting | undefined, void>;

/** First what survives a crash, then what a power cut ends, then what dies with hekafsd. */
export class QuickNode {
	readonly index: number;
	readonly bit: number;
	readonly uuid: NodeUuid;
	state: NodeState | undefined;
	readonly bricks = new Map<string, Brick>();

	on = true;
	served: {readonly brick: Brick; readonly set: ServerSet; readonly name: string} | undefined;
	/** The servers that its self-heal daemon knows, and the set under whose name it asks for their bricks. */
	selfHeal: {readonly servers: ServerSet; readonly under: ServerSet} | undefined;

	/** The operator has said that it is off for good. */
	gone = false;
	alive = true;
	mount: Mount | undefined;
	gateOpen = false;
	switching = false;
	asked = false;
	heard: ServerSet | undefined;
	acting: SetId | undefined;
	task: Task | undefined;
	waits: Waiting | undefined;
	write: {readonly mount: Mount; readonly path: number; readonly value: number} | undefined;

	constructor(index: number) {
		this.index = index;
		this.bit = 1 << index;
		this.uuid = uuidOf(index + 1);
	}

	/** hekafsd and its mounts are no more. */
	die(): void {
		this.alive = false;
		if (this.mount !== undefined) this.mount.ended = true;
		this.mount = undefined;
		this.gateOpen = false;
		this.switching = false;
		this.asked = false;
		this.heard = undefined;
		this.acting = undefined;
		this.task = undefined;
		this.waits = undefined;
		this.write = undefined;
	}
}
