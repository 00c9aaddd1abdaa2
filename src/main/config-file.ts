/** The configuration file of a node: `key = value` lines, the keys named as the flags of hekafsd. Reading it and its syntax. */
import {readFileSync} from 'node:fs';
import {HekafsError} from '../errors.ts';

/** Not below the mount point: what tells where to mount must be readable before anything is mounted. */
export const DEFAULT_CONFIG_FILE = '/etc/hekafs.conf';
/** Of the environment: another file in the place of DEFAULT_CONFIG_FILE. */
export const CONFIG_FILE_VARIABLE = 'HEKAFS_CONFIG';
/** More is no configuration of ours. */
const MAX_FILE_BYTES = 64 * 1024;

export interface FileEntry {
	readonly key: string;
	/** Without white space around it; may be empty. */
	readonly value: string;
	/** From 1. */
	readonly line: number;
}

/** One line that can't be taken as it is. */
export interface FileProblem {
	readonly line: number;
	readonly text: string;
}

export interface ConfigFile {
	readonly entries: readonly FileEntry[];
	readonly problems: readonly FileProblem[];
}

const LINE = /^\s*([a-z][a-z-]*)\s*=\s*(.*?)\s*$/;
const QUOTED = /^(["']).*\1$/;

/**
 * Splits the text into entries. Empty lines and lines that begin with `#` say nothing; a value reaches to the end of its
 * line, so a `#` in it belongs to it. A key may stand once.
 */
export const parseConfigFile = (text: string): ConfigFile => {
	const entries = new Map<string, FileEntry>();
	const problems: FileProblem[] = [];
	for (const [index, content] of text.split('\n').entries()) {
		const line = index + 1;
		if (/^\s*(#|$)/.test(content)) continue;
		const [, key, value] = LINE.exec(content) ?? [];
		if (key === undefined || value === undefined) {
			problems.push({line, text: 'not a line of the form KEY = VALUE'});
			continue;
		}
		const before = entries.get(key);
		if (before !== undefined)
			problems.push({line, text: `${key} stands here again, after line ${before.line}`});
		else if (QUOTED.test(value))
			problems.push({line, text: `the value of ${key} stands in quotes; leave them out`});
		else entries.set(key, {key, value, line});
	}
	return {entries: [...entries.values()], problems};
};

/**
 * @param required the file was named by somebody, so it must exist; else a file that is missing is an empty one
 * @throws HekafsError HEKAFS_USAGE
 */
export const readConfigFile = (file: string, required: boolean): ConfigFile => {
	const refuse = (why: string, cause?: unknown): never => {
		throw new HekafsError('HEKAFS_USAGE', `the configuration file ${file} ${why}`, {
			cause,
			remedy: `Mend it, or name another one with --config or ${CONFIG_FILE_VARIABLE}.`,
		});
	};
	let bytes: Buffer;
	try {
		bytes = readFileSync(file);
	} catch (error) {
		if (!required && (error as NodeJS.ErrnoException).code === 'ENOENT') return {entries: [], problems: []};
		return refuse("can't be read", error);
	}
	if (bytes.length > MAX_FILE_BYTES) return refuse(`is longer than ${MAX_FILE_BYTES} bytes`);
	try {
		return parseConfigFile(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
	} catch {
		return refuse('is not UTF-8 text');
	}
};

/**
 * The file that counts, and whether it has to exist.
 * @param flag what `--config` named
 */
export const configFileOf = (
	flag: string | undefined,
	environment: NodeJS.ProcessEnv,
): {readonly file: string; readonly required: boolean} => {
	const named = flag ?? (environment[CONFIG_FILE_VARIABLE] || undefined);
	return {file: named ?? DEFAULT_CONFIG_FILE, required: named !== undefined};
};
