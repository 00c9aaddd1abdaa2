/** Server sets, markers, records and reports for tests, made from small numbers. */
import {type Epoch, type FilesystemId, type Generation, type NodeUuid} from '../../src/membership/ids.ts';
import {type Marker, type MarkerRead, type SetRecord} from '../../src/membership/marker.ts';
import {type StatusReport} from '../../src/membership/report.ts';
import {makeServerSet, type Server, type ServerSet} from '../../src/membership/server-set.ts';
import {attemptAbove} from '../../src/membership/vote.ts';

/** UUID number n; larger n sorts later. */
export const uuidOf = (n: number): NodeUuid =>
	`${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000` as NodeUuid;
export const filesystemOf = (n: number): FilesystemId =>
	`f0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as FilesystemId;
export const FS = filesystemOf(1);
export const NOW = '2026-03-01T12:00:00.000Z';

export const serverOf = (n: number): Server => ({uuid: uuidOf(n), address: `h${n}`, port: 24_100});
/** The servers in the order of the numbers. */
export const setOf = (
	epoch: number,
	numbers: readonly number[],
	filesystem: FilesystemId = FS,
	attempt = 0,
): ServerSet => makeServerSet(filesystem, epoch as Epoch, numbers.map(serverOf), attempt);
/** The first attempt of node `by`. */
export const firstAttempt = (by: number): number => attemptAbove(0, uuidOf(by));
export const uuids = (...numbers: readonly number[]): ReadonlySet<NodeUuid> => new Set(numbers.map(uuidOf));
export const generationOf = (n: number): Generation => n as Generation;

export const recordOf = (set: ServerSet): SetRecord => ({
	format: 1,
	set,
	changedBy: set.servers[0]!.uuid,
	changedAt: NOW,
});
export const markerOf = (n: number, changes: Partial<Marker> = {}): Marker => ({
	format: 1,
	filesystemId: FS,
	...serverOf(n),
	since: 1 as Epoch,
	...changes,
});
export const markerRead = (n: number, changes: Partial<Marker> = {}): MarkerRead => ({
	kind: 'marker',
	name: uuidOf(n),
	marker: markerOf(n, changes),
});

/** A report of node n that serves in `set` (when it is in it) and has agreed. */
export const reportOf = (
	n: number,
	set: ServerSet | null,
	changes: Partial<StatusReport> = {},
): StatusReport => {
	const serving = set?.servers.some(s => s.uuid === uuidOf(n)) ?? false;
	return {
		format: 1,
		version: '0.1.0',
		node: {uuid: uuidOf(n), hostname: `h${n}`},
		time: NOW,
		backend: 'gluster',
		filesystemId: set?.filesystemId ?? null,
		set,
		closed: 0,
		serving,
		brick: serving ? {running: true, port: 24_100, epoch: set!.epoch} : null,
		gate: {state: set === null ? 'refusing' : 'open', generation: generationOf(1), since: NOW},
		verdict: set === null ? 'unknown' : 'agreed',
		health: set === null ? 'refusing' : 'healthy',
		reasons: [],
		servers: set?.servers.map(({uuid, address}) => ({uuid, address, up: true})) ?? [],
		members: [1, 2, 3, 4]
			.filter(m => m !== n)
			.map(m => ({uuid: uuidOf(m), addresses: [`h${m}`], connected: true})),
		heals: {pending: 0, splitBrain: 0},
		copy: null,
		mountpoint: '/etc/hekafs',
		...changes,
	};
};

export const bytesOf = (value: unknown): Uint8Array =>
	new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
