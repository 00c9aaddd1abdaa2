/** What is installed on this machine. */
import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';

const isExecutable = (path: string): boolean => {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
};

/** Whether a program is found in PATH. */
export const hasProgram = (name: string): boolean =>
	(process.env['PATH'] ?? '').split(delimiter).some(directory => isExecutable(join(directory, name)));
