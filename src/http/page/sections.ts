/** The parts of the status page, in the order of `hfs_config status`: what is wrong, what to do, then the facts. Pure. */
import {indispensableServers} from '../../membership/indispensable.ts';
import {type Reason} from '../../membership/reason.ts';
import {type StatusReport} from '../../membership/report.ts';
import {type Html, markup, NOTHING} from './markup.ts';
import {type PageChange, type PageState} from './state.ts';

interface Look {
	readonly mark: string;
	readonly title: string;
	readonly more: string;
}

const HEALTH: Readonly<Record<StatusReport['health'], Look>> = {
	healthy: {
		mark: '✓',
		title: 'Healthy',
		more: 'Writes are admitted, all servers are up and nothing is pending.',
	},
	degraded: {mark: '!', title: 'Degraded', more: 'Writes are admitted; redundancy is not complete.'},
	refusing: {mark: '✕', title: 'Writes are refused', more: 'No file can be changed.'},
};

const SWITCHING: Look = {
	mark: '…',
	title: 'Writes wait',
	more: 'For a change or a repair, which takes seconds as a rule.',
};

const looksOf = ({health, gate}: StatusReport): Look =>
	gate.state === 'switching' ? SWITCHING : HEALTH[health];

/** `2026-01-02T03:04:05.678Z` as `2026-01-02 03:04:05 UTC`. */
const time = (iso: string): Html =>
	markup`<time datetime="${iso}">${iso.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}</time>`;

/** Text with commands between backticks. */
const prose = (text: string): readonly Html[] =>
	text.split('`').map((part, i) => (i % 2 === 1 ? markup`<code>${part}</code>` : markup`${part}`));

const reason = ({code, text, remedy}: Reason): Html =>
	markup`<li>
		<p>${prose(text)} <span class="code">${code}</span></p>
		<p class="remedy"><strong>What to do:</strong> ${prose(remedy)}</p>
	</li>`;

/** Read out by screen readers when it changes, so it holds nothing that changes all the time. */
const verdict = ({report}: PageState): Html => {
	const {mark, title, more} = looksOf(report);
	const kind = report.gate.state === 'switching' ? 'switching' : report.health;
	return markup`<div class="verdict ${kind}">
		<h2><span class="mark" aria-hidden="true">${mark}</span> ${title}</h2>
		<p>${more}</p>
	</div>`;
};

const reasons = ({report}: PageState): Html =>
	report.reasons.length === 0
		? NOTHING
		: markup`<section aria-labelledby="reasons-heading">
			<h2 id="reasons-heading">What is wrong, and what to do</h2>
			<ul class="reasons">${report.reasons.map(reason)}</ul>
		</section>`;

/** The page of another node; an address with a colon is IPv6. */
const pageOf = (address: string, port: number): string =>
	`http://${address.includes(':') ? `[${address}]` : address}:${port}/`;

const nodeCell = (
	state: PageState,
	{uuid, address}: {readonly uuid: string; readonly address: string},
	note = '',
): Html => {
	const name =
		uuid === state.report.node.uuid
			? markup`<strong>${address}</strong> (this node)`
			: markup`<a href="${pageOf(address, state.peerPort)}">${address}</a>`;
	const noted = note === '' ? NOTHING : markup` <span class="note">${note}</span>`;
	return markup`<th scope="row">${name}${noted}<br /><span class="uuid">${uuid}</span></th>`;
};

const said = (good: boolean, text: string): Html =>
	markup`<td><span class="${good ? 'good' : 'bad'}">${good ? '✓' : '✕'} ${text}</span></td>`;

const servers = (state: PageState): Html => {
	const {report, markers} = state;
	if (report.backend === 'local') return markup`<p>A local directory: there are no servers.</p>`;
	if (report.servers.length === 0) return markup`<p>There are no config servers yet.</p>`;
	const up = new Set(report.servers.filter(server => server.up).map(server => server.uuid));
	const needed = new Set<string>(report.set === null ? [] : indispensableServers(report.set, up));
	const marker = (has: boolean): Html =>
		markers === undefined ? markup`<td>not known</td>` : said(has, has ? 'there' : 'missing');
	const rows = report.servers.map(
		server =>
			markup`<tr>
				${nodeCell(state, server, needed.has(server.uuid) ? 'no quorum without it' : '')}
				${said(server.up, server.up ? 'up' : 'down')}
				${marker(markers?.has(server.uuid) === true)}
			</tr>`,
	);
	const inSet = new Set(report.servers.map(server => server.uuid));
	const foreign = [...(markers ?? [])]
		.filter(uuid => !inSet.has(uuid))
		.map(
			uuid =>
				markup`<tr>
					<th scope="row"><span class="uuid">${uuid}</span></th>
					<td>not in the set</td>
					${said(false, 'there')}
				</tr>`,
		);
	return markup`<table>
		<thead>
			<tr>
				<th scope="col">Server</th>
				<th scope="col">Brick</th>
				<th scope="col">Marker</th>
			</tr>
		</thead>
		<tbody>
			${rows}${foreign}
		</tbody>
	</table>`;
};

