/** A small cluster for tests: three servers of one filesystem. */
import {type Epoch, type FilesystemId, type NodeUuid} from '../../src/membership/ids.ts';
import {makeServerSet, type Server, type ServerSet} from '../../src/membership/server-set.ts';

export const FILESYSTEM = 'f0000000-0000-4000-8000-000000000001' as FilesystemId;
export const OTHER_FILESYSTEM = 'f0000000-0000-4000-8000-000000000002' as FilesystemId;
export const uuidOf = (n: number): NodeUuid => `a0000000-0000-4000-8000-00000000000${n}` as NodeUuid;
export const serverOf = (n: number): Server => ({uuid: uuidOf(n), address: `h${n}`, port: 24100});
export const setOf = (epoch: number, ...numbers: readonly number[]): ServerSet =>
	makeServerSet(FILESYSTEM, epoch as Epoch, numbers.map(serverOf));
