/** The mount table of this process, from the text of /proc/self/mountinfo; pure. Format: proc_pid_mountinfo(5). */

export interface Mount {
	readonly id: number;
	readonly parentId: number;
	/** st_dev of files in it. For FUSE `minor` is the number in /sys/fs/fuse/connections. */
	readonly major: number;
	readonly minor: number;
	/** Bytes: a path need not be UTF-8. */
	readonly mountPoint: Buffer;
	readonly options: readonly string[];
	/** `fuse.glusterfs` for a mount of glusterfs. */
	readonly type: string;
	readonly source: string;
}

/** The kernel writes space, tab, newline, backslash and '#' as three octal digits. */
const unescape = (field: string): Buffer =>
	Buffer.from(
		field.replaceAll(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
			String.fromCharCode(Number.parseInt(digits, 8)),
		),
		'latin1',
	);

/** One line; undefined when it has not the documented form. */
const parseLine = (line: string): Mount | undefined => {
	const fields = line.split(' ');
	// Between the 6th field and a single '-' stand any number of optional ones.
	const dash = fields.indexOf('-', 6);
	const [id, parentId, device, , mountPoint, options] = fields;
	const [type, source] = dash === -1 ? [] : fields.slice(dash + 1);
	const numbers = /^(\d+):(\d+)$/.exec(device ?? '');
	if (
		numbers === null ||
		mountPoint === undefined ||
		options === undefined ||
		type === undefined ||
		source === undefined
	)
		return undefined;
	return {
		id: Number(id),
		parentId: Number(parentId),
		major: Number(numbers[1]),
		minor: Number(numbers[2]),
		mountPoint: unescape(mountPoint),
		options: options.split(','),
		type,
		source: unescape(source).toString(),
	};
};

/** @param text the bytes of /proc/self/mountinfo. @returns its mounts in the order of mounting; unknown lines are left out */
export const parseMountTable = (text: Buffer): Mount[] =>
	text
		.toString('latin1')
		.split('\n')
		.map(parseLine)
		.filter(mount => mount !== undefined);

/** The mount that is seen at exactly this path: the last one, when several lie on top of each other. */
export const mountAt = (table: readonly Mount[], path: string): Mount | undefined => {
	const wanted = Buffer.from(path);
	return table.findLast(mount => mount.mountPoint.equals(wanted));
};

/** All mounts at or below a directory, in the order in which they can be taken away. */
export const mountsBelow = (table: readonly Mount[], directory: string): Mount[] => {
	const exact = Buffer.from(directory);
	const prefix = Buffer.from(directory.endsWith('/') ? directory : `${directory}/`);
	return table
		.filter(
			({mountPoint}) => mountPoint.equals(exact) || mountPoint.subarray(0, prefix.length).equals(prefix),
		)
		.reverse();
};
