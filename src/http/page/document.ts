/** The status page as a whole, and the headers that keep everything foreign out of it. */
import {createHash} from 'node:crypto';
import {Html, markup} from './markup.ts';
import {SCRIPT} from './script.ts';
import {sectionsOf} from './sections.ts';
import {type PageState} from './state.ts';
import {STYLE} from './style.ts';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Style and script stand in the page and are known by their hash; nothing else is loaded, run, framed or sent. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
	'content-security-policy': [
		"default-src 'none'",
		`style-src ${hashOf(STYLE)}`,
		`script-src ${hashOf(SCRIPT)}`,
		"connect-src 'self'",
		'img-src data:',
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	].join('; '),
	'referrer-policy': 'no-referrer',
	'x-frame-options': 'DENY',
	'cross-origin-resource-policy': 'same-origin',
	vary: 'accept',
};

/** The page, complete without its script. */
export const pageText = (state: PageState): string => {
	const {hostname} = state.report.node;
	const sections = sectionsOf(state);
	const section = (id: keyof typeof sections, heading: string, wide = false): Html =>
		markup`<section class="${wide ? 'wide' : 'part'}" aria-labelledby="${id}-heading">
			<h2 id="${id}-heading">${heading}</h2>
			<div id="${id}">${new Html(sections[id])}</div>
		</section>`;
	return `<!doctype html>\n${
		markup`<html lang="en">
			<head>
				<meta charset="utf-8" />
				<meta name="viewport" content="width=device-width, initial-scale=1" />
				<title>${new Html(sections.title)}</title>
				<link rel="icon" href="data:," />
				<style>${new Html(STYLE)}</style>
			</head>
			<body>
				<header>
					<h1>HekaFS on ${hostname}</h1>
					<p id="live" role="status">As of ${state.report.time.slice(11, 19)} UTC: reload for news</p>
				</header>
				<main>
					<section id="verdict" aria-live="polite" aria-label="State">${new Html(sections.verdict)}</section>
					<div id="reasons">${new Html(sections.reasons)}</div>
					${section('servers', 'Config servers', true)} ${section('heals', 'Heals', true)}
					${section('members', 'Other members')} ${section('facts', 'This node')}
					${section('changes', 'Last changes', true)}
				</main>
				<footer>
					<nav aria-label="For programs">
						<a href="/v1/status">State as JSON</a> <a href="/metrics">Figures for Prometheus</a>
					</nav>
					<p>More on the node: <code>hfs_config status</code>. Made at <time>${state.report.time}</time>.</p>
				</footer>
				<script>${new Html(SCRIPT)}</script>
			</body>
		</html>`.text
	}\n`;
};
