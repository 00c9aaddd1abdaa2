/** Which names of extended attributes get through. */
import test from 'ava';
import {filterNames} from '../../../src/overlay/passthrough-xattr.ts';

test("keeps the users' names, drops the backing's, survives a cut list", t => {
	const list = Buffer.from(
		'trusted.afr\0user.a\0glusterfs.gfid\0security.selinux\0security.capability\0user.b\0cut',
	);
	const size = filterNames(list);
	t.is(list.toString('latin1', 0, size), 'user.a\0security.selinux\0user.b\0');
	t.is(filterNames(Buffer.alloc(0)), 0);
});
