/** `hfs_config history`, `show`, `diff`, `restore`: earlier versions of a file. */
import {spawnSync} from 'node:child_process';
import {chmodSync, chownSync, existsSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {z} from 'zod';
import {EXIT, HekafsError} from '../../errors.ts';
import {toJsonText} from '../../http/answers.ts';
import {decodeJson} from '../../membership/decode.ts';
import {operate, type AddCommand, type CommandContext} from './context.ts';
import {fetchStatus} from './status.ts';
import {renderRows} from './text-table.ts';

const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** Digits of a version that people see; as many as `git` shows, and some more. */
const SHOWN_DIGITS = 12;

const versionSchema = z.object({
	version: z.string().regex(/^[0-9a-f]{64}$/),
	time: z.string(),
	size: z.number(),
	mode: z.int().min(0).max(0o7777),
	uid: z.int().nonnegative(),
	gid: z.int().nonnegative(),
	path: z.string().default(''),
	content: z.base64().default(''),
});
type Version = z.infer<typeof versionSchema>;

const parseVersion = (json: string): Version => {
	const decoded = decodeJson(Buffer.from(json), versionSchema, MAX_LINE_BYTES);
	if (decoded.ok) return decoded.value;
	throw new HekafsError('HEKAFS_PEER_INVALID', `hekafsd's line is not valid: ${decoded.problem}`, {
		remedy: 'Use the hfs_config of the same version as hekafsd.',
	});
};

/** `PATH@VERSION`; names may have an @ themselves, versions don't. @throws HekafsError HEKAFS_USAGE */
export const parseAt = (text: string): {readonly path: string; readonly version: string} => {
	const at = text.lastIndexOf('@');
	if (at > 0 && at < text.length - 1) return {path: text.slice(0, at), version: text.slice(at + 1)};
	throw new HekafsError('HEKAFS_USAGE', `'${text}' names no version`, {
		remedy: 'Give PATH@VERSION; the versions are listed by: hfs_config history PATH',
	});
};

/** A row per version, newest last. Pure. */
export const historyText = (versions: readonly Version[]): string =>
	renderRows([
		['VERSION', 'TIME', 'SIZE', 'MODE', 'OWNER'].map(text => ({text})),
		...versions.map(v => [
			{text: v.version.slice(0, SHOWN_DIGITS)},
			{text: v.time},
			{text: String(v.size)},
			{text: v.mode.toString(8).padStart(4, '0')},
			{text: `${v.uid}:${v.gid}`},
		]),
	])
		.map(row => `${row}\n`)
		.join('');

const fetchVersion = async (
	context: CommandContext,
	what: string,
): Promise<{readonly version: Version; readonly content: Buffer; readonly file: string}> => {
	const {report} = await fetchStatus(context);
	let found: Version | undefined;
	await operate(context, '/v1/version', parseAt(what), line => (found = parseVersion(line)));
	if (found === undefined) throw new HekafsError('HEKAFS_PEER_INVALID', 'hekafsd gave no version');
	const file = path.join(report.mountpoint, found.path);
	return {version: found, content: Buffer.from(found.content, 'base64'), file};
};

/** Puts the content in the place of the file, as a whole, with the owner and mode of then. */
const replace = (file: string, {mode, uid, gid}: Version, content: Buffer): void => {
	const temporary = path.join(
		path.dirname(file),
		`.${path.basename(file).slice(0, 200)}.${process.pid}.restore`,
	);
	try {
		writeFileSync(temporary, content, {flag: 'wx', mode: 0o600});
		chownSync(temporary, uid, gid);
		chmodSync(temporary, mode);
		renameSync(temporary, file);
	} catch (error) {
		rmSync(temporary, {force: true});
		throw new HekafsError('HEKAFS_REFUSED', `${file} can't be written`, {
			cause: error,
			remedy: 'Are writes admitted? Look with: hfs_config status',
		});
	}
};

export const addHistory: AddCommand = (program, context) => {
	program
		.command('history')
		.description('list the versions of a file that can be had again')
		.argument('<path>', 'below the mount point, or from its root; may have been removed')
		.option('--json', 'print each version as a JSON object')
		.addHelpText('after', '\nExample: what was in it before\n  hfs_config history tenants/a.conf')
		.action(
			context.ends(async (file: string, options: {json?: boolean}) => {
				const lines: string[] = [];
				await operate(context, '/v1/history', {path: file}, line => lines.push(line));
				const json = lines.map(line => `${line}\n`).join('');
				context.terminal.out(options.json === true ? json : historyText(lines.map(parseVersion)));
				return EXIT.ok;
			}),
		);
};

export const addShow: AddCommand = (program, context) => {
	program
		.command('show')
		.description('print a version of a file')
		.argument('<path@version>', 'the beginning of a version is enough, 4 digits or more')
		.addHelpText('after', '\nExample: what was in it then\n  hfs_config show tenants/a.conf@3f2a91c0')
		.action(
			context.ends(async (what: string) => {
				const {content, version} = await fetchVersion(context, what);
				context.terminal.out(context.json() ? toJsonText(version) : content);
				return EXIT.ok;
			}),
		);
};

export const addDiff: AddCommand = (program, context) => {
	program
		.command('diff')
		.description('show what has changed in a file since a version')
		.argument('<path@version>', 'the beginning of a version is enough, 4 digits or more')
		.addHelpText('after', '\nExample: what has changed since\n  hfs_config diff tenants/a.conf@3f2a91c0')
		.action(
			context.ends(async (what: string) => {
				const {content, file, version} = await fetchVersion(context, what);
				const label = `${version.path}@${version.version.slice(0, SHOWN_DIGITS)}`;
				const now = existsSync(file) ? file : '/dev/null';
				const args = ['-u', '--label', label, '--label', version.path, '--', '-', now];
				const {error, status, stdout, stderr} = spawnSync('diff', args, {input: content, encoding: 'buffer'});
				if (error !== undefined || status === null || status > 1)
					throw new HekafsError('HEKAFS_PROGRAM_FAILED', `diff failed: ${String(stderr)}`, {cause: error});
				context.terminal.out(context.json() ? toJsonText({text: String(stdout)}) : stdout);
				return EXIT.ok;
			}),
		);
};

export const addRestore: AddCommand = (program, context) => {
	program
		.command('restore')
		.description('put a version of a file in its place again, with the owner and mode of then')
		.argument('<path@version>', 'the beginning of a version is enough, 4 digits or more')
		.addHelpText(
			'after',
			'\nWhat is replaced stays in the history.\n\nExample: take a change back\n  hfs_config restore tenants/a.conf@3f2a91c0',
		)
		.action(
			context.ends(async (what: string) => {
				const {content, file, version} = await fetchVersion(context, what);
				replace(file, version, content);
				const text = `${file} is as it was at ${version.time}`;
				context.terminal.out(context.json() ? toJsonText({text}) : `${text}\n`);
				return EXIT.ok;
			}),
		);
};
