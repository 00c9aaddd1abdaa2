/**
 * `hfs_config init`: fills an empty config filesystem with a tree, all or nothing. The tree is built aside, then its
 * top-level entries are renamed into place under the cluster's lock, so that of two nodes exactly one wins. The intent
 * file makes a publication that was cut off repeatable.
 */
import {HekafsError} from '../errors.ts';
import {type TreeEntry} from './initial-tree.ts';
import {MACHINERY, type Store} from './store.ts';

const topOf = (path: string): string => path.split('/', 1)[0]!;

/** Entries of the root that are not ours. */
const contentOf = async (store: Store): Promise<readonly string[]> =>
	((await store.list('')) ?? []).filter(name => name !== MACHINERY.directory);

const build = async (store: Store, base: string, tree: readonly TreeEntry[]): Promise<void> => {
	await store.mkdir(MACHINERY.staging, 0o700);
	await store.mkdir(base, 0o700);
	for (const entry of tree) {
		const path = `${base}/${entry.path}`;
		if (entry.kind === 'dir') await store.mkdir(path, entry.mode);
		else if (entry.kind === 'symlink') await store.symlink(entry.target, path);
		else await store.writeAtomic(path, entry.content, entry.mode);
		if ((entry.uid ?? 0) !== 0 || (entry.gid ?? 0) !== 0)
			await store.chown(path, entry.uid ?? 0, entry.gid ?? 0);
	}
};

/** Renames what is still in the staging directory into the root. */
const publish = async (store: Store, base: string): Promise<number> => {
	const names = (await store.list(base)) ?? [];
	for (const name of names) await store.rename(`${base}/${name}`, name);
	await store.remove(base);
	await store.remove(MACHINERY.init);
	return names.length;
};

const finishInterrupted = async (store: Store): Promise<void> => {
	const base = (await store.read(MACHINERY.init, 256))?.toString('latin1').trim();
	if (base !== undefined && base.startsWith(`${MACHINERY.staging}/`)) await publish(store, base);
};

/**
 * Publishes `tree` in an empty filesystem.
 * @param id makes the staging directory's name unique
 * @returns how many top-level entries there are now
 * @throws HekafsError HEKAFS_POPULATED when there is content, HEKAFS_BUSY when another node holds the lock
 */
export const initialise = async (store: Store, tree: readonly TreeEntry[], id: string): Promise<number> => {
	// Made when the filesystem was founded; a local directory has none yet.
	await store.mkdir(MACHINERY.directory, 0o700);
	if (!(await store.tryLock(MACHINERY.lock))) {
		throw new HekafsError('HEKAFS_BUSY', 'another node is initialising or changing the config filesystem', {
			remedy: 'Wait for it, then look with: hfs_config status',
		});
	}
	try {
		await finishInterrupted(store);
		const content = await contentOf(store);
		if (content.length > 0) {
			throw new HekafsError(
				'HEKAFS_POPULATED',
				`the config filesystem is populated already (it has ${content.toSorted().slice(0, 5).join(', ')}${content.length > 5 ? ', …' : ''})`,
				{
					remedy:
						'init is for an empty filesystem. Copy what you need into it with ordinary tools, or remove its content first.',
				},
			);
		}
		const base = `${MACHINERY.staging}/init-${id}`;
		await store.remove(base);
		await build(store, base, tree);
		await store.writeAtomic(MACHINERY.init, `${base}\n`, 0o600);
		await publish(store, base).catch(async (error: unknown) => {
			// Nothing is published: the next attempt begins anew, instead of repeating this one.
			if ((await contentOf(store)).length === 0) await store.remove(MACHINERY.init);
			throw error;
		});
		return new Set(tree.map(entry => topOf(entry.path))).size;
	} finally {
		await store.unlock(MACHINERY.lock);
	}
};
