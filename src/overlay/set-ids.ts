/** Takes the set-id bits off a file whose content somebody changes who may not keep them. */
import {type Caller} from '../fuse/filesystem.ts';
import {fchmodat} from '../posix/attributes.ts';
import {AT, AT_FDCWD, EMPTY_PATH} from '../posix/libc.ts';
import {statx, STATX, STATX_SIZE} from '../posix/statx.ts';
import {pathOfDescriptor} from './nodes.ts';

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_IXGRP = 0o010;

/** STATX_MODE, STATX_GID of linux/stat.h: what a network filesystem answers from its cache, also after a write. */
const MASK = 0x2 | 0x10;

const scratch = Buffer.alloc(STATX_SIZE);

/**
 * What is left of a mode after a change of the content by somebody without CAP_FSETID: setattr_should_drop_suidgid() of
 * the kernel. Of the caller's groups only the first is known; as a member of others it loses a set-group-ID bit that
 * means nothing anyway (the file is not executable for the group).
 */
export const modeAfterChange = (mode: number, inGroup: boolean): number => {
	const drop = (mode & S_IXGRP) !== 0 || !inGroup ? S_ISUID | S_ISGID : S_ISUID;
	return mode & 0o7777 & ~drop;
};

/**
 * The kernel leaves this to us (FUSE_HANDLE_KILLPRIV_V2): we write as root, whose writes keep the bits.
 * @returns 0 or a negative errno
 */
export const dropSetIds = (fd: number, caller: Caller): number => {
	const result = statx(fd, EMPTY_PATH, AT.EMPTY_PATH, scratch, MASK);
	if (result < 0) return result;
	const mode = scratch.readUInt16LE(STATX.mode) & 0o7777;
	if ((mode & (S_ISUID | S_ISGID)) === 0) return 0;
	const left = modeAfterChange(mode, scratch.readUInt32LE(STATX.gid) === caller.gid);
	return left === mode ? 0 : fchmodat(AT_FDCWD, pathOfDescriptor(fd), left);
};
