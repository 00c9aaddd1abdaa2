/** The manual page hekafs(7), on the filesystem itself. */
import {REASON_CODES} from '../../membership/reason.ts';
import {SENTINELS} from '../../overlay/sentinels.ts';
import {code, terms, text, type Page} from './roff.ts';

/** What each virtual file says; one without an entry does not compile. */
const SENTINEL_TEXTS: Record<(typeof SENTINELS)[number]['name'], string> = {
	healthy: 'exists while writes are admitted, all servers are up and nothing is pending.',
	writable: 'exists while writes are admitted.',
	degraded: 'exists while writes are admitted, but redundancy is not complete; content as `reason`.',
	reason: 'empty while healthy; else a line for each reason: code, sentence, what to do, separated by tabs.',
	status: 'the status report as JSON, the same as GET /v1/status.',
	members: 'a line for each other member: UUID, address, connected or disconnected.',
	servers: 'a line for each config server: UUID, address, up or down.',
	epoch: 'the number of the server set, 0 while there is none.',
	version: 'the version of hekafsd.',
	heals: 'the numbers of pending heals and of files in split brain, or unknown.',
	metrics: 'figures as Prometheus text.',
	control: 'for root to write one word to: verify, heal, remount.',
};

export const overviewPage: Page = {
	name: 'hekafs',
	section: 7,
	summary: "a cluster's configuration as plain files",
	sections: [
		[
			'DESCRIPTION',
			[
				text(
					'The configuration of a cluster lives in a small private GlusterFS filesystem, replicated over two or three config servers. Every node sees it as plain files below `/etc/hekafs`, through hekafsd(8), which refuses writes whenever it is not certain that they reach the current set of servers. Reads and writes take the ordinary ways: cat, echo, mv, mkdir, flock.',
				),
				text(
					'The first node of a cluster makes itself a config server and fills the filesystem; the others join:',
				),
				code('hfs_config serve', 'hfs_config init', 'hfs_config status'),
			],
		],
		[
			'VIRTUAL FILES',
			[
				text(
					'The directory `/etc/hekafs/.hekafs` is not listed in its parent. It is answered from memory within milliseconds, whatever hangs below. Test the existence of files, not their modes:',
				),
				code('test -e /etc/hekafs/.hekafs/healthy', 'cat /etc/hekafs/.hekafs/reason'),
				terms(...SENTINELS.map(({name}) => [name, SENTINEL_TEXTS[name]] as const)),
			],
		],
		[
			'REASONS',
			[
				text(
					`The codes in \`reason\` are ${REASON_CODES.join(', ')}. A reader must ignore those that it does not know.`,
				),
			],
		],
		[
			'ERRORS',
			[
				terms(
					['EROFS', 'the gate is closed; `reason` says why and what to do.'],
					['ENOTCONN', 'nothing is mounted below, or there is no quorum.'],
					['ETIMEDOUT', 'the deadline passed; whether a change took effect is not known.'],
					['ESTALE', 'the file behind an open handle is gone since the private mount was exchanged.'],
				),
			],
		],
	],
	seeAlso: ['hekafsd(8)', 'hfs_config(8)'],
};
