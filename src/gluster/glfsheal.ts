/** Counts what is not healed and what is in split brain, by GlusterFS's own program glfsheal: works without glusterd. */
import {access, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {HekafsError} from '../errors.ts';
import {programMissing, run} from './command.ts';
import {writePrivateFile} from './daemon.ts';

export interface BrickHeals {
	/** `<remote-host>:<remote-subvolume>`; bricks stand in the volfile's order. */
	readonly name: string;
	readonly connected: boolean;
	/** Entries that this brick blames others for, without those in split brain; null when it is not connected. */
	readonly pending: number | null;
	readonly splitBrain: number | null;
}

export interface HealCounts {
	readonly bricks: readonly BrickHeals[];
	/** The largest count of a brick: the same entry is listed by each good brick. Null when no brick is connected. */
	readonly pending: number | null;
	readonly splitBrain: number | null;
}

export interface HealCountOptions {
	/** Text of the client volfile. */
	readonly volfile: string;
	/** For a copy of the volfile while the program runs. */
	readonly tmpDirectory: string;
	readonly timeoutMs?: number;
	readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Only names its log file, /var/log/glusterfs/glfsheal-hekafs.log. */
const LOG_NAME = 'hekafs';
/** Where distributions put it, besides what `glusterfs --print-libexecdir` says. */
const DIRECTORIES = ['/usr/libexec/glusterfs', '/usr/lib/glusterfs', '/usr/local/libexec/glusterfs'];

const count = (section: string, label: string): number | null => {
	const match = new RegExp(`^${label}: (\\d+)$`, 'm').exec(section);
	return match === null ? null : Number(match[1]);
};

const parseBrick = (section: string): BrickHeals => {
	const total = count(section, 'Total Number of entries');
	const splitBrain = count(section, 'Number of entries in split-brain');
	return {
		name: /^Brick (.*)$/m.exec(section)?.[1] ?? '',
		connected: /^Status: Connected$/m.test(section),
		pending: total === null || splitBrain === null ? null : Math.max(0, total - splitBrain),
		splitBrain,
	};
};

const largest = (counts: ReadonlyArray<number | null>): number | null =>
	counts.reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null);

/** @param text output of `glfsheal … info-summary`. @returns undefined when it names no brick */
export const parseHealSummary = (text: string): HealCounts | undefined => {
	const bricks = text
		.split(/^(?=Brick )/m)
		.filter(section => section.startsWith('Brick '))
		.map(parseBrick);
	if (bricks.length === 0) return undefined;
	return {
		bricks,
		pending: largest(bricks.map(brick => brick.pending)),
		splitBrain: largest(bricks.map(brick => brick.splitBrain)),
	};
};

const findGlfsheal = async (): Promise<string> => {
	const said = await run('glusterfs', ['--print-libexecdir'], {timeoutMs: DEFAULT_TIMEOUT_MS});
	for (const directory of [said.stdout.trim(), ...DIRECTORIES]) {
		const path = join(directory, 'glfsheal');
		if (
			directory !== '' &&
			(await access(path).then(
				() => true,
				() => false,
			))
		)
			return path;
	}
	throw programMissing('glfsheal');
};

let found: string | undefined;
let runs = 0;

/**
 * Asks all bricks of a set for their counts; takes some 0.1 s.
 * @throws HEKAFS_PROGRAM_MISSING · HEKAFS_TIMEOUT · HEKAFS_PEER_UNREACHABLE when no brick answers · HEKAFS_PROGRAM_FAILED
 */
export const countHeals = async (o: HealCountOptions): Promise<HealCounts> => {
	found ??= await findGlfsheal();
	const volfilePath = join(o.tmpDirectory, `glfsheal-${process.pid}-${++runs}.vol`);
	await writePrivateFile(volfilePath, o.volfile);
	try {
		const result = await run(found, [LOG_NAME, 'info-summary', 'volfile-path', volfilePath], {
			timeoutMs: o.timeoutMs ?? DEFAULT_TIMEOUT_MS,
			signal: o.signal,
		});
		const counts = parseHealSummary(result.stdout);
		if (result.exitCode === 0 && counts !== undefined) return counts;
		const said = `${result.stdout}${result.stderr}`.trim().slice(0, 300);
		const cause = new Error(said || `exit code ${result.exitCode}`);
		// It blames the volfile when no brick of it can be reached, or too few for quorum.
		if (/Not able to fetch volfile|Not able to initialize volume|not connected/i.test(said))
			throw new HekafsError('HEKAFS_PEER_UNREACHABLE', 'Heals can not be counted: no quorum of bricks', {
				cause,
				remedy: 'Bring the config servers back that are down.',
			});
		throw new HekafsError('HEKAFS_PROGRAM_FAILED', 'glfsheal failed', {cause});
	} finally {
		await rm(volfilePath, {force: true});
	}
};
