/** A program for the tests: mounts on its first argument and exits with code 3 without unmounting. */
import {createMemoryState} from './memory-state.ts';
import {mountSession} from '../../src/fuse/session.ts';

await mountSession({
	mountpoint: process.argv[2] ?? '',
	fsname: 'memory',
	subtype: 'test',
	workerModule: new URL('./memory-filesystem.js', import.meta.url),
	workerData: createMemoryState(),
});
process.exit(3);
