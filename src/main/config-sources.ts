/** Where a setting comes from: flag before environment before configuration file before default, the same for every setting. */
import {InvalidArgumentError, type Command, type Option} from 'commander';
import {closestMatch} from 'leven';
import {HekafsError} from '../errors.ts';
import {CONFIG_FILE_VARIABLE, configFileOf, readConfigFile} from './config-file.ts';
import {parsePath} from './config-values.ts';

export const ENVIRONMENT_PREFIX = 'HEKAFS_';
/** A variable that is at most this many letters away from one of ours is taken for a slip; others belong to somebody else. */
const MAX_SLIP = 2;

/** One setting as it counts. */
export interface Setting {
	/** The key of the file; the flag is `--key`. */
	readonly key: string;
	/** As it was given; for a default as the help says it. */
	readonly text: string;
	/** `default`, `FILE:LINE`, the name of a variable, or the flag. */
	readonly origin: string;
}

/** What may stand in the file and in the environment: every option that takes a value, but the name of the file itself. */
const settable = (program: Command): readonly Option[] =>
	program.options.filter(option => option.required && option.long !== '--config');

const keyOf = (option: Option): string => option.name();

/** `write-wait` is HEKAFS_WRITE_WAIT. */
export const variableOf = (key: string): string =>
	`${ENVIRONMENT_PREFIX}${key.toUpperCase().replaceAll('-', '_')}`;

interface Given {
	readonly option: Option;
	readonly text: string;
	readonly origin: string;
	readonly source: 'config' | 'env';
}

/** The value, or a sentence on what is allowed. Where hekafsd is started from another directory, a relative path means another one. */
const parseGiven = ({option, text}: Given): {readonly value: unknown} | {readonly problem: string} => {
	if (option.parseArg === parsePath && !text.startsWith('/'))
		return {problem: 'An absolute path is expected.'};
	try {
		return {value: (option.parseArg as ((text: string) => unknown) | undefined)?.(text) ?? text};
	} catch (error) {
		if (!(error instanceof InvalidArgumentError)) throw error;
		return {problem: error.message};
	}
};

const suggestion = (name: string, candidates: readonly string[]): string => {
	const nearest = closestMatch(name, candidates);
	return nearest === undefined ? '' : `; did you mean ${nearest}?`;
};

/** Entries of the file by option. Problems are added to the list. */
const fromFile = (program: Command, environment: NodeJS.ProcessEnv, problems: string[]): readonly Given[] => {
	const options = new Map(settable(program).map(option => [keyOf(option), option]));
	const {file, required} = configFileOf(program.opts<{config?: string}>().config, environment);
	const read = readConfigFile(file, required);
	problems.push(...read.problems.map(({line, text}) => `${file}:${line}: ${text}`));
	return read.entries.flatMap(({key, value, line}): Given[] => {
		const option = options.get(key);
		if (option !== undefined) return [{option, text: value, origin: `${file}:${line}`, source: 'config'}];
		problems.push(`${file}:${line}: unknown key '${key}'${suggestion(key, [...options.keys()])}`);
		return [];
	});
};

/** Variables of the environment by option; an empty one counts as not set. */
const fromEnvironment = (
	program: Command,
	environment: NodeJS.ProcessEnv,
	problems: string[],
): readonly Given[] => {
	const options = new Map(settable(program).map(option => [variableOf(keyOf(option)), option]));
	const known = [CONFIG_FILE_VARIABLE, ...options.keys()];
	for (const name of Object.keys(environment)) {
		if (!name.startsWith(ENVIRONMENT_PREFIX) || known.includes(name)) continue;
		const meant = closestMatch(name, known, {maxDistance: MAX_SLIP});
		if (meant !== undefined)
			problems.push(`unknown variable ${name} in the environment; did you mean ${meant}?`);
	}
	return [...options].flatMap(([name, option]): Given[] => {
		const text = environment[name] ?? '';
		return text === '' ? [] : [{option, text, origin: name, source: 'env'}];
	});
};

/** The default as the help says it: some depend on other settings and have no value of their own. */
const defaultText = (option: Option): string =>
	option.defaultValue === undefined
		? (/\(default: (.*)\)$/.exec(option.description)?.[1] ?? '')
		: String(option.defaultValue);

/** To be called before `parse`: notes the values on the command line as they are written. */
export const noteFlags = (program: Command): ReadonlyMap<Option, string> => {
	const noted = new Map<Option, string>();
	for (const option of settable(program))
		program.on(`option:${option.name()}`, (text: string) => noted.set(option, text));
	return noted;
};

/**
 * Adds to what a parsed command line says what environment and file say; each of them is checked, also what is overridden.
 * @param program after `parse`
 * @param flags what `noteFlags` has noted
 * @returns every setting with its origin, in the order of the help
 * @throws HekafsError HEKAFS_USAGE with a line for each problem
 */
export const applySources = (
	program: Command,
	flags: ReadonlyMap<Option, string>,
	environment: NodeJS.ProcessEnv,
): readonly Setting[] => {
	const problems: string[] = [];
	const counts = new Map<Option, {readonly text: string; readonly origin: string}>();
	// Later ones win.
	for (const given of [
		...fromFile(program, environment, problems),
		...fromEnvironment(program, environment, problems),
	]) {
		const {option, text, origin, source} = given;
		const parsed = parseGiven(given);
		if ('problem' in parsed)
			problems.push(`${origin}: ${keyOf(option)} '${text}' is invalid: ${parsed.problem}`);
		else if (!flags.has(option)) {
			program.setOptionValueWithSource(option.attributeName(), parsed.value, source);
			counts.set(option, {text, origin});
		}
	}
	if (problems.length > 0)
		throw new HekafsError('HEKAFS_USAGE', problems.join('\n').replaceAll(/(?!\n)\p{Cc}/gu, ' '), {
			remedy: 'See: hekafsd --help. After mending it, try: hekafsd --check-config',
		});
	return settable(program).map(option => {
		const flag = flags.get(option);
		if (flag !== undefined) return {key: keyOf(option), text: flag, origin: `--${keyOf(option)}`};
		return {key: keyOf(option), ...(counts.get(option) ?? {text: defaultText(option), origin: 'default'})};
	});
};
