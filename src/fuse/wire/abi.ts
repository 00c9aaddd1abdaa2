/** Numbers of the FUSE kernel protocol 7.x under the kernel's own names (include/uapi/linux/fuse.h). */

export const FUSE_KERNEL_VERSION = 7;
export const FUSE_ROOT_ID = 1;

/** enum fuse_opcode. */
export const OPCODE = {
	LOOKUP: 1,
	FORGET: 2,
	GETATTR: 3,
	SETATTR: 4,
	READLINK: 5,
	SYMLINK: 6,
	MKNOD: 8,
	MKDIR: 9,
	UNLINK: 10,
	RMDIR: 11,
	RENAME: 12,
	LINK: 13,
	OPEN: 14,
	READ: 15,
	WRITE: 16,
	STATFS: 17,
	RELEASE: 18,
	FSYNC: 20,
	SETXATTR: 21,
	GETXATTR: 22,
	LISTXATTR: 23,
	REMOVEXATTR: 24,
	FLUSH: 25,
	INIT: 26,
	OPENDIR: 27,
	READDIR: 28,
	RELEASEDIR: 29,
	FSYNCDIR: 30,
	GETLK: 31,
	SETLK: 32,
	SETLKW: 33,
	ACCESS: 34,
	CREATE: 35,
	INTERRUPT: 36,
	BMAP: 37,
	DESTROY: 38,
	IOCTL: 39,
	POLL: 40,
	NOTIFY_REPLY: 41,
	BATCH_FORGET: 42,
	FALLOCATE: 43,
	READDIRPLUS: 44,
	RENAME2: 45,
	LSEEK: 46,
	COPY_FILE_RANGE: 47,
	SETUPMAPPING: 48,
	REMOVEMAPPING: 49,
	SYNCFS: 50,
	TMPFILE: 51,
	STATX: 52,
	COPY_FILE_RANGE_64: 53,
} as const;
export type OpcodeName = keyof typeof OPCODE;
export type Opcode = (typeof OPCODE)[OpcodeName];
/** Opcodes are below this; tables indexed by opcode have this many rows. */
export const OPCODE_LIMIT = 64;

const OPCODE_NAMES = new Map<number, OpcodeName>(
	Object.entries(OPCODE).map(([name, number]) => [number, name as OpcodeName]),
);
export const opcodeName = (opcode: number): string => OPCODE_NAMES.get(opcode) ?? `opcode ${opcode}`;

/** FUSE_* flags of INIT, low word. */
export const INIT = {
	ASYNC_READ: 1 << 0,
	POSIX_LOCKS: 1 << 1,
	ATOMIC_O_TRUNC: 1 << 3,
	EXPORT_SUPPORT: 1 << 4,
	BIG_WRITES: 1 << 5,
	DONT_MASK: 1 << 6,
	FLOCK_LOCKS: 1 << 10,
	AUTO_INVAL_DATA: 1 << 12,
	DO_READDIRPLUS: 1 << 13,
	READDIRPLUS_AUTO: 1 << 14,
	ASYNC_DIO: 1 << 15,
	WRITEBACK_CACHE: 1 << 16,
	PARALLEL_DIROPS: 1 << 18,
	ABORT_ERROR: 1 << 21,
	MAX_PAGES: 1 << 22,
	HANDLE_KILLPRIV_V2: 1 << 28,
	INIT_EXT: 1 << 30,
} as const;

/** FUSE_* flags of INIT, high word (bit number minus 32). */
export const INIT2 = {
	CREATE_SUPP_GROUP: 1 << 2,
	DIRECT_IO_ALLOW_MMAP: 1 << 4,
} as const;

/** `valid` bits of SETATTR. */
export const FATTR = {
	MODE: 1 << 0,
	UID: 1 << 1,
	GID: 1 << 2,
	SIZE: 1 << 3,
	ATIME: 1 << 4,
	MTIME: 1 << 5,
	FH: 1 << 6,
	ATIME_NOW: 1 << 7,
	MTIME_NOW: 1 << 8,
	LOCKOWNER: 1 << 9,
	CTIME: 1 << 10,
	KILL_SUIDGID: 1 << 11,
} as const;

/** `open_flags` of the answers to OPEN, OPENDIR and CREATE. */
export const FOPEN = {
	DIRECT_IO: 1 << 0,
	KEEP_CACHE: 1 << 1,
	NONSEEKABLE: 1 << 2,
	CACHE_DIR: 1 << 3,
	STREAM: 1 << 4,
	NOFLUSH: 1 << 5,
	PARALLEL_DIRECT_WRITES: 1 << 6,
	PASSTHROUGH: 1 << 7,
} as const;

export const FUSE_GETATTR_FH = 1 << 0;
export const FUSE_OPEN_KILL_SUIDGID = 1 << 0;
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2;
export const FUSE_RELEASE_FLOCK_UNLOCK = 1 << 1;
export const FUSE_FSYNC_FDATASYNC = 1 << 0;
export const FUSE_LK_FLOCK = 1 << 0;
/** fuse_ext_type of the extension that carries supplementary groups. */
export const FUSE_EXT_GROUPS = 32;

/** enum fuse_notify_code. */
export const NOTIFY = {INVAL_INODE: 2, INVAL_ENTRY: 3, DELETE: 6} as const;

/** Sizes of the structs, in bytes. */
export const IN_HEADER_SIZE = 40;
export const OUT_HEADER_SIZE = 16;
export const ATTR_SIZE = 88;
export const ENTRY_OUT_SIZE = 128;
export const ATTR_OUT_SIZE = 104;
export const OPEN_OUT_SIZE = 16;
export const INIT_OUT_SIZE = 64;
export const STATFS_OUT_SIZE = 80;
export const DIRENT_SIZE = 24;
export const LK_OUT_SIZE = 24;
/** Where the data of a WRITE begin: in_header and fuse_write_in. */
export const WRITE_DATA_OFFSET = 80;
/** What the kernel wants of a read buffer besides max_write, rounded up generously. */
export const READ_BUFFER_SLACK = 8192;
