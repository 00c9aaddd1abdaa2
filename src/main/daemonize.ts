/** `--daemonize`: runs hekafsd again as a detached child and waits until it says that the overlay is mounted. */
import {spawn} from 'node:child_process';
import {mkdirSync, openSync} from 'node:fs';
import path from 'node:path';
import {EXIT} from '../errors.ts';

/** What the child tells its parent, over the IPC channel. */
export type ChildMessage =
	{readonly kind: 'mounted'; readonly text: string} | {readonly kind: 'failed'; readonly text: string};

const isChildMessage = (value: unknown): value is ChildMessage =>
	typeof value === 'object' && value !== null && 'kind' in value && 'text' in value;

/**
 * @param args the arguments without `--daemonize`
 * @param logDirectory where the child's output goes (hekafsd.log)
 * @param sameGroup the child stays in our process group: autofs lets only the group of the process that automounts pass to the
 *   mount point; for all others even mount(2) waits until it is mounted
 * @returns the exit code for the parent
 */
export const daemonize = async (
	args: readonly string[],
	logDirectory: string,
	sameGroup: boolean,
): Promise<number> => {
	mkdirSync(logDirectory, {recursive: true, mode: 0o750});
	const log = openSync(path.join(logDirectory, 'hekafsd.log'), 'a', 0o640);
	const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
		detached: !sameGroup,
		stdio: ['ignore', log, log, 'ipc'],
	});
	return new Promise(resolve => {
		child.on('message', message => {
			if (!isChildMessage(message)) return;
			if (message.kind === 'failed') {
				process.stderr.write(message.text);
				return;
			}
			process.stdout.write(message.text);
			child.disconnect();
			child.unref();
			resolve(EXIT.ok);
		});
		child.on('error', error => {
			process.stderr.write(`hekafsd: can't start itself in the background: ${error.message}\n`);
			resolve(EXIT.failure);
		});
		child.on('exit', code => resolve(code ?? EXIT.failure));
	});
};

/** Tells the parent, if there is one that listens. */
export const tellParent = (message: ChildMessage): void => {
	if (process.send !== undefined && process.connected) process.send(message, () => undefined);
};
