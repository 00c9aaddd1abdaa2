/** Asks the hekafsd of this node over its Unix socket; used by hfs_config. */
import {HekafsError} from '../errors.ts';
import {errorFromBody} from './answers.ts';
import {type ControlResult} from './control.ts';
import {exchange, type Answer} from './exchange.ts';
import {readControlMessages} from './control-messages.ts';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** hekafsd sends a sign of life every two seconds during long operations. */
const SILENCE_MS = 20_000;
const QUERY_TIMEOUT_MS = 15_000;

export interface ControlClientOptions {
	readonly socketPath: string;
	readonly signal?: AbortSignal;
	/** How long hekafsd may be silent, in milliseconds. */
	readonly silenceMs?: number;
}

const connectError = (error: unknown, socketPath: string): HekafsError => {
	const code = error instanceof Error && 'code' in error ? error.code : undefined;
	switch (code) {
		case 'ENOENT':
		case 'ECONNREFUSED':
		case 'ENOTDIR':
			return new HekafsError(
				'HEKAFS_NOT_RUNNING',
				`hekafsd is not running on this node (nothing at ${socketPath})`,
				{
					remedy:
						'Start it (`hekafsd`), or name the directory that was given to it: `hfs_config --run DIR …`.',
				},
			);
		case 'EACCES':
		case 'EPERM':
			return new HekafsError('HEKAFS_NOT_ROOT', `no permission to use ${socketPath}`, {
				remedy: 'Run hfs_config as root.',
			});
		default:
			return new HekafsError('HEKAFS_NOT_RUNNING', `hekafsd at ${socketPath} broke the connection off`, {
				cause: error,
				remedy: 'See its log, and `hfs_config status` once it runs again.',
			});
	}
};

/** Runs `work` with a signal that fires when `alive` wasn't called for `silenceMs`, or when the caller's signal does. */
const withWatch = async <T>(
	{socketPath, signal, silenceMs = SILENCE_MS}: ControlClientOptions,
	work: (signal: AbortSignal, alive: () => void) => Promise<T>,
): Promise<T> => {
	const silent = new AbortController();
	const timer = setTimeout(() => silent.abort(), silenceMs);
	try {
		return await work(signal === undefined ? silent.signal : AbortSignal.any([signal, silent.signal]), () =>
			timer.refresh(),
		);
	} catch (error) {
		if (error instanceof HekafsError) throw error;
		signal?.throwIfAborted();
		if (silent.signal.aborted)
			throw new HekafsError('HEKAFS_TIMEOUT', `hekafsd did not answer within ${silenceMs / 1000} s`, {
				remedy: 'Look into its log; the state can be read at .hekafs/reason below the mount point.',
			});
		throw connectError(error, socketPath);
	} finally {
		clearTimeout(timer);
	}
};

const failure = (answer: Answer): HekafsError => {
	let value: unknown;
	try {
		value = JSON.parse(answer.body.toString('utf8'));
	} catch {
		value = undefined;
	}
	return (
		errorFromBody(value) ??
		new HekafsError('HEKAFS_PEER_INVALID', `hekafsd answered with HTTP status ${answer.status}`, {
			remedy: 'Use the hfs_config of the same version as hekafsd.',
		})
	);
};

/**
 * GETs a text.
 * @throws HekafsError HEKAFS_NOT_RUNNING, HEKAFS_NOT_ROOT, HEKAFS_TIMEOUT, or the daemon's own error
 */
export const queryControl = async (path: string, options: ControlClientOptions): Promise<string> =>
	await withWatch({silenceMs: QUERY_TIMEOUT_MS, ...options}, async signal => {
		const answer = await exchange({
			target: {socketPath: options.socketPath, path, method: 'GET'},
			maxBytes: MAX_ANSWER_BYTES,
			signal,
		});
		if (answer.status !== 200) throw failure(answer);
		return answer.body.toString('utf8');
	});

/**
 * Runs a long operation and waits for its end.
 * @param onProgress told each step, in order
 * @throws HekafsError as `queryControl`; HEKAFS_NOT_RUNNING also when hekafsd goes away half-way
 */
export const runControl = async (
	path: string,
	body: unknown,
	onProgress: (text: string, done: number | undefined, total: number | undefined) => void,
	options: ControlClientOptions & {readonly onLine?: (text: string) => void},
): Promise<ControlResult> =>
	await withWatch(options, async (signal, alive) => {
		const messages = readControlMessages(onProgress, options.onLine);
		const answer = await exchange({
			target: {socketPath: options.socketPath, path, method: 'POST'},
			body: Buffer.from(JSON.stringify(body)),
			maxBytes: Number.MAX_SAFE_INTEGER,
			signal,
			onData(chunk) {
				alive();
				messages.push(chunk);
			},
		});
		if (answer.status !== 200) throw failure(answer);
		return messages.result();
	});
