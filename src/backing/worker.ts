/** The thread of a Backing: does one call at a time and may hang in it for as long as the filesystem does. */
import {parentPort, workerData} from 'node:worker_threads';
import {RecordDirectory} from './record-calls.ts';
import {type FromWorker, type ToWorker, type WorkerData} from './messages.ts';

const {root, device} = workerData as WorkerData;
const directory = new RecordDirectory(root, device);
const port = parentPort!;

const answer = ({id, name, args}: Extract<ToWorker, {kind: 'call'}>): FromWorker => {
	try {
		const calls = directory as unknown as Record<typeof name, (...args: unknown[]) => unknown>;
		return {kind: 'done', id, value: calls[name](...args)};
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		return {kind: 'failed', id, errno: code, message};
	}
};

port.on('message', (message: ToWorker) => {
	if (message.kind === 'call') {
		port.postMessage(answer(message));
		return;
	}
	directory.close();
	port.close();
});
