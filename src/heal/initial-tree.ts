/**
 * The tree with which `hfs_config init` fills an empty filesystem: what HekaFS' scripts keep in it, one setting a file, one
 * directory for each setting of which there can be several. Pure.
 */
import {type FilesystemId, type NodeUuid} from '../membership/ids.ts';
import {type Member} from '../membership/report.ts';
import {type Server} from '../membership/server-set.ts';

interface Placed {
	/** Relative, `/` between names. A directory comes before what is in it. */
	readonly path: string;
	/** 0 unless given. */
	readonly uid?: number;
	readonly gid?: number;
}

export type TreeEntry =
	| (Placed & {readonly kind: 'dir'; readonly mode: number})
	| (Placed & {readonly kind: 'file'; readonly mode: number; readonly content: string | Uint8Array})
	| (Placed & {readonly kind: 'symlink'; readonly target: string});

export interface InitialTreeOptions {
	/** Undefined for a local directory. */
	readonly filesystemId: FilesystemId | undefined;
	readonly servers: readonly Server[];
	/** The nodes of the cluster; this node too, if it is no server. */
	readonly members: ReadonlyArray<Pick<Member, 'uuid' | 'addresses'>>;
}

/** Version of this layout; scripts may check it. */
export const TREE_FORMAT = 1;

const README = `The configuration of this cluster: the same files on every node, kept by HekaFS.

format              version of this layout
filesystem          id of this config filesystem
nodes/UUID/         the nodes: address (one line), aliases/ (a file per further name), bricks/ (a file per brick directory)
bricks/             bricks offered for volumes: a file per brick
volumes/NAME/       volumes: bricks/, replicas, ssl, state ...
tenants/NAME/       tenants: credential (0600), uid_range, gid_range, certificates/, volumes/ (a file per volume that is enabled)
keys/               secrets: only root can look inside

A setting that can have several values is a directory with a file for each, so that two nodes can add one at the same time.
Write files whole: to a temporary name beside, then mv. Ranges and names are claimed with mkdir or ln, which only one can win.
.hekafs/healthy     is there while all is well; .hekafs/reason says what is not, and what to do
`;

const dir = (path: string, mode = 0o755): TreeEntry => ({kind: 'dir', path, mode});
const file = (path: string, content: string, mode = 0o644): TreeEntry => ({
	kind: 'file',
	path,
	mode,
	content,
});

/** The addresses of each node, servers' first; sorted by UUID. */
const nodesOf = ({
	servers,
	members,
}: InitialTreeOptions): ReadonlyArray<readonly [NodeUuid, readonly string[]]> => {
	const nodes = new Map<NodeUuid, Set<string>>();
	for (const {uuid, addresses} of [
		...servers.map(s => ({uuid: s.uuid, addresses: [s.address]})),
		...members,
	]) {
		const known = nodes.get(uuid) ?? new Set();
		for (const address of addresses) known.add(address);
		nodes.set(uuid, known);
	}
	return [...nodes]
		.map(([uuid, addresses]) => [uuid, [...addresses]] as const)
		.sort(([a], [b]) => (a < b ? -1 : 1));
};

/** All entries, each directory before its content. Addresses have been checked when they were learnt: they are good names. */
export const initialTree = (options: InitialTreeOptions): readonly TreeEntry[] => [
	file('README', README),
	file('format', `${TREE_FORMAT}\n`),
	...(options.filesystemId === undefined ? [] : [file('filesystem', `${options.filesystemId}\n`)]),
	dir('nodes'),
	...nodesOf(options).flatMap(([uuid, [address, ...aliases]]) => [
		dir(`nodes/${uuid}`),
		...(address === undefined ? [] : [file(`nodes/${uuid}/address`, `${address}\n`)]),
		dir(`nodes/${uuid}/aliases`),
		...aliases.map(alias => file(`nodes/${uuid}/aliases/${alias}`, '')),
		dir(`nodes/${uuid}/bricks`),
	]),
	dir('bricks'),
	dir('volumes'),
	dir('tenants'),
	dir('keys', 0o700),
];
