/** Reads a directory tree for `hfs_config init --from`: files, directories and symlinks with modes and owners, within limits. */
import {constants} from 'node:fs';
import {lstat, open, readdir, readlink} from 'node:fs/promises';
import {join} from 'node:path';
import {HekafsError} from '../../errors.ts';
import {INIT_LIMITS, isInitPath, type InitEntry} from '../../http/init-entry.ts';

const refused = (message: string, remedy: string): HekafsError =>
	new HekafsError('HEKAFS_REFUSED', message, {remedy});

const utf8 = new TextDecoder('utf-8', {fatal: true});
/** Names and targets are bytes; those that are not UTF-8 can't travel as JSON. */
const decode = (bytes: Buffer, where: string): string => {
	try {
		return utf8.decode(bytes);
	} catch {
		throw refused(
			`a name or link target in ${where} is not UTF-8: ${bytes.toString('latin1').replaceAll(/[^ -~]/g, '?')}`,
			'Rename it, or copy it with cp after init.',
		);
	}
};

interface Budget {
	entries: number;
	bytes: number;
}

const spend = (budget: Budget, what: keyof Budget, amount: number): void => {
	budget[what] -= amount;
	if (budget[what] < 0)
		throw refused(
			`the tree has more than ${INIT_LIMITS[what]} ${what}`,
			'Is it the right directory? Take what a start needs, and copy the rest with cp after init.',
		);
};

/** Never follows a symlink, never blocks on a FIFO, and reads no more than the budget. */
const readFileBounded = async (path: string, budget: Budget): Promise<Buffer> => {
	await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	const chunks: Buffer[] = [];
	for (;;) {
		const {bytesRead, buffer} = await file.read(Buffer.alloc(65_536), 0, 65_536, null);
		if (bytesRead === 0) return Buffer.concat(chunks);
		spend(budget, 'bytes', bytesRead);
		chunks.push(buffer.subarray(0, bytesRead));
	}
};

const readEntry = async (full: string, path: string, budget: Budget): Promise<InitEntry> => {
	const found = await lstat(full);
	const {uid, gid} = found;
	const mode = found.mode & 0o7777;
	switch (found.mode & constants.S_IFMT) {
		case constants.S_IFDIR:
			return {kind: 'dir', path, mode, uid, gid};
		case constants.S_IFREG:
			if (found.size > budget.bytes) spend(budget, 'bytes', found.size);
			return {kind: 'file', path, mode, uid, gid, content: await readFileBounded(full, budget)};
		case constants.S_IFLNK:
			return {
				kind: 'symlink',
				path,
				uid,
				gid,
				target: decode(await readlink(full, {encoding: 'buffer'}), full),
			};
		default:
			throw refused(
				`${full} is neither a file nor a directory nor a symlink`,
				'Move it away; devices, FIFOs and sockets are not configuration.',
			);
	}
};

const walk = async (base: string, path: string, budget: Budget, tree: InitEntry[]): Promise<void> => {
	const directory = path === '' ? base : join(base, path);
	const names = await readdir(directory, {encoding: 'buffer'});
	for (const name of names.map(bytes => decode(bytes, directory)).sort()) {
		const child = path === '' ? name : `${path}/${name}`;
		if (!isInitPath(child))
			throw refused(
				`${join(base, child)} can't be part of the tree`,
				`.hekafs belongs to HekaFS, and directories are at most ${INIT_LIMITS.depth} deep. Move it away.`,
			);
		spend(budget, 'entries', 1);
		const entry = await readEntry(join(base, child), child, budget);
		tree.push(entry);
		if (entry.kind === 'dir') await walk(base, child, budget, tree);
	}
};

/**
 * Entries below `directory` (not itself), each directory before what is in it, names in order.
 * @throws HekafsError HEKAFS_REFUSED for what a tree can't hold, HEKAFS_USAGE when it can't be read
 */
export const readTree = async (directory: string): Promise<InitEntry[]> => {
	const tree: InitEntry[] = [];
	try {
		await walk(directory, '', {entries: INIT_LIMITS.entries, bytes: INIT_LIMITS.bytes}, tree);
	} catch (error) {
		if (error instanceof HekafsError) throw error;
		throw new HekafsError('HEKAFS_USAGE', `can't read the tree ${directory}`, {
			cause: error,
			remedy: 'Give --from a directory that exists and that root can read.',
		});
	}
	if (tree.length === 0)
		throw refused(`${directory} is empty`, 'Leave --from out to get the built-in initial tree.');
	return tree;
};
