/** The status page in a real browser: shows the state, follows it, fits narrow screens, works by keyboard, loads nothing foreign. */
import type {Page} from 'playwright-core';
import {Chromium} from '../support/chromium.ts';
import {Cluster, ROOT, statusOf, untilSentinel} from '../support/cluster.ts';
import {hfsConfigPath} from '../support/programs.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const NEEDS = [...LAB, 'gluster', 'chromium'] as const;

/** Waits until a part of the page has this text. */
const until = async (page: Page, selector: string, text: string | RegExp, timeout: number): Promise<void> => {
	await page.locator(selector, {hasText: text}).first().waitFor({timeout});
};

/** In the page: the text of what has the focus and whether that can be seen; null when it is the page as a whole. */
const FOCUS = `(() => {
	const element = document.activeElement;
	if (element === null || element === document.body) return null;
	return element.textContent + (getComputedStyle(element).outlineStyle === 'none' ? ' invisible' : '');
})()`;

/** What has the focus as Tab is pressed, until it leaves the page. */
const tabStops = async (page: Page): Promise<string[]> => {
	const stops: string[] = [];
	while (stops.length < 20) {
		await page.keyboard.press('Tab');
		const at = await page.evaluate<string | null>(FOCUS);
		if (at === null) break;
		stops.push(at);
	}
	return stops;
};

nativeTest(NEEDS, 'the status page of a config server, in Chromium', async t => {
	await using cluster = await Cluster.serving(1);
	const h1 = cluster.host(1);
	await using browser = await Chromium.start(h1.namespaces.enterNetwork);
	const url = `http://${h1.address}:8080/`;
	const {page, problems, requests} = await browser.open(url, 1280);
	t.is(await page.title(), 'Healthy · h1 · HekaFS');
	await until(page, '#live', /^Live$/, 5000);
	t.regex(await page.locator('#servers tbody').innerText(), /h1 \(this node\).*up.*there/s);
	t.deepEqual(await tabStops(page), ['State as JSON', 'Figures for Prometheus']);

	const narrow = await browser.open(url, 400);
	const width = await narrow.page.evaluate<number>('document.documentElement.scrollWidth');
	t.true(width <= 400, `${width} px`);
	await narrow.page.close();

	// Changes come by themselves; what they were about is for root.
	await h1.shell(`echo x > ${ROOT}/secret-name`);
	await until(page, '#changes', 'create', 2000);
	t.false((await page.content()).includes('secret-name'));
	const ask = `require('http').get({socketPath: '/run/hekafs/control.sock', path: '/', headers: {accept: 'text/html'}}, answer => answer.pipe(process.stdout))`;
	t.regex(await h1.run(['node', '-e', ask]), /secret-name/);

	// A marker goes, through a mount made by hand, and comes back.
	await h1.shell(
		'node "$1" volfile > /run/by-hand.vol && mkdir -p /mnt/m && glusterfs -f /run/by-hand.vol -l /run/by-hand.log /mnt/m',
		[hfsConfigPath],
	);
	await waitFor(async () => (await h1.exec(['stat', '/mnt/m/.hekafs/set'])).exitCode === 0, {
		deadlineMs: 10_000,
		what: 'the printed volfile mounts the filesystem',
	});
	const {uuid} = (await statusOf(h1)).node;
	await h1.shell(`mv /mnt/m/.hekafs/markers/${uuid} /run/marker`);
	await untilSentinel(h1, 'writable', false, 5000);
	let before = performance.now();
	await until(page, '#verdict h2', 'Writes are refused', 2000);
	t.log(`the verdict changes on the page ${(performance.now() - before).toFixed(0)} ms after the sentinel`);
	await until(page, '#reasons', /marker-missing/, 2000);
	t.regex(await page.locator('#servers tbody').innerText(), /missing/);
	t.is(await page.title(), 'Writes are refused · h1 · HekaFS');
	await h1.shell(`cat /run/marker > /mnt/m/.hekafs/markers/${uuid}; umount -l /mnt/m`);
	await untilSentinel(h1, 'healthy', true, 20_000);
	before = performance.now();
	await until(page, '#verdict h2', 'Healthy', 2000);
	t.log(`and back ${(performance.now() - before).toFixed(0)} ms after the sentinel`);

	t.deepEqual(problems, []);
	t.deepEqual(new Set(requests), new Set([url, `${url}v1/events`]));

	// hekafsd goes: the page says that it knows no more, and follows again when it is back.
	const daemon = cluster.daemon(h1);
	daemon.signal('SIGTERM');
	await until(page, '#live', /^No answer from hekafsd/, 10_000);
	await waitFor(() => !daemon.running(), {deadlineMs: 30_000, what: 'hekafsd has ended'});
	await cluster.start(h1);
	await until(page, '#live', /^Live$/, 20_000);
});
