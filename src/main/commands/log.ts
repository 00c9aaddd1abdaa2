/** `hfs_config log`: the audit trail of the cluster, who changed what and when. */
import {readFileSync} from 'node:fs';
import {z} from 'zod';
import {EXIT, HekafsError} from '../../errors.ts';
import {decodeJson} from '../../membership/decode.ts';
import {operate, type AddCommand} from './context.ts';
import {resolveNode} from './resolve-node.ts';
import {fetchStatus} from './status.ts';

const MAX_LINE_BYTES = 1024 * 1024;
const AGES = {s: 1, m: 60, h: 3600, d: 86_400} as const;

const lineSchema = z.object({
	kind: z.string(),
	node: z.string(),
	time: z.string(),
	from: z.number().optional(),
	to: z.union([z.string(), z.number()]).optional(),
	operation: z.string().optional(),
	path: z.string().nullable().optional(),
	uid: z.number().optional(),
	pid: z.number().optional(),
	command: z.string().optional(),
	result: z.string().optional(),
	writes: z.number().optional(),
	bytes: z.number().optional(),
});

/** @param text a time that Date knows, or an age such as `90s`, `15m`, `2h`, `3d`. @returns ms since 1970 */
export const parseSince = (text: string, nowMs: number): number => {
	const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
	const atMs =
		count === undefined ? Date.parse(text) : nowMs - Number(count) * AGES[unit as keyof typeof AGES] * 1000;
	if (Number.isFinite(atMs)) return Math.max(0, Math.round(atMs));
	throw new HekafsError('HEKAFS_USAGE', `--since '${text}' is no time`, {
		remedy: "Give a time such as '2026-01-31 12:00', or an age: 90s, 15m, 2h, 3d.",
	});
};

/** @param passwd text of the file of that name. @returns the number of the user */
export const parseUser = (text: string, passwd: string): number => {
	if (/^\d{1,10}$/.test(text)) return Number(text);
	const row = passwd
		.split('\n')
		.map(line => line.split(':'))
		.find(([name]) => name === text);
	if (row?.[2] !== undefined && /^\d+$/.test(row[2])) return Number(row[2]);
	throw new HekafsError('HEKAFS_USAGE', `there is no user '${text}' in /etc/passwd`, {
		remedy: 'Give the number of the user.',
	});
};

/** A line for people: time, node, user, process, what, on what, what came of it. Pure. */
export const logText = (json: string, nodeName: (uuid: string) => string): string => {
	const decoded = decodeJson(Buffer.from(json), lineSchema, MAX_LINE_BYTES);
	if (!decoded.ok)
		throw new HekafsError('HEKAFS_PEER_INVALID', `hekafsd's line is not valid: ${decoded.problem}`, {
			remedy: 'Use the hfs_config of the same version as hekafsd.',
		});
	const {kind, node, time, from, to, path, result, ...l} = decoded.value;
	const begin = `${time} ${nodeName(node)}`;
	if (kind === 'missing') return `${begin} -- records ${from ?? '?'} to ${to ?? '?'} are missing`;
	if (kind === 'cut-off')
		return `${begin} -- hekafsd begins here; the run before was cut off, its last records may be missing`;
	const who = `uid=${l.uid ?? '?'} ${l.command === '' ? '?' : (l.command ?? '?')}[${l.pid ?? 0}]`;
	const where = `${path ?? '(no name)'}${to === undefined ? '' : ` -> ${to}`}`;
	const size = l.bytes === undefined ? '' : ` ${l.bytes} bytes in ${l.writes ?? 1}`;
	return `${begin} ${who} ${l.operation ?? kind} ${where}${size}${result === 'ok' ? '' : ` ${result ?? ''}`}`;
};

interface LogOptions {
	readonly follow?: boolean;
	readonly path?: string;
	readonly node?: string;
	readonly user?: string;
	readonly since?: string;
	readonly lines?: string;
	readonly json?: boolean;
}

const countOf = (text: string): number => {
	if (/^\d{1,9}$/.test(text)) return Number(text);
	throw new HekafsError('HEKAFS_USAGE', `--lines '${text}' is no number`);
};

export const addLog: AddCommand = (program, context) => {
	program
		.command('log')
		.description('show who changed what, on all nodes')
		.option('-f, --follow', 'go on with what comes')
		.option('--path <path>', 'only this path and what is below it')
		.option('--node <node>', 'only what was done on that node: UUID, name or address')
		.option('--user <user>', 'only what that user did: name or number')
		.option('--since <time>', 'only from then on: a time, or an age such as 15m, 2h, 3d')
		.option('-n, --lines <count>', 'only the last so many lines')
		.option('--json', 'print each line as a JSON object')
		.addHelpText(
			'after',
			'\nExample: what happened to a file today\n  hfs_config log --since 1d --path tenants/a.conf',
		)
		.action(
			context.ends(async (options: LogOptions) => {
				const {out} = context.terminal;
				const {report} = await fetchStatus(context);
				const names = new Map<string, string>([
					[report.node.uuid, report.node.hostname],
					...report.members.map(m => [m.uuid, m.addresses[0] ?? m.uuid] as const),
				]);
				const nameOf = (uuid: string): string => names.get(uuid) ?? uuid;
				const {follow, path, node, user, since, lines, json} = options;
				const request = {
					follow: follow ?? false,
					...(path !== undefined && {path}),
					...(node !== undefined && {node: resolveNode(node, report)}),
					...(user !== undefined && {uid: parseUser(user, readFileSync('/etc/passwd', 'utf8'))}),
					...(since !== undefined && {sinceMs: parseSince(since, Date.now())}),
					...(lines !== undefined && {lines: countOf(lines)}),
				};
				await operate(context, '/v1/log', request, line =>
					out(`${json === true ? line : logText(line, nameOf)}\n`),
				);
				return EXIT.ok;
			}),
		);
};
