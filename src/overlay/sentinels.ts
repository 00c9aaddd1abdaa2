/** The virtual files of `/etc/hekafs/.hekafs/`: one row each. */
import {type GateView} from '../membership/gate.ts';

/** The virtual directory, in the root. What the backing has under this name is unreachable through the overlay. */
export const VIRTUAL_DIRECTORY_NAME = '.hekafs';
export const VIRTUAL_DIRECTORY_NODE = 2;
const FIRST_SENTINEL_NODE = 3;

/** The highest 256 inode numbers: ext4 and xfs count up from the bottom, GlusterFS's are hashes of 64 bits. */
const FIRST_VIRTUAL_INO = 0xffff_ffff_ffff_ff00n;
export const virtualIno = (nodeid: number): bigint => FIRST_VIRTUAL_INO + BigInt(nodeid);

/** Words that `control` takes. */
export const CONTROL_WORDS = ['verify', 'heal', 'remount'] as const;
export type ControlWord = (typeof CONTROL_WORDS)[number];

export interface SentinelRow {
	readonly name: string;
	/** Permission bits. */
	readonly mode: number;
	readonly exists: (gate: GateView) => boolean;
}

const READABLE = 0o444;
const always = (): boolean => true;

/** Existence, not mode, tells the truth also to root, who is allowed everything. The order fixes the inode numbers. */
export const SENTINELS = [
	{name: 'healthy', mode: READABLE, exists: gate => gate.state === 'open' && !gate.degraded},
	{name: 'writable', mode: READABLE, exists: gate => gate.state === 'open'},
	{name: 'degraded', mode: READABLE, exists: gate => gate.state === 'open' && gate.degraded},
	{name: 'reason', mode: READABLE, exists: always},
	{name: 'status', mode: READABLE, exists: always},
	{name: 'members', mode: READABLE, exists: always},
	{name: 'servers', mode: READABLE, exists: always},
	{name: 'epoch', mode: READABLE, exists: always},
	{name: 'version', mode: READABLE, exists: always},
	{name: 'heals', mode: READABLE, exists: always},
	{name: 'metrics', mode: READABLE, exists: always},
	{name: 'control', mode: 0o200, exists: always},
] as const satisfies readonly SentinelRow[];

const ROWS: readonly SentinelRow[] = SENTINELS;
const BY_NAME = new Map(ROWS.map((row, index) => [row.name, index + FIRST_SENTINEL_NODE]));

/** Whether the node is the virtual directory or one of its files. */
export const isVirtualNode = (nodeid: number): boolean =>
	nodeid >= VIRTUAL_DIRECTORY_NODE && nodeid < FIRST_SENTINEL_NODE + SENTINELS.length;

/** @returns the node of the virtual file of that name, whether it exists now or not; undefined for other names */
export const sentinelNode = (name: Buffer): number | undefined => BY_NAME.get(name.toString('latin1'));

/** The place of the virtual file in `SENTINELS`. */
export const sentinelIndex = (nodeid: number): number => nodeid - FIRST_SENTINEL_NODE;
export const sentinelNodeAt = (index: number): number => index + FIRST_SENTINEL_NODE;
export const sentinelRow = (nodeid: number): SentinelRow | undefined => ROWS[sentinelIndex(nodeid)];
