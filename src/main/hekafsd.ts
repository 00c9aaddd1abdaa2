#!/usr/bin/env node
/** hekafsd: the daemon of a node. Reads its flags, checks the machine, runs until a signal or the end of the mount. */
import {describeError, EXIT, HekafsError} from '../errors.ts';
import {findMount} from '../gluster/mount-point.ts';
import {compose} from './compose.ts';
import {type DaemonConfig, readSettings, settingsText} from './config.ts';
import {daemonize, tellParent} from './daemonize.ts';
import {checkEnvironment} from './environment.ts';
import {serviceManager} from './service-manager.ts';

/** A clean stop that takes longer than this ends with SIGKILL: a thread may hang in a dead mount (docs/adr). */
const STOP_DEADLINE_MS = 20_000;

/** Resolves at the first signal that asks for a stop. From then on such a signal no longer ends the process at once. */
const untilSignal = async (): Promise<'signal'> =>
	new Promise(resolve => {
		for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve('signal'));
	});

const run = async (config: DaemonConfig): Promise<number> => {
	checkEnvironment();
	// Before anything is mounted: a signal that ended the process during the start would leave a dead mount.
	const signalled = untilSignal();
	const daemon = await compose(config);
	const text = `hekafsd: mounted ${config.mountpoint} (process ${process.pid}, status: hfs_config --run ${config.run} status)\n`;
	process.stdout.write(text);
	tellParent({kind: 'mounted', text});
	const manager = serviceManager(process.env, problem => process.stderr.write(`hekafsd: ${problem}\n`));
	manager.ready(`mounted at ${config.mountpoint}`);
	const why = await Promise.race([signalled, daemon.closed]);
	manager.stopping();
	const killer = setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_DEADLINE_MS);
	await daemon.stop();
	clearTimeout(killer);
	if (why === 'signal') return EXIT.ok;
	process.stderr.write(`hekafsd: ${config.mountpoint} was ${why} from outside; stopped\n`);
	return EXIT.failure;
};

const main = async (): Promise<number> => {
	const {config, settings, checkOnly} = readSettings(process.argv.slice(2), process.env);
	if (checkOnly) {
		process.stdout.write(settingsText(settings));
		return EXIT.ok;
	}
	if (config.daemonize) {
		checkEnvironment();
		return daemonize(
			process.argv.slice(2).filter(arg => arg !== '--daemonize'),
			config.log,
			(await findMount(config.mountpoint))?.type === 'autofs',
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
