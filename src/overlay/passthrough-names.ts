/** LOOKUP, and what makes, moves and removes names on the backing, except regular files (CREATE). */
import {type Caller, type Entry, type FilesystemOps} from '../fuse/filesystem.ts';
import {ERRNO} from '../posix/errno.ts';
import {AT, EMPTY_PATH} from '../posix/libc.ts';
import {linkat, mkdirat, mknodat, RENAME, renameat2, symlinkat, unlinkat} from '../posix/names.ts';
import {STATX} from '../posix/statx.ts';
import {asCaller} from './as-caller.ts';
import {checkName, type Context} from './context.ts';
import {isLost} from './guard.ts';
import {S_IFDIR} from './identity.ts';
import {statAt, statDescriptor} from './nodes.ts';

type NameOperations = Pick<
	FilesystemOps,
	'lookup' | 'symlink' | 'mknod' | 'mkdir' | 'unlink' | 'rmdir' | 'rename' | 'link'
>;

/** A file that the kernel may know, found under a name that is about to change. */
interface Named {
	readonly nodeid: number;
	/** The name is its only one. */
	readonly last: boolean;
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
		const answer = guard.mutate(generation =>
			nodes.inDirectory(parent, generation, (directory): Entry | number => {
				const made = asCaller(caller, () => create(directory));
				if (made < 0) return made;
				done.made = true;
				ctx.changed(parent, directory, generation);
				return ctx.entryAt(directory, parent, name);
			}),
		);
		// It is made: when a server dies at that moment only the look at it has failed, and succeeds a moment later.
		return done.made && isLost(answer)
			? guard.readPatiently(generation =>
					nodes.inDirectory(parent, generation, directory => ctx.entryAt(directory, parent, name)),
				)
			: answer;
	};

	/** Which file has the name now, in order to tell the table afterwards. */
	const named = (directory: number, name: Buffer): Named => {
		if (statAt(directory, name, ctx.statx) < 0) return {nodeid: 0, last: false};
		const isDirectory = (ctx.statx.readUInt16LE(STATX.mode) & S_IFDIR) === S_IFDIR;
		return {nodeid: ctx.knownNode(), last: isDirectory || ctx.statx.readUInt32LE(STATX.nlink) <= 1};
	};

	const remove = (parent: number, name: Buffer, flags: number): number => {
		const checked = checkName(parent, name);
		if (checked < 0) return checked;
		return guard.mutate(generation =>
			nodes.inDirectory(parent, generation, directory => {
				const victim = named(directory, name);
				const result = unlinkat(directory, name, flags);
				if (result < 0) return result;
				if (victim.nodeid !== 0) inodes.unnamed(victim.nodeid, parent, name, victim.last);
				ctx.changed(parent, directory, generation);
				return 0;
			}),
		);
	};

	const renameBetween = (
		from: {readonly parent: number; readonly fd: number; readonly name: Buffer},
		to: {readonly parent: number; readonly fd: number; readonly name: Buffer},
		flags: number,
		generation: number,
	): number => {
		const source = named(from.fd, from.name);
		const target = named(to.fd, to.name);
		const result = renameat2(from.fd, from.name, to.fd, to.name, flags);
		if (result < 0) return result;
		// rename(2) of two names of one file does nothing: both names stay.
		if (source.nodeid === 0 || source.nodeid !== target.nodeid) {
			if (target.nodeid !== 0) {
				if ((flags & RENAME.EXCHANGE) !== 0) inodes.moved(target.nodeid, from.parent, from.name);
				else inodes.unnamed(target.nodeid, to.parent, to.name, target.last);
			}
			if (source.nodeid !== 0) inodes.moved(source.nodeid, to.parent, to.name);
		}
		ctx.changed(from.parent, from.fd, generation);
		ctx.changed(to.parent, to.fd, generation);
		return 0;
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
			return guard.mutate(generation =>
				nodes.inDirectory(parent, generation, fd =>
					nodes.inDirectory(newParent, generation, newFd =>
						renameBetween(
							{parent, fd, name},
							{parent: newParent, fd: newFd, name: newName},
							flags,
							generation,
						),
					),
				),
			);
		},

		link(_caller, nodeid, newParent, newName) {
			const checked = checkName(newParent, newName);
			if (checked < 0) return checked;
			return guard.mutate(generation =>
				nodes.inDirectory(newParent, generation, directory =>
					nodes.withFile(nodeid, generation, (fd): Entry | number => {
						const linked = linkat(fd, EMPTY_PATH, directory, newName, AT.EMPTY_PATH);
						if (linked < 0) return linked;
						// A file of O_TMPFILE has its first name now.
						if (inodes.placeOf(nodeid) === undefined) inodes.moved(nodeid, newParent, newName);
						ctx.changed(newParent, directory, generation);
						const result = statDescriptor(fd, ctx.statx);
						return result < 0 ? result : ctx.entry(newParent, newName);
					}),
				),
			);
		},
	};
};
