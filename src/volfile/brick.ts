/** The volfile of a brick: what `glusterfsd` runs on a config server. */
import {isIPv6} from 'node:net';
import {HekafsError} from '../errors.ts';
import {isAddress, isPort} from '../membership/address.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {CLIENT_PREFIX, exportName} from './names.ts';
import {formatVolfile, type Translator} from './syntax.ts';
import {TRANSPORT_OPTIONS} from './transport.ts';

/** How often posix checks that its disk still takes writes; it stops the brick when not (GlusterFS' default). */
export const HEALTH_CHECK_INTERVAL_S = 30;

export interface BrickVolfileOptions {
	readonly set: ServerSet;
	readonly self: NodeUuid;
	/** Absolute path. It carries the filesystem's id as `trusted.glusterfs.volume-id`: a foreign or unmounted one is refused. */
	readonly brickDirectory: string;
	readonly port: number;
	/** Who may connect: addresses, `a.b.c.d/len` networks or `*`. The same on all servers: one that rejects unmounts the client. */
	readonly allowAddresses: readonly string[];
	/** All addresses when absent. */
	readonly bindAddress?: string | undefined;
}

const NETWORK = /^(.+)\/(\d{1,3})$/;
const isAllowed = (text: string): boolean => {
	const network = NETWORK.exec(text);
	if (network === null) return text === '*' || isAddress(text);
	return isAddress(network[1]!) && Number(network[2]) <= 128;
};

const problemOf = (options: BrickVolfileOptions): string | undefined => {
	const {brickDirectory, port, allowAddresses, bindAddress} = options;
	if (!brickDirectory.startsWith('/')) return `not an absolute path: ${JSON.stringify(brickDirectory)}`;
	if (!isPort(port)) return `not a port: ${port}`;
	if (allowAddresses.length === 0) return 'nobody is allowed to connect';
	const refused = allowAddresses.find(a => !isAllowed(a));
	if (refused !== undefined) return `not an address: ${JSON.stringify(refused)}`;
	if (bindAddress !== undefined && !isAddress(bindAddress))
		return `not an address: ${JSON.stringify(bindAddress)}`;
	return undefined;
};

/**
 * Text of the brick's volfile (stack of GLUSTER.md, "Recommended design").
 * @throws HekafsError HEKAFS_STATE_INVALID when a value can't stand in a volfile, above all a path with blanks
 */
export const brickVolfile = (options: BrickVolfileOptions): string => {
	const problem = problemOf(options);
	if (problem !== undefined)
		throw new HekafsError('HEKAFS_STATE_INVALID', `can't make the brick's volfile: ${problem}`);
	const {set, brickDirectory, port, allowAddresses, bindAddress} = options;
	const exported = exportName(set);
	const translators: readonly Translator[] = [
		{
			name: 'posix',
			type: 'storage/posix',
			options: {
				directory: brickDirectory,
				'volume-id': set.filesystemId,
				'health-check-interval': HEALTH_CHECK_INTERVAL_S,
				'fips-mode-rchecksum': 'on',
			},
			subvolumes: [],
		},
		{name: 'acl', type: 'features/access-control', options: {}, subvolumes: ['posix']},
		{name: 'locks', type: 'features/locks', options: {}, subvolumes: ['acl']},
		{name: 'iot', type: 'performance/io-threads', options: {}, subvolumes: ['locks']},
		{
			name: 'index',
			type: 'features/index',
			options: {
				'index-base': `${brickDirectory}/.glusterfs/indices`,
				'xattrop-dirty-watchlist': 'trusted.afr.dirty',
				'xattrop-pending-watchlist': `trusted.afr.${CLIENT_PREFIX}`,
			},
			subvolumes: ['iot'],
		},
		{name: exported, type: 'debug/io-stats', options: {}, subvolumes: ['index']},
		{
			name: 'server',
			type: 'protocol/server',
			options: {
				'transport-type': 'tcp',
				'transport.address-family': bindAddress !== undefined && isIPv6(bindAddress) ? 'inet6' : 'inet',
				...(bindAddress === undefined ? {} : {'transport.socket.bind-address': bindAddress}),
				'transport.socket.listen-port': port,
				...TRANSPORT_OPTIONS,
				[`auth.addr.${exported}.allow`]: allowAddresses.join(','),
				'auth-path': exported,
			},
			subvolumes: [exported],
		},
	];
	return formatVolfile(translators);
};
