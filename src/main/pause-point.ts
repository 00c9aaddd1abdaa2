/**
 * Lets a test stop a change of the server set at a step, to see what a crash there leaves. Without HEKAFS_PAUSE_DIR in its
 * environment a hekafsd never looks at any of this.
 */
import {existsSync, readFileSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';

/** How often a change that is stopped looks whether it may go on. */
const POLL_MS = 10;

const wanted = (file: string): string | undefined => {
	try {
		return readFileSync(file, 'utf8').trim();
	} catch {
		return undefined;
	}
};

/**
 * The hook that a change calls between its steps, with `before:N` (from 1) or `after:N`. When the file `at` in `directory`
 * says just that, it is renamed to `paused`, and the change waits until `paused` is removed.
 * @param directory value of HEKAFS_PAUSE_DIR; undefined: there is no hook
 */
export const pausePoint = (
	directory: string | undefined,
	log: (text: string) => void,
): ((at: string) => Promise<void>) | undefined => {
	if (directory === undefined || directory === '') return undefined;
	const paused = join(directory, 'paused');
	return async at => {
		if (wanted(join(directory, 'at')) !== at) return;
		renameSync(join(directory, 'at'), paused);
		log(`paused ${at}, as HEKAFS_PAUSE_DIR asks`);
		while (existsSync(paused)) await delay(POLL_MS);
	};
};
