#!/usr/bin/env node
/** hekafsd: the daemon of a node. Reads its flags, checks the machine, runs until a signal or the end of the mount. */
import {describeError, EXIT, HekafsError} from '../errors.ts';
import {compose, type Daemon} from './compose.ts';
import {type DaemonConfig, parseDaemonConfig} from './config.ts';
import {daemonize, tellParent} from './daemonize.ts';
import {checkEnvironment} from './environment.ts';

/** A clean stop that takes longer than this ends with SIGKILL: a thread may hang in a dead mount (docs/adr). */
const STOP_DEADLINE_MS = 20_000;

/** Why the daemon stopped: a signal, or the overlay went away by itself. */
const untilStopped = async (daemon: Daemon): Promise<'signal' | 'unmounted' | 'aborted' | 'failed'> =>
	new Promise(resolve => {
		for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve('signal'));
		void daemon.closed.then(resolve);
	});

const run = async (config: DaemonConfig): Promise<number> => {
	checkEnvironment();
	const daemon = await compose(config);
	const text = `hekafsd: mounted ${config.mountpoint} (process ${process.pid}, status: hfs_config --run ${config.run} status)\n`;
	process.stdout.write(text);
	tellParent({kind: 'mounted', text});
	const why = await untilStopped(daemon);
	const killer = setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_DEADLINE_MS);
	await daemon.stop();
	clearTimeout(killer);
	if (why === 'signal') return EXIT.ok;
	process.stderr.write(`hekafsd: ${config.mountpoint} was ${why} from outside; stopped\n`);
	return EXIT.failure;
};

const main = async (): Promise<number> => {
	const config = parseDaemonConfig(process.argv.slice(2));
	if (config.daemonize) {
		checkEnvironment();
		return daemonize(
			process.argv.slice(2).filter(arg => arg !== '--daemonize'),
			config.log,
		);
	}
	return run(config);
};

main().then(
	code => {
		// Not process.exit: its handlers join threads, and one may hang in a dead mount.
		process.exitCode = code;
		setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2000).unref();
	},
	(error: unknown) => {
		const text = `hekafsd: ${describeError(error)}\n`;
		process.stderr.write(text);
		tellParent({kind: 'failed', text});
		process.exitCode = error instanceof HekafsError ? error.exitCode : EXIT.failure;
		setTimeout(() => process.exit(), 200).unref();
	},
);
