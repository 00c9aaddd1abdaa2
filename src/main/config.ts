/** The settings of hekafsd: parsed, checked, and each error says which flag, which value and what is allowed. */
import {join} from 'node:path';
import {Command, CommanderError} from 'commander';
import {HekafsError} from '../errors.ts';
import {MAX_SOCKET_PATH_BYTES} from '../http/unix-socket.ts';
import {type Deadlines} from '../overlay/deadlines.ts';
import {configFileOf} from './config-file.ts';
import {checkMountpoint} from './config-paths.ts';
import {applySources, noteFlags, type Setting} from './config-sources.ts';
import {
	parseAddress,
	parseBackend,
	parseCount,
	parseListen,
	parsePath,
	parsePort,
	parseSeconds,
	parseWord,
	type BackendConfig,
	type ListenAddress,
} from './config-values.ts';
import {PAGE_CHANGES, type PageChanges} from './page-source.ts';
import {usageErrorOf} from './usage-error.ts';
import {VERSION} from './version.ts';

export interface DaemonConfig {
	readonly mountpoint: string;
	readonly backend: BackendConfig;
	readonly state: string;
	readonly run: string;
	readonly log: string;
	readonly listen: ListenAddress;
	/** TCP port at which the other nodes' hekafsd listen. */
	readonly peerPort: number;
	readonly brickPort: number;
	readonly brickDir: string;
	readonly glusterdDir: string;
	/** How other nodes reach this one; undefined: what glusterd tells. */
	readonly address: string | undefined;
	/** How long a mutation waits while the gate is `switching`. */
	readonly writeWaitMs: number;
	/** After this every file operation has been answered. */
	readonly deadlineMs: number;
	/** Classes of file operations that have a deadline of their own. */
	readonly deadlines: Deadlines;
	readonly attrTimeoutMs: number;
	readonly entryTimeoutMs: number;
	readonly daemonize: boolean;
	/** Threads that serve the overlay while nothing hangs. */
	readonly workers: number;
	/** Bytes of content that the copy for reading without quorum may hold. */
	readonly copyLimitBytes: number;
	/** What the status page tells of changes. */
	readonly pageChanges: PageChanges;
	/** The socket that hfs_config uses: `<run>/control.sock`. */
	readonly controlSocket: string;
}

const MIB = 1 << 20;

export const DEFAULT_RUN = '/run/hekafs';
export const controlSocketIn = (run: string): string => join(run, 'control.sock');

interface Flags {
	mountpoint: string;
	backend?: BackendConfig;
	state: string;
	run: string;
	log: string;
	listen?: ListenAddress;
	peerPort?: number;
	brickPort: number;
	brickDir?: string;
	glusterdDir: string;
	address?: string;
	writeWait: number;
	deadline: number;
	readDeadline?: number;
	writeDeadline?: number;
	lockDeadline: number;
	attrTimeout: number;
	entryTimeout: number;
	foreground?: true;
	daemonize?: true;
	workers: number;
	copyLimit: number;
	pageChanges: PageChanges;
	config?: string;
	checkConfig?: true;
}

const EXAMPLES = `
Every setting that takes a value may also stand in the environment (--write-wait is HEKAFS_WRITE_WAIT) and in the
configuration file (a line "write-wait = 5"). A flag counts before the environment, that before the file.

Examples:
  hekafsd --check-config
  hekafsd
  hekafsd --daemonize --listen 10.0.0.1:8080
  hekafsd --backend local:/srv/config --mountpoint /tmp/hekafs --run /tmp/run --state /tmp/state`;

/** The program hekafsd with its flags; help and manual page are made from it. */
export const daemonCommand = (): Command =>
	new Command('hekafsd')
		.description("Mounts the cluster's configuration at a directory and keeps it right.")
		.version(VERSION, '--version')
		.option('--mountpoint <dir>', 'where the configuration appears', parsePath, '/etc/hekafs')
		.option(
			'--backend <kind>',
			'gluster, or local:DIR for a plain directory (default: gluster)',
			parseBackend,
		)
		.option('--state <dir>', 'what must outlive a reboot', parsePath, '/var/lib/hekafs')
		.option('--run <dir>', 'sockets, process ids and private mounts', parsePath, DEFAULT_RUN)
		.option('--log <dir>', 'logs of the GlusterFS processes', parsePath, '/var/log/hekafs')
		.option(
			'--listen <addr:port>',
			'where other nodes and curl ask for the status (default: 0.0.0.0:8080)',
			parseListen,
		)
		.option('--peer-port <port>', 'where the other nodes listen (default: the port of --listen)', parsePort)
		.option('--brick-port <port>', "this node's brick, if it is a config server", parsePort, 24_100)
		.option('--brick-dir <dir>', 'where bricks are made (default: bricks in --state)', parsePath)
		.option('--glusterd-dir <dir>', "glusterd's working directory", parsePath, '/var/lib/glusterd')
		.option(
			'--address <name>',
			'how the other nodes reach this one (default: what glusterd tells)',
			parseAddress,
		)
		.option('--read-deadline <s>', 'of reading and looking (default: --deadline)', parseSeconds(0.1, 600))
		.option('--write-deadline <s>', 'of changes (default: --deadline)', parseSeconds(0.1, 600))
		.option('--lock-deadline <s>', 'of waiting for a lock; 0: for ever', parseSeconds(0, 86_400), 0)
		.option('--write-wait <s>', 'how long a write waits for a change or repair', parseSeconds(0, 60), 8)
		.option('--deadline <s>', 'longest duration of a file operation', parseSeconds(0.1, 600), 10)
		.option('--attr-timeout <s>', 'how long the kernel keeps attributes', parseSeconds(0, 3600), 0.8)
		.option('--entry-timeout <s>', 'how long the kernel keeps names', parseSeconds(0, 3600), 0.8)
		.option('--workers <n>', 'threads that serve files', parseCount(2, 128), 4)
		.option(
			'--copy-limit <mib>',
			'content that this node keeps for reading without quorum',
			parseCount(1, 65_536),
			256,
		)
		.option(
			'--page-changes <kind>',
			'changes on the status page: plain (no paths, no users), names, none',
			parseWord(PAGE_CHANGES),
			'plain',
		)
		.option(
			'--config <file>',
			'the configuration file (default: HEKAFS_CONFIG, else /etc/hekafs.conf if it exists)',
			parsePath,
		)
		.option('--check-config', 'check all settings, show them and where each comes from, and end')
		.option('--foreground', 'stay in the foreground (the default)')
		.option('--daemonize', 'go into the background once the overlay is mounted')
		.addHelpText('after', EXAMPLES)
		.allowExcessArguments(false);

