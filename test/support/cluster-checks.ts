/** What must hold in a simulated cluster at every moment (P1, P3), of every write (P2), and when all is well again. */
import {type NodeUuid} from '../../src/membership/ids.ts';
import {type MarkerRead, parseMarker, parseSetRecord, type RecordRead} from '../../src/membership/marker.ts';
import {hasServer, sameSet, type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {judge} from '../../src/membership/verdict.ts';
import {NotConnected, type ReplicaClient} from './memory-bricks.ts';
import {type Daemon} from './simulated-daemon.ts';
import {type SimulatedCluster} from './simulated-cluster.ts';

export class Violation extends Error {}

const RECORD = '.hekafs/set';
const MARKERS = '.hekafs/markers';

const records = new Map<string, RecordRead>();
const markers = new Map<string, MarkerRead>();

const parsedRecord = (text: string | undefined): RecordRead => {
	if (text === undefined) return {kind: 'absent'};
	const known = records.get(text) ?? parseSetRecord(Buffer.from(text));
	records.set(text, known);
	return known;
};

const parsedMarker = (name: string, text: string): MarkerRead => {
	const key = `${name} ${text}`;
	const known = markers.get(key) ?? parseMarker(name, Buffer.from(text));
	markers.set(key, known);
	return known;
};

const textOf = (client: ReplicaClient, path: string): string | undefined => {
	const entry = client.read(path);
	return entry?.kind === 'file' ? entry.data : undefined;
};

/** What is wrong with the set that a mount shows; undefined when it agrees, or shows nothing. */
const disagreement = (client: ReplicaClient, set: ServerSet): string | undefined => {
	try {
		const verdict = judge({
			generation: 1 as never,
			mounted: set,
			up: new Set(client.live().map(l => l.uuid)),
			record: parsedRecord(textOf(client, RECORD)),
			markers: (client.list(MARKERS) ?? []).map(name =>
				parsedMarker(name, textOf(client, `${MARKERS}/${name}`) ?? ''),
			),
		});
		return verdict.kind === 'agreed' ? undefined : verdict.reasons.map(reason => reason.text).join('; ');
	} catch (error) {
		if (error instanceof NotConnected) return undefined;
		throw error;
	}
};

/** Daemons through whose gate and mount a write would be admitted now. */
export const admitting = (cluster: SimulatedCluster): readonly Daemon[] =>
	[...cluster.daemons.values()].filter(
		({alive, gate, overlay}) =>
			alive && gate.state === 'open' && overlay?.ended === false && overlay.client.hasQuorum(),
	);

/** P1 and P3, now. Throws a Violation. */
export const checkNow = (cluster: SimulatedCluster): void => {
	const writable = new Map<string, Daemon>();
	for (const daemon of admitting(cluster)) {
		const {set, client} = daemon.overlay!;
		writable.set(setIdOf(set), daemon);
		const wrong = disagreement(client, set);
		if (wrong !== undefined)
			throw new Violation(`P3: the gate of node ${daemon.machine.number} is open, but: ${wrong}`);
	}
	if (writable.size > 1) {
		const sets = [...writable.values()].map(
			daemon =>
				`node ${daemon.machine.number} epoch ${daemon.overlay!.set.epoch} of ${daemon.overlay!.set.servers.map(s => s.address).join(' ')}`,
		);
		throw new Violation(`P1: writes are admitted to several sets: ${sets.join('; ')}`);
	}
};

const numbersOf = (uuids: Iterable<NodeUuid>): string =>
	[...uuids]
		.map(uuid => uuid.slice(7, 8))
		.toSorted()
		.join(' ');

/** Why the cluster is not at rest yet; undefined when it is: one set on all nodes, open gates, identical bricks. */
export const unrest = (
	cluster: SimulatedCluster,
	goneForGood: readonly number[] = [],
): string | undefined => {
	const daemons = cluster.machines
		.filter(machine => !goneForGood.includes(machine.number))
		.map(machine => cluster.daemons.get(machine.uuid)!);
	const founded = daemons.filter(daemon => daemon.node.state !== undefined);
	if (founded.length === 0)
		return cluster.machines.some(machine => machine.brick !== undefined)
			? 'a brick without a set'
			: undefined;
	const [{overlay: first}] = daemons as [Daemon];
	if (first === undefined) return `node ${daemons[0]!.machine.number} has nothing mounted`;
	const {set} = first;
	for (const {machine, node, gate, overlay} of daemons) {
		const who = `node ${machine.number}`;
		if (overlay === undefined || !sameSet(overlay.set, set)) return `${who} has another set mounted`;
		if (gate.state !== 'open') return `the gate of ${who} is ${gate.state}`;
		const state = machine.state;
		if (state === undefined || !sameSet(state.set, set) || state.pending !== null)
			return `${who} remembers another set`;
		if (node.problems.size > 0) return `${who}: ${[...node.problems.values()].map(r => r.text).join('; ')}`;
		const serves = hasServer(set, machine.uuid);
		if (serves !== (state.brick !== null)) return `${who} ${serves ? 'has no brick' : 'still has a brick'}`;
		if (serves !== (machine.brick !== undefined)) return `${who}: its brick ${serves ? 'is down' : 'runs'}`;
		if (serves && machine.brick!.disk !== machine.directories.get(state.brick!.directory))
			return `${who} serves another directory than it remembers`;
	}
	const wrong = disagreement(first.client, set);
	if (wrong !== undefined) return wrong;
	const bricks = set.servers
		.map(server => cluster.machines.find(m => m.uuid === server.uuid)!.brick?.disk)
		.filter(disk => disk !== undefined);
	for (const disk of bricks)
		for (const server of set.servers)
			if ((disk.blame.get(server.uuid)?.size ?? 0) > 0)
				return `heals of ${numbersOf([server.uuid])} are pending`;
	const contents = bricks.map(disk =>
		JSON.stringify([...disk.entries].toSorted(([a], [b]) => (a < b ? -1 : 1))),
	);
	if (new Set(contents).size > 1) return 'bricks differ';
	return undefined;
};
