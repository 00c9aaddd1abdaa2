/** The thread of one follower: everything in it may hang with the mount, which is why it serves nobody. */
import {parentPort, workerData} from 'node:worker_threads';
import {ChangedRing} from './changed-ring.ts';
import {Follow} from './follow.ts';
import {type FollowerData} from './protocol.ts';
import {CopyStore} from './store.ts';
import {Turn} from './turn.ts';

const data = workerData as FollowerData;
const store = new CopyStore(data.directory);
new Follow(data, store, new ChangedRing(data.ring), new Turn(data.turn), report =>
	parentPort?.postMessage(report),
).run();
store.close();
