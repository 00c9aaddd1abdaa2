/** A Store over bricks in memory, or over one of its own: the calls that heal/ makes on a mounted filesystem. */
import {type Store} from '../../src/heal/store.ts';
import {type Entry} from './memory-bricks.ts';

/** The filesystem below a store. */
export interface Tree {
	read(path: string): Entry | undefined;
	list(directory: string): readonly string[] | undefined;
	below(directory: string): readonly string[];
	write(path: string, entry: Entry | undefined): void;
	tryLock(path: string, holder: object): boolean;
	unlock(path: string, holder: object): boolean;
}

/** Runs an effect when its time has come: with latency, or never, when the process has crashed. */
export type Carry = <T>(what: string, effect: () => T) => Promise<T>;

const parentOf = (path: string): string => path.split('/').slice(0, -1).join('/');

const requireParent = (tree: Tree, path: string): void => {
	const parent = parentOf(path);
	if (parent !== '' && tree.read(parent)?.kind !== 'dir') throw new Error(`ENOENT: ${path}`);
};

const write = (tree: Tree, path: string, entry: Entry): void => {
	requireParent(tree, path);
	if (tree.read(path)?.kind === 'dir') throw new Error(`EISDIR: ${path}`);
	tree.write(path, entry);
};

const rename = (tree: Tree, from: string, to: string): void => {
	const entry = tree.read(from);
	if (entry === undefined) throw new Error(`ENOENT: ${from}`);
	requireParent(tree, to);
	const inside = tree.below(from).map(path => [path, tree.read(path)] as const);
	tree.write(to, entry);
	for (const [path, moved] of inside) tree.write(to + path.slice(from.length), moved);
	for (const [path] of inside) tree.write(path, undefined);
	tree.write(from, undefined);
};

const text = (data: string | Uint8Array): string => Buffer.from(data).toString('latin1');

/**
 * @param carry for what changes something
 * @param look for what doesn't
 */
export const memoryStore = (tree: Tree, holder: object, carry: Carry, look: Carry = carry): Store => ({
	list: async path => look(`list ${path}`, () => tree.list(path) ?? null),
	read: async (path, maxBytes) =>
		look(`read ${path}`, () => {
			const entry = tree.read(path);
			if (entry === undefined) return null;
			if (entry.kind !== 'file') throw new Error(`EISDIR: ${path}`);
			return Buffer.from(entry.data, 'latin1').subarray(0, maxBytes);
		}),
	writeAtomic: async (path, data) =>
		carry(`write ${path}`, () => write(tree, path, {kind: 'file', data: text(data)})),
	writeExclusive: async (path, data) =>
		carry(`create ${path}`, () => {
			if (tree.read(path) !== undefined) return false;
			write(tree, path, {kind: 'file', data: text(data)});
			return true;
		}),
	mkdir: async path =>
		carry(`mkdir ${path}`, () => {
			if (tree.read(path) !== undefined) return false;
			requireParent(tree, path);
			tree.write(path, {kind: 'dir'});
			return true;
		}),
	symlink: async (target, path) =>
		carry(`symlink ${path}`, () => write(tree, path, {kind: 'symlink', target})),
	chown: async path => carry(`chown ${path}`, () => undefined),
	remove: async path =>
		carry(`remove ${path}`, () => {
			for (const inside of tree.below(path)) tree.write(inside, undefined);
			if (tree.read(path) !== undefined) tree.write(path, undefined);
		}),
	rename: async (from, to) => carry(`rename ${from}`, () => rename(tree, from, to)),
	tryLock: async path => carry(`lock ${path}`, () => tree.tryLock(path, holder)),
	unlock: async path => carry(`unlock ${path}`, () => tree.unlock(path, holder)),
});

/** A filesystem without bricks: what unit tests of single files write to. */
export class MemoryTree implements Tree {
	readonly entries = new Map<string, Entry>();
	readonly locks = new Map<string, object>();

	read(path: string): Entry | undefined {
		return this.entries.get(path);
	}

	list(directory: string): readonly string[] | undefined {
		if (directory !== '' && this.entries.get(directory)?.kind !== 'dir') return undefined;
		const prefix = directory === '' ? '' : `${directory}/`;
		return [...this.entries.keys()]
			.filter(path => path.startsWith(prefix) && !path.includes('/', prefix.length))
			.map(path => path.slice(prefix.length));
	}

	below(directory: string): readonly string[] {
		return [...this.entries.keys()].filter(path => path.startsWith(`${directory}/`));
	}

	write(path: string, entry: Entry | undefined): void {
		if (entry === undefined) this.entries.delete(path);
		else this.entries.set(path, entry);
	}

	tryLock(path: string, holder: object): boolean {
		if ((this.locks.get(path) ?? holder) !== holder) return false;
		this.locks.set(path, holder);
		return true;
	}

	unlock(path: string, holder: object): boolean {
		return this.locks.get(path) === holder && this.locks.delete(path);
	}

	/** What `path` holds as a file. */
	text(path: string): string | undefined {
		const entry = this.entries.get(path);
		return entry?.kind === 'file' ? entry.data : undefined;
	}
}

/** Carries everything out at once. */
// eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not an exception, is what callers get
export const atOnce: Carry = async (_what, effect) => effect();
