/** Volfiles written out by hand, as GlusterFS's own documentation has them: what src/volfile/ renders is not used here. */

export interface TestBrick {
	/** Name of the client translator, `cfs-<something>`. */
	readonly name: string;
	readonly directory: string;
	readonly port: number;
}

const volume = (name: string, type: string, options: readonly string[], below: readonly string[]): string =>
	[
		`volume ${name}`,
		`    type ${type}`,
		...options.map(option => `    option ${option}`),
		...(below.length === 0 ? [] : [`    subvolumes ${below.join(' ')}`]),
		'end-volume',
		'',
	].join('\n');

/** Server volfile: exports `exported` on 127.0.0.1. */
export const serverVolfile = (
	brick: TestBrick,
	exported: string,
	volumeId: string,
	allow = '127.0.0.1',
): string =>
	[
		volume('posix', 'storage/posix', [`directory ${brick.directory}`, `volume-id ${volumeId}`], []),
		volume('acl', 'features/access-control', [], ['posix']),
		volume('locks', 'features/locks', [], ['acl']),
		volume('iot', 'performance/io-threads', [], ['locks']),
		volume(
			'index',
			'features/index',
			[
				`index-base ${brick.directory}/.glusterfs/indices`,
				'xattrop-dirty-watchlist trusted.afr.dirty',
				'xattrop-pending-watchlist trusted.afr.cfs-',
			],
			['iot'],
		),
		volume(exported, 'debug/io-stats', [], ['index']),
		volume(
			'server',
			'protocol/server',
			[
				'transport-type tcp',
				'transport.address-family inet',
				'transport.socket.bind-address 127.0.0.1',
				`transport.socket.listen-port ${brick.port}`,
				`auth.addr.${exported}.allow ${allow}`,
				`auth-path ${exported}`,
			],
			[exported],
		),
	].join('');

const client = (brick: TestBrick, exported: string): string =>
	volume(
		brick.name,
		'protocol/client',
		[
			'transport-type tcp',
			'transport.address-family inet',
			'remote-host 127.0.0.1',
			`remote-port ${brick.port}`,
			`remote-subvolume ${exported}`,
			'ping-timeout 5',
			'frame-timeout 60',
			'send-gids true',
			'filter-O_DIRECT on',
		],
		[],
	);

const HEALS = ['data-self-heal on', 'metadata-self-heal on', 'entry-self-heal on'];

const replicate = (bricks: readonly TestBrick[], volumeId: string, options: readonly string[]): string =>
	volume(
		'afr',
		'cluster/replicate',
		[
			`afr-pending-xattr ${bricks.map(brick => brick.name).join(',')}`,
			`volume-id ${volumeId}`,
			'granular-entry-heal on',
			'use-anonymous-inode yes',
			'quorum-type auto',
			...HEALS,
			...options,
		],
		bricks.map(brick => brick.name),
	);

/** Client volfile of a replicated set. */
export const clientVolfile = (bricks: readonly TestBrick[], exported: string, volumeId: string): string =>
	[
		...bricks.map(brick => client(brick, exported)),
		replicate(bricks, volumeId, []),
		volume('utime', 'features/utime', ['noatime on'], ['afr']),
		volume('top', 'debug/io-stats', [], ['utime']),
	].join('');

/** Volfile of the self-heal daemon. */
export const shdVolfile = (bricks: readonly TestBrick[], exported: string, volumeId: string): string =>
	[
		...bricks.map(brick => client(brick, exported)),
		replicate(bricks, volumeId, [
			'iam-self-heal-daemon yes',
			'self-heal-daemon on',
			'background-self-heal-count 0',
			'heal-timeout 5',
			'shd-max-threads 4',
		]),
		volume('top', 'debug/io-stats', [], ['afr']),
	].join('');

/** One brick alone, without replication: shows the replication xattrs. */
export const singleBrickVolfile = (brick: TestBrick, exported: string): string => client(brick, exported);
