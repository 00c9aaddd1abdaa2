/** What `hfs_config` may ask of the hekafsd of its node over the Unix socket: the operations, their arguments and answers. */
import {HekafsError} from '../errors.ts';
import {parseNodeUuid, type NodeUuid} from '../membership/ids.ts';
import {isInitPath, type InitEntry} from './init-entry.ts';

export interface ControlContext {
	/** Aborted when the asking program goes away. A handler that must not stop half-way ignores it. */
	readonly signal: AbortSignal;
	/** Tells the asking program how far the operation is. */
	readonly progress: (text: string, done?: number, total?: number) => void;
	/** Gives a line of an answer that has many. */
	readonly line: (text: string) => void;
}

/** The end of an operation that went well. */
export interface ControlResult {
	/** One or more lines for people. */
	readonly text: string;
	/** The state afterwards, where the operation is about it (`verify`, `heal`); becomes the exit code. */
	readonly health?: 'healthy' | 'degraded' | 'refusing';
}

/** What the daemon would do now, and why. */
export interface PlanView {
	/** One sentence. */
	readonly summary: string;
	readonly steps: ReadonlyArray<{
		/** The step's kind, a stable word. */
		readonly name: string;
		readonly text: string;
		readonly why: string;
	}>;
}

export interface ServeRequest {
	/** Found a new filesystem although not all members could be asked. */
	readonly found: boolean;
	/** Answer only when the change is complete. */
	readonly wait: boolean;
}

export interface RetireRequest {
	/** Undefined: this node. */
	readonly node: NodeUuid | undefined;
	/** The operator vouches that the machine is off for good. */
	readonly force: boolean;
}

export interface InitRequest {
	/** Undefined: the built-in initial tree. */
	readonly tree: readonly InitEntry[] | undefined;
}

/** Which part of the audit trail is wanted. */
export interface LogRequest {
	/** As the user names it: absolute, or relative to the root of the config filesystem. */
	readonly path: string | undefined;
	readonly node: NodeUuid | undefined;
	readonly uid: number | undefined;
	readonly sinceMs: number | undefined;
	/** The last so many; undefined: all. */
	readonly lines: number | undefined;
	/** Go on with what comes, until the asking program goes away. */
	readonly follow: boolean;
}

export interface HistoryRequest {
	/** As the user names it: absolute, or relative to the root of the config filesystem. */
	readonly path: string;
}

export interface VersionRequest extends HistoryRequest {
	/** The beginning of the SHA-256 of its content. */
	readonly version: string;
}

export interface Control {
	serve(request: ServeRequest, context: ControlContext): Promise<ControlResult>;
	retire(request: RetireRequest, context: ControlContext): Promise<ControlResult>;
	init(request: InitRequest, context: ControlContext): Promise<ControlResult>;
	heal(context: ControlContext): Promise<ControlResult>;
	verify(context: ControlContext): Promise<ControlResult>;
	/** Each line is a JSON object (docs/INTERFACE.md). */
	log(request: LogRequest, context: ControlContext): Promise<ControlResult>;
	/** The versions of a file that can be had again, a JSON object per line. */
	history(request: HistoryRequest, context: ControlContext): Promise<ControlResult>;
	/** One version with its content, as a JSON object. */
	version(request: VersionRequest, context: ControlContext): Promise<ControlResult>;
	remount(context: ControlContext): Promise<ControlResult>;
	plan(context: {readonly signal: AbortSignal}): Promise<PlanView>;
	/** The client volfile of the mount in use. */
	volfile(context: {readonly signal: AbortSignal}): Promise<string>;
}

/** One line of a long operation's answer. An empty line only says that the daemon is alive. */
export type ControlMessage =
	| {readonly type: 'progress'; readonly text: string; readonly done?: number; readonly total?: number}
	| {readonly type: 'line'; readonly text: string}
	| ({readonly type: 'result'} & ControlResult)
	| {readonly type: 'error'; readonly code: string; readonly message: string; readonly remedy?: string};

const usage = (what: string): HekafsError =>
	new HekafsError('HEKAFS_USAGE', `the request is not valid: ${what}`, {
		remedy: 'Use the hfs_config of the same version as hekafsd.',
	});

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (body: unknown): Fields => {
	if (typeof body !== 'object' || body === null || Array.isArray(body)) throw usage('not an object');
	return body as Fields;
};

