/** One crash: begins a change, stops it at its step, breaks something, lets everything come up again, and looks what became of it. */
import {brickContent, config, ROOT, type Status} from '../support/cluster.ts';
import {type HostProcess} from '../support/host-process.ts';
import {type Host} from '../support/lab-host.ts';
import {crashWriterPath} from '../support/programs.ts';
import {waitFor} from '../support/wait-for.ts';
import {type Case} from './cases.ts';
import {commonSet, type CrashLab, linesOf, PAUSE_DIRECTORY} from './crash-lab.ts';
import {brokenPromises, readLedger} from './ledger.ts';

export interface Result {
	readonly tried: Case;
	readonly ok: boolean;
	/** What went wrong, in one line; empty when nothing did. */
	readonly problem: string;
	/** From everything being up again until all was as it should be. */
	readonly settledMs: number;
	readonly became: 'the new set' | 'the old set' | 'nothing';
	/** Operations of the writers that were acknowledged. */
	readonly acknowledged: number;
}

/** The bar of the issue. */
const SETTLE_LIMIT_MS = 60_000;
const REACH_LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 180_000;
const STOP_FILE = '/run/stop-writing';
const WRITERS = [1, 2] as const;

interface Writer {
	readonly host: Host;
	readonly directory: string;
	readonly ledger: string;
	readonly process: HostProcess;
}

const startWriters = async (lab: CrashLab, name: string): Promise<readonly Writer[]> => {
	await lab.host(1).shell(`mkdir ${ROOT}/${name} ${WRITERS.map(n => `${ROOT}/${name}/h${n}`).join(' ')}`);
	return Promise.all(
		WRITERS.map(async n => {
			const host = lab.host(n);
			const directory = `${name}/h${n}`;
			const ledger = `/srv/ledger-${name}`;
			await host.run(['rm', '-f', STOP_FILE]);
			const process = await host.spawn(['node', crashWriterPath, `${ROOT}/${directory}`, ledger, STOP_FILE]);
			const count = async (): Promise<number> =>
				Number((await host.exec(['grep', '-c', '^did', ledger])).stdout);
			await waitFor(async () => (await count()) > 3, {
				deadlineMs: 20_000,
				what: `the writer on ${host.name} writes`,
			});
			return {host, directory, ledger, process};
		}),
	);
};

const stopWriters = async (writers: readonly Writer[]): Promise<void> => {
	for (const {host, process} of writers) {
		await host.writeFile(STOP_FILE, '');
		await process.exited;
	}
};

/** @returns acknowledged operations, and what was promised and not kept, as any node sees it */
const checkWriters = async (
	lab: CrashLab,
	writers: readonly Writer[],
): Promise<{acknowledged: number; broken: readonly string[]}> => {
	let acknowledged = 0;
	const broken: string[] = [];
	for (const {host, directory, ledger} of writers) {
		const promised = readLedger(await host.readFile(ledger));
		acknowledged += promised.acknowledged;
		for (const reader of lab.hosts)
			for (const sentence of brokenPromises(promised, await linesOf(reader, directory)))
				broken.push(`${sentence} (of ${host.name}, seen on ${reader.name})`);
	}
	return {acknowledged, broken};
};

const brickOf = (host: Host): number | undefined => host.processes('--process-name brick')[0]?.pid;

/** Breaks something while the change stands still. @returns false when there was nothing to break */
const strike = async (lab: CrashLab, {change, fault}: Case, acting: Host, pick: number): Promise<boolean> => {
	const others = lab.hosts.filter(host => host !== acting);
	const other = change === 'found' ? others[0]! : others[pick % others.length]!;
	const goOn = async (): Promise<void> => {
		await acting.run(['rm', '-f', `${PAUSE_DIRECTORY}/paused`]);
	};
	switch (fault) {
		case 'kill-acting':
			await lab.killDaemon(acting);
			await lab.startDaemon(acting);
			return true;
		case 'kill-other':
			await lab.killDaemon(other);
			await goOn();
			await lab.startDaemon(other);
			return true;
		case 'kill-brick': {
			const running = [other, ...others, acting].find(host => brickOf(host) !== undefined);
			if (running === undefined) return false;
			running.kill(brickOf(running)!);
			await goOn();
			return true;
		}
		case 'power-off-acting':
			await lab.powerCycle(acting, async () => Promise.resolve());
			return true;
		case 'power-off-other':
			await lab.powerCycle(other, goOn);
			return true;
	}
};

type Wanted = 'writable' | 'healthy';

/** All nodes in one set, in which writes are admitted, or nothing is wrong; while founding, all may be without any. */
const isSettled = (statuses: readonly Status[], founding: boolean, wanted: Wanted): boolean => {
	const set = commonSet(statuses);
	if (set === null) return founding;
	const isWell = ({health}: Status): boolean =>
		health === 'healthy' || (wanted === 'writable' && health === 'degraded');
	return set !== undefined && statuses.every(isWell);
};

