/**
 * What hekafsd tells the service manager that started it, by the protocol of sd_notify(3): a datagram of `NAME=value` lines to
 * the socket named in NOTIFY_SOCKET, and a sign of life twice per WATCHDOG_USEC. Without these variables it tells nobody.
 */
import {sendDatagram} from '../posix/datagram.ts';

export interface ServiceManager {
	/** The overlay is mounted: whoever waits for the service may go on. From now on the signs of life are sent. */
	ready(status: string): void;
	/** The end was asked for and takes up to this long. */
	stopping(): void;
}

/** A manager that kills us because a few datagrams were lost would do harm; it is told so in the log, once. */
export const serviceManager = (
	environment: NodeJS.ProcessEnv,
	log: (text: string) => void,
): ServiceManager => {
	const socket = environment['NOTIFY_SOCKET'] ?? '';
	if (socket === '') return {ready: () => undefined, stopping: () => undefined};
	let failed = false;
	const tell = (...lines: readonly string[]): void => {
		const sent = sendDatagram(socket, lines.join('\n'));
		if (sent < 0 && !failed) log(`the service manager can't be told (${socket}: errno ${-sent})`);
		failed = sent < 0;
	};
	const begin = (): void => {
		const limitUs = Number(environment['WATCHDOG_USEC']);
		// The variable may come from a parent that was watched itself.
		const ours = [undefined, '', String(process.pid)].includes(environment['WATCHDOG_PID']);
		if (!ours || !Number.isFinite(limitUs) || limitUs <= 0) return;
		setInterval(() => tell('WATCHDOG=1'), limitUs / 1000 / 2).unref();
	};
	return {
		ready(status) {
			tell('READY=1', `STATUS=${status}`, `MAINPID=${process.pid}`);
			begin();
		},
		stopping() {
			// The signs of life go on: a stop that hangs is ended by hekafsd itself and by TimeoutStopSec.
			tell('STOPPING=1');
		},
	};
};