const flag = (fields: Fields, name: string, absent: boolean): boolean => {
	const value = fields[name] ?? absent;
	if (typeof value !== 'boolean') throw usage(`${name} is neither true nor false`);
	return value;
};

/** @throws HekafsError HEKAFS_USAGE, as do the other parsers here */
export const parseServeRequest = (body: unknown): ServeRequest => {
	const fields = fieldsOf(body);
	return {found: flag(fields, 'found', false), wait: flag(fields, 'wait', true)};
};

export const parseRetireRequest = (body: unknown): RetireRequest => {
	const fields = fieldsOf(body);
	const force = flag(fields, 'force', false);
	const {node} = fields;
	if (node === undefined || node === null) return {node: undefined, force};
	const uuid = typeof node === 'string' ? parseNodeUuid(node) : undefined;
	if (uuid === undefined) throw usage('node is not a UUID');
	return {node: uuid, force};
};

/** A number that may be absent. */
const count = (fields: Fields, name: string): number | undefined => {
	const value = fields[name];
	if (value === undefined || value === null) return undefined;
	if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
		throw usage(`${name} is no number`);
	return value;
};

/** A text that may be absent. */
const word = (fields: Fields, name: string): string | undefined => {
	const value = fields[name];
	if (value === undefined || value === null) return undefined;
	if (typeof value !== 'string' || value.includes('\0')) throw usage(`${name} is no text`);
	return value;
};

const required = (fields: Fields, name: string): string => {
	const value = word(fields, name);
	if (value === undefined || value === '') throw usage(`${name} is missing`);
	return value;
};

export const parseHistoryRequest = (body: unknown): HistoryRequest => ({
	path: required(fieldsOf(body), 'path'),
});

export const parseVersionRequest = (body: unknown): VersionRequest => {
	const fields = fieldsOf(body);
	return {path: required(fields, 'path'), version: required(fields, 'version')};
};

export const parseLogRequest = (body: unknown): LogRequest => {
	const fields = fieldsOf(body);
	const name = word(fields, 'node');
	const node = name === undefined ? undefined : parseNodeUuid(name);
	if (name !== undefined && node === undefined) throw usage('node is not a UUID');
	return {
		path: word(fields, 'path'),
		node,
		uid: count(fields, 'uid'),
		sinceMs: count(fields, 'sinceMs'),
		lines: count(fields, 'lines'),
		follow: flag(fields, 'follow', false),
	};
};

const isId = (value: unknown): value is number =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 0xffff_ffff;

const parseInitEntry = (value: unknown): InitEntry => {
	const fields = fieldsOf(value);
	const {kind, path, mode, uid, gid, content, target} = fields;
	if (typeof path !== 'string' || !isInitPath(path)) throw usage(`an entry's path: ${JSON.stringify(path)}`);
	if (!isId(uid) || !isId(gid)) throw usage(`the owner of ${path}`);
	if (kind === 'symlink') {
		if (typeof target !== 'string' || target === '' || target.includes('\0'))
			throw usage(`the target of ${path}`);
		return {kind, path, uid, gid, target};
	}
	if (typeof mode !== 'number' || !Number.isInteger(mode) || mode < 0 || mode > 0o7777)
		throw usage(`the mode of ${path}`);
	if (kind === 'dir') return {kind, path, mode, uid, gid};
	if (kind !== 'file' || typeof content !== 'string') throw usage(`the kind or content of ${path}`);
	return {kind, path, mode, uid, gid, content: Buffer.from(content, 'base64')};
};

export const parseInitRequest = (body: unknown): InitRequest => {
	const {tree} = fieldsOf(body);
	if (tree === undefined || tree === null) return {tree: undefined};
	if (!Array.isArray(tree)) throw usage('tree is not a list');
	const entries = tree.map(parseInitEntry);
	const directories = new Set(['']);
	const seen = new Set<string>();
	for (const {path, kind} of entries) {
		if (seen.has(path)) throw usage(`${path} stands twice`);
		if (!directories.has(path.slice(0, Math.max(0, path.lastIndexOf('/')))))
			throw usage(`${path} comes before its directory`);
		seen.add(path);
		if (kind === 'dir') directories.add(path);
	}
	return {tree: entries};
};
