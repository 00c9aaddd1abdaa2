/** A Backing as heal/ wants it: every call with its deadline. */
import {type Backing} from '../backing/backing.ts';
import {type Store} from '../heal/store.ts';

/** Small reads and listings: what the loop waits for when it looks (I8). */
const LOOK_TIMEOUT_MS = 2000;
/** Durable changes: several round trips and fsyncs on every server. */
const CHANGE_TIMEOUT_MS = 10_000;

export const backingStore = (backing: Backing): Store => {
	const look = {timeoutMs: LOOK_TIMEOUT_MS};
	const change = {timeoutMs: CHANGE_TIMEOUT_MS};
	return {
		list: async path => backing.call('list', [path], look),
		read: async (path, maxBytes) => backing.call('read', [path, maxBytes], look),
		writeAtomic: async (path, data, mode) =>
			backing.call('writeAtomic', [path, Buffer.from(data), mode], change),
		writeExclusive: async (path, data, mode) =>
			backing.call('writeExclusive', [path, Buffer.from(data), mode], change),
		mkdir: async (path, mode) => backing.call('mkdir', [path, mode], change),
		symlink: async (target, path) => backing.call('symlink', [target, path], change),
		chown: async (path, uid, gid) => backing.call('chown', [path, uid, gid], change),
		remove: async path => {
			await backing.call('remove', [path, {recursive: true}], change);
		},
		rename: async (from, to) => backing.call('rename', [from, to], change),
		tryLock: async path => backing.call('tryLock', [path], change),
		unlock: async path => backing.call('unlock', [path], change),
	};
};
