/** The version of this program, from package.json. */
import {readFileSync} from 'node:fs';

const readVersion = (): string => {
	// dist/src/main/ and src/main/ are at different depths.
	for (const candidate of ['../../../package.json', '../../package.json']) {
		try {
			const value: unknown = JSON.parse(readFileSync(new URL(candidate, import.meta.url), 'utf8'));
			if (
				typeof value === 'object' &&
				value !== null &&
				'version' in value &&
				typeof value.version === 'string'
			)
				return value.version;
		} catch {
			// Try the next one.
		}
	}
	return '0.0.0';
};

export const VERSION = readVersion();
