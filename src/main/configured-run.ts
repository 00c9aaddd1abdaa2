/** Where the commands look for hekafsd: the run directory, as hekafsd itself finds it without flags. */
import {InvalidArgumentError} from 'commander';
import {HekafsError} from '../errors.ts';
import {configFileOf, readConfigFile} from './config-file.ts';
import {variableOf} from './config-sources.ts';
import {parsePath} from './config-values.ts';
import {DEFAULT_RUN} from './config.ts';

/**
 * Environment before configuration file before default. What else stands in the file is hekafsd's business.
 * @throws HekafsError HEKAFS_USAGE when the file can't be read or `run` is no path
 */
export const configuredRun = (environment: NodeJS.ProcessEnv): string => {
	const variable = variableOf('run');
	const {file, required} = configFileOf(undefined, environment);
	const text =
		environment[variable] || readConfigFile(file, required).entries.find(({key}) => key === 'run')?.value;
	if (text === undefined) return DEFAULT_RUN;
	try {
		return parsePath(text);
	} catch (error) {
		if (!(error instanceof InvalidArgumentError)) throw error;
		throw new HekafsError('HEKAFS_USAGE', `run '${text}' is invalid (${variable}, or run in ${file})`, {
			remedy: error.message,
		});
	}
};
