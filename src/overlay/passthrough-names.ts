/** LOOKUP, and what makes, moves and removes names on the backing, except regular files (CREATE). */
import {type Caller, type Entry, type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {AT, EMPTY_PATH} from '../posix/libc.ts';
import {linkat, mkdirat, mknodat, RENAME, renameat2, symlinkat, unlinkat} from '../posix/names.ts';
import {STATX} from '../posix/statx.ts';
import {asCaller} from './as-caller.ts';
import {checkName, type Context} from './context.ts';
import {isLost, NOT_DONE, UNKNOWN} from './guard.ts';
import {S_IFDIR} from './identity.ts';
import {statAt, statDescriptor} from './nodes.ts';

type NameOperations = Pick<
	FilesystemOps,
	'lookup' | 'symlink' | 'mknod' | 'mkdir' | 'unlink' | 'rmdir' | 'rename' | 'link'
>;

/** What has a name that is about to change. */
interface Named {
	/** 0: nothing. */
	readonly ino: bigint;
	/** 0: the kernel doesn't know it. */
	readonly nodeid: number;
	/** The name is its only one. */
	readonly last: boolean;
}

/** A name in a directory. */
interface Place {
	readonly parent: number;
	readonly name: Buffer;
}

export const nameOperations = (ctx: Context): NameOperations => {
	const {guard, nodes, inodes} = ctx;

	const make = (
		caller: Caller,
		parent: number,
		name: Buffer,
		create: (directory: number) => number,
	): Entry | number => {
		const checked = checkName(parent, name);
		if (checked < 0) return checked;
		const done = {made: false};
		const run = (generation: number): Entry | number =>
			nodes.inDirectory(parent, generation, (directory): Entry | number => {
				const made = asCaller(caller, () => create(directory));
				if (made < 0) return made;
				done.made = true;
				ctx.changed(parent, directory, generation);
				return ctx.entryAt(directory, parent, name);
			});
		const inspect = (generation: number): Entry | number | typeof NOT_DONE =>
			nodes.inDirectory(parent, generation, directory => {
				if (done.made) return ctx.entryAt(directory, parent, name);
				// What is there may be somebody else's, and of several who make one name only one may be told that it was him.
				const found = statAt(directory, name, ctx.statx);
				return found === 0 ? UNKNOWN : found === -ERRNO.ENOENT ? NOT_DONE : found;
			});
		const answer = guard.mutate(run, inspect);
		// It is made: when a server dies at that moment only the look at it has failed, and succeeds a moment later.
		return done.made && isLost(answer)
			? guard.readPatiently(generation =>
					nodes.inDirectory(parent, generation, directory => ctx.entryAt(directory, parent, name)),
				)
			: answer;
	};

	/** What has the name now, in order to tell the table, and to recognise it, afterwards. @returns a lost answer if there is none */
	const named = (directory: number, name: Buffer): Named | number => {
		const found = statAt(directory, name, ctx.statx);
		if (isLost(found)) return found;
		if (found < 0) return {ino: 0n, nodeid: 0, last: false};
		const isDirectory = (ctx.statx.readUInt16LE(STATX.mode) & S_IFDIR) === S_IFDIR;
		return {
			ino: ctx.statx.readBigUInt64LE(STATX.ino),
			nodeid: ctx.knownNode(),
			last: isDirectory || ctx.statx.readUInt32LE(STATX.nlink) <= 1,
		};
	};

	const remove = (parent: number, name: Buffer, flags: number): number => {
		const checked = checkName(parent, name);
		if (checked < 0) return checked;
		let tried: Named | undefined;
		return guard.mutate<number>(
			generation =>
				nodes.inDirectory(parent, generation, directory => {
					const victim = named(directory, name);
					if (typeof victim === 'number') return victim;
					tried = victim;
					const result = unlinkat(directory, name, flags);
					if (result < 0) return result;
					if (victim.nodeid !== 0) inodes.unnamed(victim.nodeid, parent, name, victim.last);
					ctx.changed(parent, directory, generation);
					return 0;
				}),
			generation =>
				nodes.inDirectory(parent, generation, directory => {
					if (tried === undefined) return NOT_DONE;
					const now = named(directory, name);
					if (typeof now === 'number') return now;
					// Gone: it may have been somebody else who removed it, and who claims something by unlink(2) must be the only one.
					return now.ino !== 0n && now.ino === tried.ino ? NOT_DONE : UNKNOWN;
				}),
		);
	};

	const renameBetween = (from: Place, to: Place, flags: number): number => {
		interface Tried {
			readonly source: Named;
			readonly target: Named;
		}
		let tried: Tried | undefined;
		const inBoth = <T>(generation: number, use: (fd: number, newFd: number) => T): T | number =>
			nodes.inDirectory(from.parent, generation, fd =>
				nodes.inDirectory(to.parent, generation, newFd => use(fd, newFd)),
			);
		const look = (fd: number, newFd: number): Tried | number => {
			const source = named(fd, from.name);
			const target = typeof source === 'number' ? source : named(newFd, to.name);
			if (typeof source === 'number') return source;
			return typeof target === 'number' ? target : {source, target};
		};
		const moved = ({source, target}: Tried, generation: number, fd: number, newFd: number): number => {
			// rename(2) of two names of one file does nothing: both names stay.
			if (source.nodeid === 0 || source.nodeid !== target.nodeid) {
				if (target.nodeid !== 0) {
					if ((flags & RENAME.EXCHANGE) !== 0) inodes.moved(target.nodeid, from.parent, from.name);
					else inodes.unnamed(target.nodeid, to.parent, to.name, target.last);
				}
				if (source.nodeid !== 0) inodes.moved(source.nodeid, to.parent, to.name);
			}
			ctx.changed(from.parent, fd, generation);
			ctx.changed(to.parent, newFd, generation);
			return 0;
		};
		return guard.mutate<number>(
			generation =>
				inBoth(generation, (fd, newFd) => {
					const before = look(fd, newFd);
					if (typeof before === 'number') return before;
					tried = before;
					const result = renameat2(fd, from.name, newFd, to.name, flags);
					return result < 0 ? result : moved(before, generation, fd, newFd);
				}),
			generation =>
				inBoth(generation, (fd, newFd) => {
					if (tried === undefined) return NOT_DONE;
					const now = look(fd, newFd);
					if (typeof now === 'number') return now;
					if (now.source.ino === tried.source.ino) return NOT_DONE;
					return now.target.ino === tried.source.ino && tried.source.ino !== 0n
						? moved(tried, generation, fd, newFd)
						: UNKNOWN;
				}),
		);
	};

	return {
		lookup(_caller, parent, name) {
			return guard.read(generation =>
				nodes.inDirectory(parent, generation, (directory): Entry | number => {
					if (ctx.root.stale) ctx.changed(parent, directory, generation);
					const entry = ctx.entryAt(directory, parent, name);
					return entry === -ERRNO.ENOENT ? ctx.absent() : entry;
				}),
			);
		},

		symlink: (caller, parent, name, target) =>
			make(caller, parent, name, directory => symlinkat(target, directory, name)),

		// The kernel has applied the caller's umask (FUSE_DONT_MASK is not asked for).
		mknod: (caller, parent, name, mode, rdev) =>
			make(caller, parent, name, directory => mknodat(directory, name, mode, rdev)),

		mkdir: (caller, parent, name, mode) =>
			make(caller, parent, name, directory => mkdirat(directory, name, mode)),

		unlink: (_caller, parent, name) => remove(parent, name, 0),
		rmdir: (_caller, parent, name) => remove(parent, name, AT.REMOVEDIR),

		rename(_caller, parent, name, newParent, newName, flags) {
			const checked = Math.min(checkName(parent, name), checkName(newParent, newName));
			if (checked < 0) return checked;
			return renameBetween({parent, name}, {parent: newParent, name: newName}, flags);
		},

		link(_caller, nodeid, newParent, newName) {
			const checked = checkName(newParent, newName);
			if (checked < 0) return checked;
			const inBoth = <T>(generation: number, use: (fd: number, directory: number) => T): T | number =>
				nodes.inDirectory(newParent, generation, directory =>
					nodes.withFile(nodeid, generation, fd => use(fd, directory)),
				);
			const linked = (fd: number, directory: number, generation: number): Entry | number => {
				// A file of O_TMPFILE has its first name now.
				if (inodes.placeOf(nodeid) === undefined) inodes.moved(nodeid, newParent, newName);
				ctx.changed(newParent, directory, generation);
				const result = statDescriptor(fd, ctx.statx);
				return result < 0 ? result : ctx.entry(newParent, newName);
			};
			return guard.mutate<Entry | number>(
				generation =>
					inBoth(generation, (fd, directory) => {
						const result = linkat(fd, EMPTY_PATH, directory, newName, AT.EMPTY_PATH);
						return result < 0 ? result : linked(fd, directory, generation);
					}),
				generation =>
					inBoth(generation, (fd, directory) => {
						const there = statAt(directory, newName, ctx.statx);
						if (there < 0) return there === -ERRNO.ENOENT ? NOT_DONE : there;
						return ctx.knownNode() === nodeid ? linked(fd, directory, generation) : -ERRNO.EEXIST;
					}),
			);
		},
	};
};
