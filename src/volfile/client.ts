/** The volfiles of those who use the bricks: the mount, the self-heal daemon, and the look at one brick alone. */
import {isIPv6} from 'node:net';
import {HekafsError} from '../errors.ts';
import {isAddress} from '../membership/address.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type Server, type ServerSet} from '../membership/server-set.ts';
import {clientName, exportName, REPLICATE_NAME} from './names.ts';
import {formatVolfile, type Translator} from './syntax.ts';
import {TRANSPORT_OPTIONS} from './transport.ts';

/**
 * After this long without a sign of life from a server's process it counts as down. The first write blocks for one to two
 * times as long (observed: 7 to 10 s with 5), as the timer begins anew when anything was sent meanwhile (GlusterFS'
 * `rpc-clnt-ping`): less than the deadline of an operation. For a process that stands still; a host that is gone is found
 * sooner (`TRANSPORT_OPTIONS`).
 */
export const PING_TIMEOUT_S = 4;
/** A call that a connected server doesn't answer fails after this. */
export const FRAME_TIMEOUT_S = 60;
/** How often the self-heal daemon looks at its index; GlusterFS refuses less than 5. */
export const HEAL_INTERVAL_S = 5;
const HEAL_THREADS = 4;

export interface ClientVolfileOptions {
	readonly set: ServerSet;
	/** Where to reach a server, when not at its `address`: a server reaches its own brick at 127.0.0.1. */
	readonly addressOf?: ((server: Server) => string) | undefined;
	readonly pingTimeoutS?: number | undefined;
	/**
	 * Leaves the other servers out. Only for counting heals: a server that does not answer at all holds glfsheal up for
	 * 10 s (AFR waits for word from every child). Never for a mount that is written through.
	 */
	readonly only?: ReadonlySet<NodeUuid> | undefined;
	/** The set whose name the bricks export, when it is not `set`: heals among the servers of an old set behind the fence. */
	readonly under?: ServerSet | undefined;
	/** Adds open-behind, quick-read and md-cache: faster random stats, no gain else (GLUSTER.md §12). Off by default. */
	readonly performance?: boolean | undefined;
}

const client = (
	{set, under = set, addressOf = s => s.address, pingTimeoutS = PING_TIMEOUT_S}: ClientVolfileOptions,
	server: Server,
): Translator => {
	const address = addressOf(server);
	if (!isAddress(address))
		throw new HekafsError(
			'HEKAFS_STATE_INVALID',
			`the address of server ${server.uuid} can't stand in a volfile: ${JSON.stringify(address)}`,
		);
	return {
		name: clientName(server.uuid),
		type: 'protocol/client',
		options: {
			'transport-type': 'tcp',
			'transport.address-family': isIPv6(address) ? 'inet6' : 'inet',
			'remote-host': address,
			'remote-port': server.port,
			'remote-subvolume': exportName(under),
			...TRANSPORT_OPTIONS,
			'ping-timeout': pingTimeoutS,
			'frame-timeout': FRAME_TIMEOUT_S,
			'send-gids': 'true',
			// The overlay appends with O_DIRECT, so that the kernel leaves an append in one piece; the bricks would take
			// that to mean aligned buffers.
			'filter-O_DIRECT': 'on',
		},
		subvolumes: [],
	};
};

/** AFR above one client per server; its options are the same for all, so that all see the same quorum and changelogs. */
const replicated = (options: ClientVolfileOptions, more: Translator['options']): readonly Translator[] => {
	const {set, only} = options;
	const servers = set.servers.filter(server => only?.has(server.uuid) ?? true);
	const names = servers.map(s => clientName(s.uuid));
	return [
		...servers.map(server => client(options, server)),
		{
			name: REPLICATE_NAME,
			type: 'cluster/replicate',
			options: {
				'afr-pending-xattr': names.join(','),
				'volume-id': set.filesystemId,
				'granular-entry-heal': 'on',
				'use-anonymous-inode': 'yes',
				'quorum-type': 'auto',
				'data-self-heal': 'on',
				'metadata-self-heal': 'on',
				'entry-self-heal': 'on',
				...more,
			},
			subvolumes: names,
		},
	];
};

const PERFORMANCE: ReadonlyArray<readonly [string, string]> = [
	['open-behind', 'performance/open-behind'],
	['quick-read', 'performance/quick-read'],
	['md-cache', 'performance/md-cache'],
];

/**
 * Text of the volfile with which the filesystem is mounted.
 * @throws HekafsError HEKAFS_STATE_INVALID when a value can't stand in a volfile
 */
export const clientVolfile = (options: ClientVolfileOptions): string => {
	const graph: Translator[] = [
		...replicated(options, {}),
		{name: 'utime', type: 'features/utime', options: {noatime: 'on'}, subvolumes: [REPLICATE_NAME]},
	];
	for (const [name, type] of options.performance === true ? PERFORMANCE : [])
		graph.push({name, type, options: {}, subvolumes: [graph.at(-1)!.name]});
	graph.push({name: 'top', type: 'debug/io-stats', options: {}, subvolumes: [graph.at(-1)!.name]});
	return formatVolfile(graph);
};

/** Text of the volfile of a config server's self-heal daemon (GLUSTER.md §5). Throws as `clientVolfile` does. */
export const shdVolfile = (options: Omit<ClientVolfileOptions, 'performance'>): string =>
	formatVolfile(
		replicated(options, {
			'iam-self-heal-daemon': 'yes',
			'self-heal-daemon': 'on',
			'background-self-heal-count': 0,
			'heal-timeout': HEAL_INTERVAL_S,
			'shd-max-threads': HEAL_THREADS,
		}),
	);

/** Text of a volfile that shows one brick alone, with its `trusted.afr.*`: for checks and repair. Throws as above. */
export const singleBrickVolfile = (
	options: Pick<ClientVolfileOptions, 'set' | 'addressOf' | 'pingTimeoutS'> & {readonly server: Server},
): string => formatVolfile([client(options, options.server)]);
