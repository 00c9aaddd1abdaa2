/** `--backend local:DIR`: a directory in the place of a private mount. It has no servers, so there is nothing to agree on. */
import {statSync} from 'node:fs';
import {openBacking} from '../backing/backing.ts';
import {HekafsError} from '../errors.ts';
import {type GenerationMount} from '../heal/ports.ts';
import {type Generation} from '../membership/ids.ts';
import {backingStore} from './backing-store.ts';

/** @throws HekafsError HEKAFS_MOUNT_FAILED when there is no such directory */
export const localMount = (directory: string): GenerationMount => {
	if (statSync(directory, {throwIfNoEntry: false})?.isDirectory() !== true) {
		throw new HekafsError('HEKAFS_MOUNT_FAILED', `${directory} is not a directory`, {
			remedy: 'Make it, or name another one with --backend local:DIR.',
		});
	}
	const looking = openBacking({root: directory});
	const changing = openBacking({root: directory});
	return {
		generation: 1 as Generation,
		set: undefined,
		path: directory,
		looking: backingStore(looking),
		store: backingStore(changing),
		up: async () => Promise.resolve(new Set()),
		reachable: async () => Promise.resolve(new Set()),
		alive: async () => Promise.resolve(true),
		end: async () => {
			await Promise.all([looking[Symbol.asyncDispose](), changing[Symbol.asyncDispose]()]);
		},
	};
};
