/** The status page: what it shows in each state, that nothing foreign gets into it as HTML, its headers. */
import {createHash} from 'node:crypto';
import test from 'ava';
import {PAGE_HEADERS, pageText} from '../../../../src/http/page/document.ts';
import {markup} from '../../../../src/http/page/markup.ts';
import {sectionsOf} from '../../../../src/http/page/sections.ts';
import {type PageState} from '../../../../src/http/page/state.ts';
import {type Generation} from '../../../../src/membership/ids.ts';
import {NODE_A, NODE_B, REPORT} from '../../../support/http-node.ts';
import {serverOf, setOf, uuidOf} from '../../../support/sets.ts';

const STATE: PageState = {
	report: REPORT,
	markers: new Set(REPORT.servers.map(server => server.uuid)),
	healsPeak: 0,
	changes: [],
	peerPort: 8080,
};
const SET = setOf(3, [1, 2, 3]);
const OF_THREE: PageState = {
	...STATE,
	report: {
		...REPORT,
		node: {uuid: uuidOf(1), hostname: 'h1'},
		filesystemId: SET.filesystemId,
		set: SET,
		health: 'degraded',
		servers: [1, 2, 3].map(n => ({uuid: uuidOf(n), address: serverOf(n).address, up: n !== 3})),
		heals: {pending: 12, splitBrain: 1},
		reasons: [
			{code: 'server-down', text: 'config server h3 is down', remedy: 'run `systemctl start hekafsd` there'},
		],
	},
	markers: new Set([uuidOf(1), uuidOf(3), uuidOf(9)]),
	healsPeak: 40,
};
/** Without tags, as a reader sees it. */
const seen = (html: string): string =>
	html
		.replaceAll(/<[^>]*>/g, ' ')
		.replaceAll(/\s+/g, ' ')
		.trim();

test('what is put into a template is escaped, pieces of HTML are not', t => {
	t.is(
		markup`<p title="${'"\'<&>'}">${1}${markup`<b>${'a\u0000b'}</b>`}${[markup`x`, markup`y`]}</p>`.text,
		'<p title="&quot;&#39;&lt;&amp;&gt;">1<b>a b</b>xy</p>',
	);
});

test('healthy: the verdict says so, there are no reasons', t => {
	const {title, verdict, reasons, heals} = sectionsOf(STATE);
	t.regex(seen(verdict), /^✓ Healthy Writes are admitted/);
	t.is(reasons, '');
	t.regex(title, /^Healthy · /);
	t.is(seen(heals), 'Nothing is pending.');
});

test('degraded: reason and remedy, servers against markers, progress of heals', t => {
	const {verdict, reasons, servers, heals} = sectionsOf(OF_THREE);
	t.regex(seen(verdict), /^! Degraded/);
	t.regex(
		seen(reasons),
		/config server h3 is down server-down What to do: run systemctl start hekafsd there/,
	);
	t.true(reasons.includes('<code>systemctl start hekafsd</code>'));
	t.deepEqual(
		[...servers.matchAll(/<tr>.*?<\/tr>/g)].slice(1).map(([row]) => seen(row)),
		[
			`h1 (this node) no quorum without it ${uuidOf(1)} ✓ up ✓ there`,
			`h2 no quorum without it ${uuidOf(2)} ✓ up ✕ missing`,
			`h3 ${uuidOf(3)} ✕ down ✓ there`,
			`${uuidOf(9)} not in the set ✕ there`,
		],
	);
	t.true(servers.includes('href="http://h2:8080/"'));
	t.false(servers.includes('href="http://h1:8080/"'));
	t.true(heals.includes('<progress max="40" value="28">'));
	t.regex(seen(heals), /12 of 40 entries wait for a heal.*1 in split brain/);
});

test('refusing and switching have words of their own; what is not known is said', t => {
	const gate = {state: 'refusing', generation: 0 as Generation, since: '2026-01-02T03:03:00.000Z'} as const;
	const refusing = {...OF_THREE.report, health: 'refusing', gate, heals: null} as const;
	const closed = sectionsOf({...OF_THREE, report: refusing, markers: undefined});
	t.regex(seen(closed.verdict), /Writes are refused/);
	t.regex(seen(closed.servers), /not known/);
	t.is(seen(closed.heals), 'Not known.');
	t.regex(seen(closed.facts), /Gate closed since 2026-01-02 03:03:00 UTC/);
	const switching = {...refusing, gate: {...gate, state: 'switching'}} as const;
	t.regex(seen(sectionsOf({...OF_THREE, report: switching}).verdict), /Writes wait/);
});

test('a local directory has neither servers nor heals', t => {
	const {servers, heals, facts} = sectionsOf({...STATE, report: {...REPORT, backend: 'local'}});
	t.regex(servers + heals, /no servers.*one copy/);
	t.false(facts.includes('Epoch'));
});

test('changes: with names, without, none, not shown', t => {
	const change = {timeMs: Date.UTC(2026, 0, 2, 3, 4, 5), node: NODE_B, operation: 'write'};
	const shown = (changes: PageState['changes']): string => seen(sectionsOf({...STATE, changes}).changes);
	t.regex(shown([change]), /^2026-01-02 03:04:05 UTC write on \S+$/);
	t.regex(
		shown([{...change, node: NODE_A, names: {path: 'tenants/a', user: 'uid 0 (sh)'}}]),
		new RegExp(`write tenants/a by uid 0 \\(sh\\) on ${REPORT.node.hostname}$`),
	);
	t.regex(shown([]), /^None/);
	t.is(shown(undefined), 'Not shown here.');
});

test('names of nodes, texts, remedies, paths, addresses can not bring HTML in', t => {
	const evil = `<img src=x onerror=alert(1)>"'&`;
	const page = pageText({
		...OF_THREE,
		report: {
			...OF_THREE.report,
			version: evil,
			mountpoint: `/${evil}`,
			node: {...OF_THREE.report.node, hostname: evil},
			servers: [{uuid: uuidOf(2), address: evil, up: true}],
			members: [{uuid: uuidOf(4), addresses: [evil], connected: true}],
			reasons: [{code: 'mount-failed', text: evil, remedy: `\`${evil}\``}],
		},
		changes: [{timeMs: 0, node: uuidOf(8), operation: evil, names: {path: evil, user: evil}}],
	});
	t.true(page.includes('&lt;img src=x onerror=alert(1)&gt;'));
	t.false(page.includes('<img'));
	t.notRegex(page, / on[a-z]+="/);
});

test('the page names its style and its script by their hashes, and nothing else is allowed', t => {
	const page = pageText(OF_THREE);
	const policy = PAGE_HEADERS['content-security-policy']!;
	t.regex(
		policy,
		/^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self';/,
	);
	for (const tag of ['style', 'script']) {
		const found = [...page.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))];
		t.is(found.length, 1);
		const hash = createHash('sha256').update(found[0]![1]!).digest('base64');
		t.true(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
	}
	t.notRegex(page, /\b(src|style)="|@import|url\(/);
	t.true(page.length < 24_000, String(page.length));
});

test('addresses of IPv6 are put in brackets', t => {
	const {servers} = sectionsOf({
		...OF_THREE,
		report: {...OF_THREE.report, servers: [{uuid: uuidOf(2), address: 'fd00::2', up: true}]},
	});
	t.true(servers.includes('href="http://[fd00::2]:8080/"'));
});
