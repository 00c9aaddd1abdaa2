/** The module of each FUSE worker thread: builds the operations and serves requests until the session ends. */
import {parentPort, workerData} from 'node:worker_threads';
import {serve} from '../fuse/serve.ts';
import {setThreadGroups} from '../posix/credentials.ts';
import {createFilesystem} from './filesystem.ts';
import {openTables} from './shared-state.ts';
import {type ControlMessage, type OverlayWorkerData} from './worker-protocol.ts';

const {user} = workerData as {readonly user: OverlayWorkerData};
// The daemon's own supplementary groups are nobody else's.
setThreadGroups([]);
serve(
	createFilesystem({
		tables: openTables(user.state),
		times: user.times,
		writeWaitMs: user.writeWaitMs,
		journal: user.journal,
		copyDirectory: user.copyDirectory,
		onControl: word => parentPort?.postMessage({kind: 'control', word} satisfies ControlMessage),
	}),
);