const settle = async (lab: CrashLab, founding: boolean, wanted: Wanted, untilMs: number): Promise<void> => {
	let last: readonly Status[] = [];
	await waitFor(
		async () => {
			last = await lab.statuses();
			return isSettled(last, founding, wanted);
		},
		{deadlineMs: Math.max(0, untilMs - performance.now()), intervalMs: 200, what: 'one set everywhere'},
	).catch((error: unknown) => {
		const seen = last.map(
			status =>
				`${status.set?.epoch ?? '-'}/${status.set?.servers.length ?? 0} ${status.health} ${status.reasons.map(r => r.code).join(',')}`,
		);
		throw new Error(`not ${wanted} within ${SETTLE_LIMIT_MS / 1000} s: ${seen.join(' | ')}`, {cause: error});
	});
};

/** Markers are those of the set, and the bricks hold the same, on every server. */
const checkBricks = async (lab: CrashLab): Promise<readonly string[]> => {
	const set = commonSet(await lab.statuses());
	if (set == null) return [];
	const servers = lab.hosts.filter(host => set.servers.some(server => server.address === host.name));
	const expected = set.servers.map(server => server.uuid).toSorted();
	const broken: string[] = [];
	for (const host of lab.hosts) {
		// A directory that was made and never started holds nothing; it may stay after a join that was undone.
		const bricks = (await host.shell('ls -d /var/lib/hekafs/bricks/*/.hekafs 2>/dev/null || true'))
			.split('\n')
			.filter(Boolean);
		if (bricks.length !== (servers.includes(host) ? 1 : 0))
			broken.push(`${host.name} has ${bricks.length} bricks in use: ${bricks.join(', ')}`);
	}
	if (broken.length > 0) return broken;
	for (const host of servers) {
		const names = await host.shell('ls /var/lib/hekafs/bricks/*/.hekafs/markers');
		if (names.trim().split('\n').toSorted().join() !== expected.join())
			broken.push(`the markers on ${host.name} are ${names.trim().replaceAll('\n', ', ')}`);
	}
	await waitFor(
		async () => {
			const contents = await Promise.all(servers.map(brickContent));
			return contents.every(content => content === contents[0]);
		},
		{deadlineMs: 15_000, intervalMs: 500, what: 'identical bricks'},
	).catch(() => broken.push('the bricks differ'));
	return broken;
};

/** @param number of the case, for names of its own · @param pick decides between several victims */
export const runCase = async (lab: CrashLab, tried: Case, number: number, pick: number): Promise<Result> => {
	const founding = tried.change === 'found';
	const acting = founding ? lab.host(1) : lab.host(3);
	const before = founding ? 0 : commonSet(await lab.statuses())!.servers.length;
	const writers = founding ? [] : await startWriters(lab, `crash-${number}`);
	const at = tried.step === 'end' ? `after:${tried.point - 1}` : `before:${tried.point}`;
	await acting.writeFile(`${PAUSE_DIRECTORY}/at`, `${at}\n`);
	const command = acting.hfs([tried.change === 'retire' ? 'retire' : 'serve'], {timeoutMs: COMMAND_LIMIT_MS});
	await waitFor(async () => acting.exists(`${PAUSE_DIRECTORY}/paused`), {
		deadlineMs: REACH_LIMIT_MS,
		what: `the change comes to ${at}`,
	});
	const struck = await strike(lab, tried, acting, pick);
	if (!struck) await acting.run(['rm', '-f', `${PAUSE_DIRECTORY}/paused`]);
	const upAgainMs = performance.now();
	const problems: string[] = [];
	const note = (error: unknown): void => void problems.push((error as Error).message);
	const untilMs = upAgainMs + SETTLE_LIMIT_MS;
	await settle(lab, founding, 'writable', untilMs).catch(note);
	// While they write, a heal may be pending at any moment.
	await stopWriters(writers);
	if (problems.length === 0) await settle(lab, founding, 'healthy', untilMs).catch(note);
	const settledMs = Math.round(performance.now() - upAgainMs);
	await command;
	const set = commonSet(await lab.statuses());
	if (founding && set === null) await config(acting, 'serve');
	if (problems.length === 0) problems.push(...(await checkBricks(lab)));
	const {acknowledged, broken} = await checkWriters(lab, writers);
	problems.push(...broken.slice(0, 5));
	if (writers.length > 0 && problems.length === 0)
		await lab.host(1).run(['rm', '-rf', `${ROOT}/crash-${number}`], {timeoutMs: 60_000});
	const isOld = founding ? set === null : set?.servers.length === before;
	return {
		tried,
		ok: problems.length === 0,
		problem: problems.join('; '),
		settledMs,
		became: !struck ? 'nothing' : isOld ? 'the old set' : 'the new set',
		acknowledged,
	};
};
