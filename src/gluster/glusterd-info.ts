/** This node's UUID as glusterd keeps it, read from its file: works while glusterd is down. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {HekafsError} from '../errors.ts';

const UUID_LINE = /^UUID=([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\s*$/m;

/** @param text content of glusterd.info. @returns the UUID in lower case, undefined when there is none */
export const parseGlusterdInfo = (text: string): string | undefined =>
	UUID_LINE.exec(text)?.[1]?.toLowerCase();

/**
 * @param glusterdDirectory usually /var/lib/glusterd
 * @returns undefined when glusterd has never run here
 * @throws HEKAFS_STATE_UNREADABLE · HEKAFS_STATE_INVALID
 */
export const readNodeUuid = async (glusterdDirectory: string): Promise<string | undefined> => {
	const path = join(glusterdDirectory, 'glusterd.info');
	let text;
	try {
		text = await readFile(path, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw new HekafsError('HEKAFS_STATE_UNREADABLE', `Can't read glusterd's identity from ${path}`, {
			cause: error,
			remedy: 'Run as root, and check the disk below that path.',
		});
	}
	const uuid = parseGlusterdInfo(text);
	if (uuid === undefined)
		throw new HekafsError('HEKAFS_STATE_INVALID', `${path} has no valid UUID= line`, {
			remedy:
				'Repair glusterd first: restore that file from a backup, or from what peers list for this node.',
		});
	return uuid;
};
