/** Constructors of the reasons: the sentence that says what is wrong, and the command or the step that helps. */
import {type Epoch, type FilesystemId, type NodeUuid} from './ids.ts';
import {type Marker} from './marker.ts';
import {type Reason, type ReasonCode} from './reason.ts';
import {type Server, type ServerSet} from './server-set.ts';

/** A server as people know it: its address, and the UUID that commands take. */
export const serverName = ({uuid, address}: Pick<Server, 'uuid' | 'address'>): string =>
	`${address} (${uuid})`;
export const serverNames = (set: ServerSet): string => set.servers.map(serverName).join(', ');

const markerPath = (name: string): string => `.hekafs/markers/${JSON.stringify(name).slice(1, -1)}`;
/** The machinery's files can be reached only below the overlay, through a mount made by hand. */
const BY_HAND = '`hfs_config volfile > ~/hekafs.vol && glusterfs -f ~/hekafs.vol /mnt`, then in /mnt:';
/** Of another node we don't know how hekafsd got there. */
const START = '`systemctl start hekafsd`, or `hekafsd --daemonize` where there is no unit';
const STATUS = 'run `hfs_config status` for details';

const HEAL =
	'wait, servers heal each other by themselves; `echo heal > /etc/hekafs/.hekafs/control` starts it now';

const reason = (code: ReasonCode, text: string, remedy: string): Reason => ({code, text, remedy});

