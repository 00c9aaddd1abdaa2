import test from 'ava';
import fc from 'fast-check';
import {mountAt, mountsBelow, parseMountTable} from '../../../src/gluster/mount-table.ts';

const TABLE = Buffer.from(
	[
		'22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw',
		'42 22 0:39 / /run/hekafs/gen/1 rw,nosuid,nodev,relatime - fuse.glusterfs glusterfs:(null) rw,user_id=0',
		'43 22 0:40 / /run/hekafs/gen/2 rw shared:3 master:1 propagate_from:2 - fuse.glusterfs a\\040b rw',
		'44 22 0:41 / /mnt/with\\040space\\011tab\\134back\\012line\\043hash rw - tmpfs tmpfs rw',
		'45 43 0:300 / /run/hekafs/gen/2 rw - tmpfs tmpfs rw',
		'46 22 0:42 / /run/hekafs-other rw - tmpfs tmpfs rw',
		'',
	].join('\n'),
);

test('reads device numbers, path, type and source', t => {
	const [, first, second] = parseMountTable(TABLE);
	t.like(first, {
		id: 42,
		parentId: 22,
		major: 0,
		minor: 39,
		type: 'fuse.glusterfs',
		source: 'glusterfs:(null)',
	});
	t.is(first?.mountPoint.toString(), '/run/hekafs/gen/1');
	t.deepEqual(first?.options, ['rw', 'nosuid', 'nodev', 'relatime']);
	t.like(second, {minor: 40, type: 'fuse.glusterfs', source: 'a b'});
});

test('undoes the escapes of the kernel', t => {
	const mount = parseMountTable(TABLE)[3];
	t.is(mount?.mountPoint.toString(), '/mnt/with space\ttab\\back\nline#hash');
});

test('the mount seen at a path is the last one there, of exactly that path', t => {
	const table = parseMountTable(TABLE);
	t.is(mountAt(table, '/run/hekafs/gen/2')?.type, 'tmpfs');
	t.is(mountAt(table, '/run/hekafs/gen/1')?.minor, 39);
	t.is(mountAt(table, '/run/hekafs/gen'), undefined);
	t.is(mountAt(table, '/run/hekafs/gen/1/'), undefined);
});

test('mounts below a directory come last first, neighbours with a longer name do not', t => {
	const table = parseMountTable(TABLE);
	t.deepEqual(
		mountsBelow(table, '/run/hekafs').map(mount => mount.id),
		[45, 43, 42],
	);
	t.deepEqual(
		mountsBelow(table, '/run/hekafs/gen/1').map(mount => mount.id),
		[42],
	);
	t.is(mountsBelow(table, '/').length, 6);
});

test('leaves out lines that have not the documented form', t => {
	for (const line of [
		'',
		'42 22 0:39 / /mnt rw',
		'42 22 039 / /mnt rw - fuse.glusterfs src rw',
		'42 22 0:39 / /mnt rw - fuse.glusterfs',
		'- - - - - - - -',
	])
		t.deepEqual(parseMountTable(Buffer.from(`${line}\n`)), [], line);
});

test('any bytes in a path survive, and no input makes it throw', t => {
	const escape = (bytes: Uint8Array): string =>
		[...bytes]
			.map(byte =>
				[9, 10, 32, 35, 92].includes(byte)
					? `\\${byte.toString(8).padStart(3, '0')}`
					: String.fromCharCode(byte),
			)
			.join('');
	fc.assert(
		fc.property(fc.uint8Array({minLength: 1}), bytes => {
			const path = bytes.filter(byte => byte !== 0);
			const line = `1 2 0:3 / /${escape(path)} rw - fuse.glusterfs s rw\n`;
			const [mount] = parseMountTable(Buffer.from(line, 'latin1'));
			return mount?.mountPoint.subarray(1).equals(path) === true;
		}),
	);
	fc.assert(fc.property(fc.uint8Array(), bytes => Array.isArray(parseMountTable(Buffer.from(bytes)))));
	t.pass();
});
