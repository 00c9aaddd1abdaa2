/** The status report as `hfs_config status` shows it to people. Pure. */
import {indispensableServers} from '../../membership/indispensable.ts';
import {type StatusReport} from '../../membership/report.ts';
import {type Colour, type Paint} from './terminal.ts';
import {renderRows, wrap, type Cell} from './text-table.ts';

const HEALTH: Record<StatusReport['health'], readonly [Colour, string]> = {
	healthy: ['green', 'healthy'],
	degraded: ['yellow', 'degraded: writes are admitted, redundancy is not complete'],
	refusing: ['red', 'refusing: writes are refused'],
};

/** `2026-01-02T03:04:05.678Z` as `2026-01-02 03:04:05 UTC`. */
const timeText = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

const gateText = ({gate}: StatusReport): string => {
	const since = `since ${timeText(gate.since)}`;
	switch (gate.state) {
		case 'open':
			return `open ${since}`;
		case 'switching':
			return `switching ${since}: writes wait for a change or repair`;
		case 'refusing':
			return `closed ${since}`;
		default:
			return gate.state satisfies never;
	}
};

const filesystemText = (report: StatusReport): string => {
	if (report.backend === 'local') return 'a local directory, not replicated';
	if (report.filesystemId === null) return 'none yet';
	return report.set === null ? report.filesystemId : `${report.filesystemId}, epoch ${report.set.epoch}`;
};

const brickText = ({brick, serving}: StatusReport): string => {
	if (brick === null) return serving ? 'missing' : 'none: this node is no config server';
	const epoch = brick.epoch === null ? '' : `, epoch ${brick.epoch}`;
	return `${brick.running ? 'running' : 'not running'}, port ${brick.port}${epoch}`;
};

const healsText = ({heals}: StatusReport): string => {
	if (heals === null) return 'not known';
	if (heals.pending === 0 && heals.splitBrain === 0) return 'nothing pending';
	const splitBrain = heals.splitBrain === 0 ? '' : `, ${heals.splitBrain} in split brain`;
	return `${heals.pending} pending${splitBrain}`;
};

const factRow = (paint: Paint, name: string, text: string, colour?: Colour): readonly Cell[] => [
	{text: name, paint: t => paint('dim', t)},
	colour === undefined ? {text} : {text, paint: t => paint(colour, t)},
];

const facts = (report: StatusReport, paint: Paint): ReadonlyArray<readonly Cell[]> => {
	const [colour, health] = HEALTH[report.health];
	const splitBrain = (report.heals?.splitBrain ?? 0) > 0;
	return [
		factRow(paint, 'node', `${report.node.hostname}  ${report.node.uuid}`),
		factRow(paint, 'health', health, colour),
		factRow(paint, 'gate', gateText(report)),
		factRow(paint, 'mounted at', report.mountpoint),
		factRow(paint, 'filesystem', filesystemText(report)),
		...(report.backend === 'gluster'
			? [
					factRow(paint, 'brick', brickText(report)),
					factRow(paint, 'heals', healsText(report), splitBrain ? 'red' : undefined),
				]
			: []),
	];
};

/** What must be known of a server besides its state. */
const serverNote = (report: StatusReport, uuid: string, indispensable: ReadonlySet<string>): string =>
	[uuid === report.node.uuid ? 'this node' : '', indispensable.has(uuid) ? 'no quorum without it' : '']
		.filter(note => note !== '')
		.join('; ');

const servers = (report: StatusReport, paint: Paint): Cell[][] => {
	const up = new Set(report.servers.filter(server => server.up).map(server => server.uuid));
	const indispensable = new Set<string>(report.set === null ? [] : indispensableServers(report.set, up));
	return [
		['SERVER', 'ADDRESS', 'BRICK'].map(text => ({text, paint: t => paint('bold', t)})),
		...report.servers.map((server): Cell[] => [
			{text: server.uuid},
			{text: server.address},
			server.up ? {text: 'up', paint: t => paint('green', t)} : {text: 'down', paint: t => paint('red', t)},
			{text: serverNote(report, server.uuid, indispensable), paint: t => paint('dim', t)},
		]),
	];
};

const members = (report: StatusReport, paint: Paint): Cell[][] => [
	['MEMBER', 'ADDRESSES', 'GLUSTERD'].map(text => ({text, paint: t => paint('bold', t)})),
	...report.members.map(({uuid, addresses, connected}): Cell[] => [
		{text: uuid},
		{text: addresses.join(' ')},
		connected
			? {text: 'connected', paint: t => paint('green', t)}
			: {text: 'disconnected', paint: t => paint('yellow', t)},
		{text: uuid === report.node.uuid ? 'this node' : '', paint: t => paint('dim', t)},
	]),
];

const reasons = (report: StatusReport, paint: Paint, width: number): string[] =>
	report.reasons.flatMap(({code, text, remedy}) => [
		paint(report.health === 'refusing' ? 'red' : 'yellow', code),
		...wrap(text, width, '  '),
		...wrap(remedy, width, '     ', '  -> '),
	]);

/**
 * @param width columns to wrap sentences at
 * @returns lines with a newline at the end; no line ends in a space
 */
export const statusText = (report: StatusReport, paint: Paint, width: number): string => {
	const blocks = [
		renderRows(facts(report, paint)),
		report.servers.length === 0 ? [] : renderRows(servers(report, paint)),
		report.members.length === 0 ? [] : renderRows(members(report, paint)),
		reasons(report, paint, width),
	].filter(block => block.length > 0);
	return `${blocks.map(block => block.join('\n')).join('\n\n')}\n`;
};
