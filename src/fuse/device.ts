/** /dev/fuse, the mount itself, and the connection's control directory: everything about a session but its requests. */
import fs from 'node:fs';
import path from 'node:path';
import {answerInit, type InitOptions, type Negotiated} from './wire/init.ts';
import {OPCODE, OPCODE_LIMIT} from './wire/abi.ts';
import {ReplyBuffer} from './wire/reply.ts';
import {RequestBuffer} from './wire/request.ts';
import {HekafsError} from '../errors.ts';
import {ERRNO, errnoName} from '../posix/errno.ts';
import {close, openat, read, write} from '../posix/files.ts';
import {AT_FDCWD, cstring} from '../posix/libc.ts';
import {mount, MNT, MS, umount2, UMOUNT_NOFOLLOW} from '../posix/mount.ts';
import {O} from '../posix/open-flags.ts';

const CONNECTIONS = '/sys/fs/fuse/connections';

export interface MountOptions extends InitOptions {
	/** Absolute, without symbolic links (`resolveMountpoint`). */
	readonly mountpoint: string;
	readonly fsname: string;
	readonly subtype: string;
	readonly allowOther: boolean;
	readonly defaultPermissions: boolean;
}

/** Resolves all but the last component, which may be a mount that hangs or is dead: that one is never touched. */
export const resolveMountpoint = (mountpoint: string): string => {
	const absolute = path.resolve(mountpoint);
	try {
		return path.join(fs.realpathSync(path.dirname(absolute)), path.basename(absolute));
	} catch (cause) {
		throw new HekafsError('HEKAFS_MOUNT_FAILED', `can't resolve the mount point ${mountpoint}`, {cause});
	}
};

/** Opens the device. @returns the descriptor */
export const openDevice = (): number => {
	const fd = openat(AT_FDCWD, cstring('/dev/fuse'), O.RDWR | O.CLOEXEC);
	if (fd >= 0) return fd;
	throw new HekafsError('HEKAFS_NO_FUSE', `can't open /dev/fuse: ${errnoName(fd)}`, {
		remedy: 'Load the kernel module with "modprobe fuse", or give the container the device /dev/fuse.',
	});
};

const REMEDIES: Readonly<Record<number, string>> = {
	[ERRNO.EPERM]: 'Run as root with CAP_SYS_ADMIN.',
	[ERRNO.ENOENT]: 'Create the directory.',
	[ERRNO.ENOTDIR]: 'Name a directory.',
	[ERRNO.ENOTCONN]: 'A dead mount is in the way: "umount -l" removes it.',
	[ERRNO.ENODEV]: 'The kernel has no FUSE: "modprobe fuse".',
};

/** Mounts the device. @returns the connection's number; the INIT request then waits to be read */
export const mountDevice = (fd: number, options: MountOptions): number => {
	const data = [
		`fd=${fd},rootmode=40000,user_id=0,group_id=0,max_read=${options.maxWrite}`,
		options.allowOther ? ',allow_other' : '',
		options.defaultPermissions ? ',default_permissions' : '',
	].join('');
	const {mountpoint, fsname, subtype} = options;
	const result = mount(fsname, mountpoint, `fuse.${subtype}`, MS.NOSUID | MS.NODEV, data);
	if (result < 0) {
		const remedy = REMEDIES[-result];
		throw new HekafsError(
			result === -ERRNO.EPERM ? 'HEKAFS_NOT_ROOT' : 'HEKAFS_MOUNT_FAILED',
			`can't mount ${fsname} on ${mountpoint}: ${errnoName(result)}`,
			remedy === undefined ? {} : {remedy},
		);
	}
	const connection = connectionAt(mountpoint);
	if (connection !== undefined) return connection;
	umount2(mountpoint, MNT.DETACH);
	throw new HekafsError('HEKAFS_MOUNT_FAILED', `the mount on ${mountpoint} is not to be found`, {
		remedy: 'The last component of a mount point must not be a symbolic link.',
	});
};

/**
 * The number of the topmost mount at a path, as /sys/fs/fuse/connections has it: the minor device number.
 * Reads only /proc, so it can't hang.
 */
export const connectionAt = (mountpoint: string): number | undefined => {
	let found: number | undefined;
	for (const line of fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
		const fields = line.split(' ');
		if (fields[4] === undefined || unescapeMountinfo(fields[4]) !== mountpoint) continue;
		found = Number(fields[2]?.split(':')[1]);
	}
	return found;
};

/** Blank, tab, newline and backslash stand as octal numbers in mountinfo. */
const unescapeMountinfo = (field: string): string =>
	field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Reads INIT and answers it, on the calling thread. The request waits already when mount(2) has returned. */
export const handshake = (fd: number, options: InitOptions): Negotiated => {
	const request = new RequestBuffer(options.maxWrite);
	const reply = new ReplyBuffer(4096);
	const fail = (what: string): never => {
		throw new HekafsError('HEKAFS_MOUNT_FAILED', `the FUSE handshake failed: ${what}`);
	};
	// A kernel of a newer major version asks twice.
	for (let tries = 0; tries < 3; tries++) {
		const length = read(fd, request.memory);
		if (length < 0) return fail(`read: ${errnoName(length)}`);
		if (request.parse(length) !== undefined || request.opcode !== OPCODE.INIT) return fail('no INIT came');
		const {outcome, size} = answerInit(request, reply, options);
		const length2 = reply.finish(request.uniqueLow, request.uniqueHigh, size);
		const written = write(fd, reply.memory, length2);
		if (written < 0) return fail(`write: ${errnoName(written)}`);
		if (outcome === 'too-old') return fail('the kernel speaks a protocol older than 7.23');
		if (outcome !== 'retry') return outcome;
	}
	return fail('no agreement on the version');
};

/** Makes /sys/fs/fuse/connections usable. @returns whether it is; without it a hung session ends only by MNT_FORCE */
export const ensureFusectl = (): boolean => {
	if (fs.existsSync(CONNECTIONS) && fs.readdirSync(CONNECTIONS).length > 0) return true;
	return mount('fusectl', CONNECTIONS, 'fusectl', MS.NOSUID | MS.NODEV | MS.NOEXEC, '') >= 0;
};

/** Aborts a connection: every waiting client gets ECONNABORTED, every reader of the device is woken. Never blocks. */
export const abortConnection = (connection: number): boolean => {
	try {
		fs.writeFileSync(`${CONNECTIONS}/${connection}/abort`, '1');
		return true;
	} catch {
		return false;
	}
};

/** Aborts and detaches at once, for the last moments of a process. Doesn't wait for any request. */
export const tearDown = (mountpoint: string, connection: number): void => {
	abortConnection(connection);
	if (connectionAt(mountpoint) === connection) umount2(mountpoint, MNT.FORCE | MNT.DETACH | UMOUNT_NOFOLLOW);
};

/** Requests that have no deadline: lock waits, and those whose client doesn't wait. */
const NO_DEADLINE: readonly number[] = [
	OPCODE.SETLKW,
	OPCODE.RELEASE,
	OPCODE.RELEASEDIR,
	OPCODE.FORGET,
	OPCODE.BATCH_FORGET,
];

/** The deadline of each opcode, in milliseconds; 0: none. */
export const deadlines = (defaultMs: number): readonly number[] =>
	Array.from({length: OPCODE_LIMIT}, (_, opcode) => (NO_DEADLINE.includes(opcode) ? 0 : defaultMs));

export {close as closeDevice};
