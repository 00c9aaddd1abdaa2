/** Reads and writes the markers, the record, the change intent and the secret inside the filesystem. */
import {type ChangeIntent, formatChange, parseChange} from '../membership/change.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {
	formatMarker,
	formatSetRecord,
	type Marker,
	type MarkerRead,
	parseMarker,
	parseSetRecord,
	type RecordRead,
	type SetRecord,
} from '../membership/marker.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {MACHINERY, type Store} from './store.ts';

/** More than any of these files can need; what is longer is not ours and fails to parse. */
const MAX_BYTES = 64 * 1024;
/** More markers than this are not read: a directory that somebody filled. */
const MAX_MARKERS = 64;

export interface StoredSet {
	readonly record: RecordRead;
	readonly markers: readonly MarkerRead[];
}

/** The record and all markers. Rejects when the mount does not answer or fails. */
export const readStoredSet = async (store: Store): Promise<StoredSet> => {
	const recordBytes = await store.read(MACHINERY.record, MAX_BYTES);
	const record: RecordRead = recordBytes === null ? {kind: 'absent'} : parseSetRecord(recordBytes);
	const names = ((await store.list(MACHINERY.markers)) ?? []).filter(name => !name.startsWith('.'));
	const markers: MarkerRead[] = [];
	for (const name of names.toSorted().slice(0, MAX_MARKERS)) {
		const bytes = await store.read(`${MACHINERY.markers}/${name}`, MAX_BYTES);
		// A marker removed between listing and reading is as good as never listed.
		if (bytes !== null) markers.push(parseMarker(name, bytes));
	}
	return {record, markers};
};

export const writeRecord = async (store: Store, record: SetRecord): Promise<void> =>
	store.writeAtomic(MACHINERY.record, formatSetRecord(record), 0o600);

export const writeMarker = async (store: Store, marker: Marker): Promise<void> => {
	await store.mkdir(MACHINERY.markers, 0o700);
	await store.writeAtomic(`${MACHINERY.markers}/${marker.uuid}`, formatMarker(marker), 0o600);
};

export const removeMarker = async (store: Store, uuid: NodeUuid): Promise<void> =>
	store.remove(`${MACHINERY.markers}/${uuid}`);

/** Makes the markers those of `set`, whatever is there: a marker that is missing gets the set's epoch as its `since`. */
export const matchMarkers = async (store: Store, set: ServerSet): Promise<void> => {
	const names = new Set(await store.list(MACHINERY.markers));
	for (const name of names)
		if (!set.servers.some(server => server.uuid === name)) await store.remove(`${MACHINERY.markers}/${name}`);
	const {markers} = await readStoredSet(store);
	for (const server of set.servers) {
		const isThere = markers.some(
			({name, ...read}) =>
				name === server.uuid &&
				read.kind === 'marker' &&
				read.marker.uuid === name &&
				read.marker.filesystemId === set.filesystemId,
		);
		if (isThere) continue;
		await writeMarker(store, {format: 1, filesystemId: set.filesystemId, ...server, since: set.epoch});
	}
};

/** The intent of a change under way: undefined when there is none; a file that can't be parsed counts as one. */
export const readChange = async (store: Store): Promise<ChangeIntent | 'invalid' | undefined> => {
	const bytes = await store.read(MACHINERY.change, MAX_BYTES);
	if (bytes === null) return undefined;
	const read = parseChange(bytes);
	return read.kind === 'change' ? read.change : 'invalid';
};

export const writeChange = async (store: Store, change: ChangeIntent): Promise<void> =>
	store.writeAtomic(MACHINERY.change, formatChange(change), 0o600);

export const removeChange = async (store: Store): Promise<void> => store.remove(MACHINERY.change);

/** 64 hex digits; undefined when the filesystem has none (yet) or the file holds something else. */
export const readSecret = async (store: Store): Promise<string | undefined> => {
	const text = (await store.read(MACHINERY.secret, 256))?.toString('latin1').trim();
	return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined;
};
