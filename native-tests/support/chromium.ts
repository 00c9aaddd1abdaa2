/** A real headless Chromium of the machine, with a profile of its own that is gone afterwards. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {chromium, type BrowserContext, type Page} from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';

/** Nothing of its own goes to the network, and nothing is left running when it ends. */
const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--disable-crash-reporter',
];

/** What a page did that it must not do. */
export interface Watched {
	readonly page: Page;
	/** Messages of the console with severity error or warning, and errors that nobody caught. */
	readonly problems: readonly string[];
	readonly requests: readonly string[];
}

export class Chromium implements AsyncDisposable {
	readonly #directory: string;
	readonly #context: BrowserContext;

	private constructor(directory: string, context: BrowserContext) {
		this.#directory = directory;
		this.#context = context;
	}

	/** @param enter what puts a command into a network, such as `nsenter -t PID -n --`; empty: this one's */
	static async start(enter: readonly string[] = []): Promise<Chromium> {
		const directory = mkdtempSync(path.join(tmpdir(), 'hekafs-chromium-'));
		const program = path.join(directory, 'start');
		writeFileSync(program, `#!/bin/sh\nexec ${[...enter, CHROMIUM].join(' ')} "$@"\n`, {mode: 0o700});
		try {
			const context = await chromium.launchPersistentContext(path.join(directory, 'profile'), {
				executablePath: program,
				args: FLAGS,
				env: {...process.env, HOME: directory, XDG_CONFIG_HOME: directory, XDG_CACHE_HOME: directory},
				timeout: 30_000,
			});
			return new Chromium(directory, context);
		} catch (error) {
			rmSync(directory, {recursive: true, force: true});
			throw error;
		}
	}

	async open(url: string, width: number, height = 800): Promise<Watched> {
		const page = await this.#context.newPage();
		const problems: string[] = [];
		const requests: string[] = [];
		page.on('console', message => {
			if (['error', 'warning'].includes(message.type())) problems.push(message.text());
		});
		page.on('pageerror', error => problems.push(String(error)));
		page.on('request', request => requests.push(request.url()));
		await page.setViewportSize({width, height});
		await page.goto(url, {waitUntil: 'load', timeout: 20_000});
		return {page, problems, requests};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#context.close();
		rmSync(this.#directory, {recursive: true, force: true, maxRetries: 5});
	}
}
