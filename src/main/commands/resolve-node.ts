/** Finds the node that a person means: by UUID, the beginning of a UUID, name or address. Pure. */
import {HekafsError} from '../../errors.ts';
import {type NodeUuid} from '../../membership/ids.ts';
import {type StatusReport} from '../../membership/report.ts';

/** Shorter beginnings are taken for names: `a` or `10` say too little about a UUID. */
const MIN_PREFIX = 4;

type Known = Pick<StatusReport, 'node' | 'servers' | 'set' | 'members'>;

/** Every node that the report names, with all names and addresses known for it. */
const nodesOf = (report: Known): ReadonlyMap<NodeUuid, ReadonlySet<string>> => {
	const nodes = new Map<NodeUuid, Set<string>>();
	const add = (uuid: NodeUuid, ...names: readonly string[]): void => {
		const known = nodes.get(uuid) ?? new Set();
		for (const name of names) known.add(name.toLowerCase());
		nodes.set(uuid, known);
	};
	add(report.node.uuid, report.node.hostname);
	for (const {uuid, address} of [...report.servers, ...(report.set?.servers ?? [])]) add(uuid, address);
	for (const {uuid, addresses} of report.members) add(uuid, ...addresses);
	return nodes;
};

/** Every word by which `resolveNode` knows a node: UUIDs first, then names and addresses, each once. */
export const nodeNames = (report: Known): readonly string[] => {
	const nodes = nodesOf(report);
	return [...new Set([...nodes.keys(), ...[...nodes.values()].flatMap(names => [...names].sort())])];
};

const listed = (nodes: ReadonlyMap<NodeUuid, ReadonlySet<string>>, uuids: Iterable<NodeUuid>): string =>
	[...uuids]
		.sort()
		.map(uuid => `${uuid} (${[...nodes.get(uuid)!].join(', ')})`)
		.join('; ');

/**
 * @param text what the person typed
 * @throws HekafsError HEKAFS_REFUSED when no node or several match; the message or remedy lists them
 */
export const resolveNode = (text: string, report: Known): NodeUuid => {
	const nodes = nodesOf(report);
	const wanted = text.toLowerCase();
	const matching = (test: (uuid: NodeUuid, names: ReadonlySet<string>) => boolean): NodeUuid[] =>
		[...nodes].filter(([uuid, names]) => test(uuid, names)).map(([uuid]) => uuid);
	// The surest kind of match decides: a whole UUID, then a whole name, then the beginning of a UUID.
	const found = [
		matching(uuid => uuid === wanted),
		matching((_uuid, names) => names.has(wanted)),
		matching(uuid => wanted.length >= MIN_PREFIX && uuid.startsWith(wanted)),
	].find(list => list.length > 0);
	if (found === undefined)
		throw new HekafsError('HEKAFS_REFUSED', `no node of this cluster is called '${text}'`, {
			remedy: `Known are: ${listed(nodes, nodes.keys())}`,
		});
	if (found.length > 1)
		throw new HekafsError('HEKAFS_REFUSED', `'${text}' can mean ${found.length} nodes`, {
			remedy: `Give the whole UUID of one of: ${listed(nodes, found)}`,
		});
	return found[0]!;
};
