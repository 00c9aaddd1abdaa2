/** Flags of open(2). Some differ between x86_64 and aarch64; those come from node, which was compiled for the machine. */
import {constants} from 'node:fs';

export const O = {
	RDONLY: 0,
	WRONLY: 1,
	RDWR: 2,
	ACCMODE: 3,
	CREAT: 0o100,
	EXCL: 0o200,
	NOCTTY: 0o400,
	TRUNC: 0o1000,
	APPEND: 0o2000,
	NONBLOCK: 0o4000,
	DSYNC: 0o10000,
	NOATIME: 0o1000000,
	CLOEXEC: 0o2000000,
	SYNC: 0o4010000,
	PATH: 0o10000000,
	DIRECT: constants.O_DIRECT,
	DIRECTORY: constants.O_DIRECTORY,
	NOFOLLOW: constants.O_NOFOLLOW,
	TMPFILE: 0o20000000 | constants.O_DIRECTORY,
} as const;
