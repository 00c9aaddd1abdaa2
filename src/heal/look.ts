/** One look through the mount in use: who is connected, what the filesystem says about itself. */
import {errorCodeOf} from '../errors.ts';
import {type MountView} from '../membership/verdict.ts';
import {readStoredSet} from './marker-store.ts';
import {type GenerationMount} from './ports.ts';

/** `silent`: the mount did not answer within the deadline. `failed`: it answered with an error, such as ENOTCONN. */
export type Look =
	| {readonly kind: 'seen'; readonly view: MountView}
	| {readonly kind: 'silent'}
	| {readonly kind: 'failed'; readonly problem: string}
	| {readonly kind: 'local'};

/** Never rejects. */
export const lookThrough = async (mount: GenerationMount): Promise<Look> => {
	try {
		if (mount.set === undefined) {
			await mount.store.list('');
			return {kind: 'local'};
		}
		const up = await mount.up();
		const {record, markers} = await readStoredSet(mount.store);
		return {kind: 'seen', view: {generation: mount.generation, mounted: mount.set, up, record, markers}};
	} catch (error) {
		if (errorCodeOf(error) === 'HEKAFS_TIMEOUT') return {kind: 'silent'};
		return {kind: 'failed', problem: error instanceof Error ? error.message : String(error)};
	}
};