const usage = (message: string, remedy: string): HekafsError =>
	new HekafsError('HEKAFS_USAGE', message, {remedy});

const check = (config: DaemonConfig, configFile: string): void => {
	checkMountpoint(config.mountpoint, [
		['--config', configFile],
		['--state', config.state],
		['--run', config.run],
		['--log', config.log],
		['--brick-dir', config.brickDir],
		['--glusterd-dir', config.glusterdDir],
		...(config.backend.kind === 'local' ? [['--backend', config.backend.directory] as const] : []),
	]);
	const {writesMs} = config.deadlines;
	const writeDeadlineMs = writesMs ?? config.deadlineMs;
	if (config.writeWaitMs >= writeDeadlineMs)
		throw usage(
			`--write-wait ${config.writeWaitMs / 1000} is not shorter than ` +
				`${writesMs === undefined ? '--deadline' : '--write-deadline'} ${writeDeadlineMs / 1000}`,
			'A write that waits must be answered before the deadline: give a shorter wait or a longer deadline.',
		);
	if (Buffer.byteLength(config.controlSocket) > MAX_SOCKET_PATH_BYTES)
		throw usage(
			`--run '${config.run}' is too long: a socket's path has at most ${MAX_SOCKET_PATH_BYTES} bytes`,
			'Give a shorter directory.',
		);
};

const milliseconds = (seconds: number | undefined): number | undefined =>
	seconds === undefined ? undefined : seconds * 1000;

const fromFlags = (flags: Flags, configFile: string): DaemonConfig => {
	if (flags.foreground === true && flags.daemonize === true)
		throw usage('--foreground and --daemonize exclude each other', 'Give one of them.');
	const listen = flags.listen ?? {host: '0.0.0.0', port: 8080};
	const config: DaemonConfig = {
		mountpoint: flags.mountpoint,
		backend: flags.backend ?? {kind: 'gluster'},
		state: flags.state,
		run: flags.run,
		log: flags.log,
		listen,
		peerPort: flags.peerPort ?? listen.port,
		brickPort: flags.brickPort,
		brickDir: flags.brickDir ?? join(flags.state, 'bricks'),
		glusterdDir: flags.glusterdDir,
		address: flags.address,
		writeWaitMs: flags.writeWait * 1000,
		deadlineMs: flags.deadline * 1000,
		deadlines: {
			readsMs: milliseconds(flags.readDeadline),
			writesMs: milliseconds(flags.writeDeadline),
			lockWaitsMs: milliseconds(flags.lockDeadline),
		},
		attrTimeoutMs: flags.attrTimeout * 1000,
		entryTimeoutMs: flags.entryTimeout * 1000,
		daemonize: flags.daemonize === true,
		workers: flags.workers,
		copyLimitBytes: flags.copyLimit * MIB,
		pageChanges: flags.pageChanges,
		controlSocket: controlSocketIn(flags.run),
	};
	check(config, configFile);
	return config;
};

export interface Settings {
	readonly config: DaemonConfig;
	/** What `--check-config` shows. */
	readonly settings: readonly Setting[];
	/** The settings were asked for, not the daemon. */
	readonly checkOnly: boolean;
}

/**
 * Reads the arguments after the program's name, the environment and the configuration file. With `--help` or `--version` it
 * prints and ends the process.
 * @throws HekafsError HEKAFS_USAGE naming flag (or file and line, or variable), value and what is allowed
 */
export const readSettings = (args: readonly string[], environment: NodeJS.ProcessEnv): Settings => {
	const program = daemonCommand()
		.exitOverride()
		.configureOutput({outputError: () => undefined});
	const given = noteFlags(program);
	try {
		program.parse(args, {from: 'user'});
	} catch (error) {
		if (!(error instanceof CommanderError)) throw error;
		if (error.exitCode === 0) process.exit(0);
		throw usageErrorOf(error, 'hekafsd --help');
	}
	const settings = applySources(program, given, environment);
	const flags = program.opts<Flags>();
	const config = fromFlags(flags, configFileOf(flags.config, environment).file);
	return {config, settings, checkOnly: flags.checkConfig === true};
};

/** What counts, without where it comes from. See `readSettings`. */
export const parseDaemonConfig = (
	args: readonly string[],
	environment: NodeJS.ProcessEnv = process.env,
): DaemonConfig => readSettings(args, environment).config;

const WIDTH = {key: 15, text: 24};

/** The settings as a table for people: key, value, where it comes from. */
export const settingsText = (settings: readonly Setting[]): string =>
	settings
		.map(({key, text, origin}) => `${key.padEnd(WIDTH.key)} ${text.padEnd(WIDTH.text)} ${origin}\n`)
		.join('');