/** Each code has one; two have more, for the different ways in which the same thing shows. Arguments are named in the sentence. */
export const reasonFor = {
	starting: () =>
		reason('starting', 'hekafsd has just started and has not looked at the cluster yet', `wait; ${STATUS}`),
	noFilesystem: () =>
		reason(
			'no-filesystem',
			'no node of this cluster serves a configuration filesystem',
			'run `hfs_config serve` on the node that shall be the first config server',
		),
	noMembers: () =>
		reason(
			'no-members',
			'this node is alone in its cluster and does not serve',
			'run `gluster peer probe HOST` on a node of the cluster, or `hfs_config serve` here',
		),
	mountFailed: (problem: string) =>
		reason(
			'mount-failed',
			`the configuration filesystem could not be mounted: ${problem}`,
			'it is tried again by itself; run `hfs_config plan` to see what is tried, and read the log of the mount in /var/log/hekafs',
		),
	mountSilent: (timeoutMs: number) =>
		reason(
			'mount-silent',
			`the private mount has not answered for ${timeoutMs} ms`,
			'it is mounted anew by itself; run `hfs_config status` to see which servers are up',
		),
	markersUnreadable: (problem: string) =>
		reason(
			'markers-unreadable',
			`the set record and the markers can't be read: ${problem}`,
			`run \`hfs_config status\`; if the servers are up, look with ${BY_HAND} \`ls -la .hekafs .hekafs/markers\``,
		),
	markerMissing: (server: Server, set: ServerSet) => {
		const {filesystemId, epoch} = set;
		const marker: Marker = {format: 1, filesystemId, ...server, since: epoch};
		return reason(
			'marker-missing',
			`config server ${serverName(server)} has no marker: ${markerPath(server.uuid)} is missing`,
			`if it is to leave, run \`hfs_config retire ${server.uuid}\`; to put it back: ${BY_HAND} \`echo '${JSON.stringify(marker)}' > ${markerPath(server.uuid)}\``,
		);
	},
	markerForeign: (name: string, marker: Marker, set: ServerSet) =>
		reason(
			'marker-foreign',
			`${markerPath(name)} marks ${serverName(marker)}, which is not a config server of epoch ${set.epoch} (${serverNames(set)})`,
			`if it shall serve, run \`hfs_config serve\` on it after removing the file; to remove it: ${BY_HAND} \`rm ${markerPath(name)}\``,
		),
	markerInvalid: (name: string, problem: string) =>
		reason(
			'marker-invalid',
			`${markerPath(name)} is not a valid marker: ${problem}`,
			`put its content right or remove it: ${BY_HAND} \`cat ${markerPath(name)}\``,
		),
	epochDiffers: (what: string, found: ServerSet | Epoch, mounted: ServerSet) =>
		reason(
			'epoch-differs',
			typeof found === 'number'
				? `${what} speaks of epoch ${found}, but epoch ${mounted.epoch} is mounted`
				: `${what} has epoch ${found.epoch} with ${serverNames(found)}, but epoch ${mounted.epoch} with ${serverNames(mounted)} is mounted`,
			'the recorded set is mounted by itself; if this stays, run `hfs_config plan` to see what holds it up',
		),
	filesystemDiffers: (what: string, found: FilesystemId, expected: FilesystemId) =>
		reason(
			'filesystem-differs',
			`${what} belongs to filesystem ${found}, but this node belongs to ${expected}`,
			'run `hfs_config status` on each node to see who serves which; on a node that shall change over, `systemctl stop hekafsd`, move its state directory away and start it again',
		),
	twoFilesystems: (ours: FilesystemId, other: FilesystemId) =>
		reason(
			'two-filesystems',
			`members of this cluster belong to different filesystems: ${ours} and ${other}`,
			'keep one (`hfs_config status` on each node shows which it has): on the servers of the other one stop hekafsd, move its state.json away, start it again',
		),
	tooFewServers: (set: ServerSet, up: ReadonlySet<NodeUuid>) => {
		const down = set.servers.filter(s => !up.has(s.uuid));
		return reason(
			'no-quorum',
			`${set.servers.length - down.length} of ${set.servers.length} config servers are up, which is no quorum; down: ${down.map(serverName).join(', ')}`,
			`start hekafsd on them (${START}) or mend the network${set.servers.length === 2 ? `; if that machine is off for ever, on the other one: \`hfs_config retire ${down[0]?.uuid ?? 'NODE'} --force\`` : ''}`,
		);
	},
	changing: (what?: string) =>
		reason(
			'changing',
			`the server set is being changed${what === undefined ? '' : `: ${what}`}`,
			'wait, it takes seconds; if this stays, run `hfs_config plan`',
		),
	retired: (set: ServerSet) =>
		reason(
			'retired',
			`this node was retired: epoch ${set.epoch} is served by ${serverNames(set)}`,
			'nothing, if that was meant; run `hfs_config serve` to make it a config server again (on a new, empty brick)',
		),
	brickDown: (problem: string) =>
		reason(
			'brick-down',
			`this node is a config server, but its brick does not run: ${problem}`,
			'it is started by itself; if this stays, run `hfs_config plan` and read the log of the brick in /var/log/hekafs',
		),
	serverDown: (server: Server) =>
		reason(
			'server-down',
			`config server ${serverName(server)} is down`,
			`start hekafsd on it (${START}); if it will never come back, run \`hfs_config retire ${server.uuid}\``,
		),
	healsPending: (pending: number) => reason('heals-pending', `${pending} heals are pending`, HEAL),
	healsUnknown: () => reason('heals-pending', 'pending heals could not be counted', HEAL),
	splitBrain: (count: number) =>
		reason(
			'split-brain',
			`${count} files have versions of which GlusterFS can't choose one (split brain)`,
			'`hfs_config volfile > ~/hekafs.vol; cd $(glusterfs --print-libexecdir)`, then `./glfsheal hekafs split-brain-info volfile-path ~/hekafs.vol` names them and `./glfsheal hekafs latest-mtime PATH volfile-path ~/hekafs.vol` chooses one',
		),
	readingCopy: (checkedAt: Date, ageMs: number) =>
		reason(
			'reading-copy',
			`reads are served from this node's copy of ${checkedAt.toISOString()}, which is ${Math.max(0, Math.round(ageMs / 1000))} s old`,
			'wait: the filesystem itself is read again as soon as it can be; the other reasons say what holds it up',
		),
	copyNotKept: (problem: string) =>
		reason(
			'copy-not-kept',
			`this node's copy for reading without quorum is not up to date: ${problem}`,
			'when the tree is too large, remove what does not belong in it, or raise --copy-limit; see "copy" in `hfs_config status --json` for what is kept',
		),
	peerUnreachable: (node: string, problem: string) =>
		reason(
			'peer-unreachable',
			`hekafsd of member ${node} can't be asked: ${problem}`,
			`start hekafsd on it (${START}), or look for a firewall in front of its port (8080 unless --listen says otherwise)`,
		),
	membersUnknown: (problem: string) =>
		reason(
			'members-unknown',
			`the members of the cluster are not known: ${problem}`,
			'run `systemctl start glusterd`, then `gluster peer status`',
		),
	stopping: () => reason('stopping', 'hekafsd is stopping', `start it again (${START})`),
} as const satisfies Readonly<Record<string, (...args: never[]) => Reason>>;