const heals = ({report, healsPeak}: PageState): Html => {
	if (report.backend === 'local') return markup`<p>Nothing to heal: there is one copy.</p>`;
	if (report.heals === null) return markup`<p>Not known.</p>`;
	const {pending, splitBrain} = report.heals;
	const split =
		splitBrain === 0 ? NOTHING : markup`<p><span class="bad">✕ ${splitBrain} in split brain</span></p>`;
	if (pending === 0) return markup`<p>Nothing is pending.</p>${split}`;
	const most = Math.max(healsPeak, pending);
	return markup`<p>
			<label
				>${pending} of ${most} entries wait for a heal
				<progress max="${most}" value="${most - pending}"></progress
			></label>
		</p>
		${split}`;
};

const fact = (name: string, value: Html): Html =>
	markup`<div>
		<dt>${name}</dt>
		<dd>${value}</dd>
	</div>`;

const GATE = {open: 'open', switching: 'switching', refusing: 'closed'} as const;

const copyText = ({copy}: StatusReport): Html => {
	if (copy === null) return markup`none is kept`;
	if (copy.checkedAt === null) return markup`none yet`;
	return markup`${copy.serving ? 'reads come from it; ' : ''}${copy.files} files, as of
	${time(copy.checkedAt)}`;
};

const facts = ({report}: PageState): Html => {
	const {brick, gate, set} = report;
	const brickText =
		brick === null ? 'none' : `${brick.running ? 'running' : 'not running'}, port ${brick.port}`;
	const ofGluster = markup`${fact('Verdict', markup`mounted servers and markers: ${report.verdict}`)}
	${fact('Filesystem', markup`<span class="uuid">${report.filesystemId ?? 'none yet'}</span>`)}
	${fact('Epoch', markup`${set?.epoch ?? 'none'}`)}${fact('Brick', markup`${brickText}`)}
	${fact('Copy', copyText(report))}`;
	return markup`<dl>
		${fact('Gate', markup`${GATE[gate.state]} since ${time(gate.since)}`)}
		${fact('Mounted at', markup`<code>${report.mountpoint}</code>`)}
		${report.backend === 'local' ? fact('Backend', markup`a local directory, not replicated`) : ofGluster}
		${fact('Node', markup`<span class="uuid">${report.node.uuid}</span>`)}
		${fact('Version', markup`${report.version}`)}
	</dl>`;
};

const members = (state: PageState): Html => {
	const rows = state.report.members.map(
		({uuid, addresses, connected}) =>
			markup`<tr>
				${nodeCell(state, {uuid, address: addresses[0] ?? uuid})}
				${said(connected, connected ? 'connected' : 'disconnected')}
			</tr>`,
	);
	if (rows.length === 0) return markup`<p>There are no others.</p>`;
	return markup`<table>
		<thead>
			<tr>
				<th scope="col">Member</th>
				<th scope="col">glusterd</th>
			</tr>
		</thead>
		<tbody>
			${rows}
		</tbody>
	</table>`;
};

/** A node by the name that people know it under. */
const nameOf = ({node, servers: set, members: others}: StatusReport, uuid: string): string =>
	uuid === node.uuid
		? node.hostname
		: (set.find(server => server.uuid === uuid)?.address ??
			others.find(member => member.uuid === uuid)?.addresses[0] ??
			uuid);

const changes = ({report, changes: list}: PageState): Html => {
	if (list === undefined) return markup`<p>Not shown here.</p>`;
	if (list.length === 0) return markup`<p>None since hekafsd was started.</p>`;
	const row = ({timeMs, node, operation, names}: PageChange): Html => {
		const what = names === undefined ? NOTHING : markup` <code>${names.path}</code> by ${names.user}`;
		return markup`<li>
			${time(new Date(timeMs).toISOString())} <strong>${operation}</strong>${what} on ${nameOf(report, node)}
		</li>`;
	};
	return markup`<ol class="changes">
		${list.map(row)}
	</ol>`;
};

/** Shown in tabs and lists of windows. */
const title = ({report}: PageState): Html =>
	markup`${looksOf(report).title} · ${report.node.hostname} · HekaFS`;

const SECTIONS = {title, verdict, reasons, servers, heals, facts, members, changes} as const;
export type SectionId = keyof typeof SECTIONS;
export type Sections = Readonly<Record<SectionId, string>>;

/** All parts as HTML, by the id of the element that they fill; `title` is text with entities. */
export const sectionsOf = (state: PageState): Sections =>
	Object.fromEntries(
		Object.entries(SECTIONS).map(([id, render]) => [
			id,
			// What the template is wrapped for does not count.
			render(state).text.replaceAll(/\s+/g, ' ').trim(),
		]),
	) as Record<SectionId, string>;
