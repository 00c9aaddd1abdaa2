/** Clients on several nodes that do the same at the same moment: what must be true of them together. */
import {fileURLToPath} from 'node:url';
import {type ExecutionContext} from 'ava';
import {eventually, start, type RunningChild} from './child.ts';
import {runOrThrow} from './run-command.ts';

const PROGRAM = fileURLToPath(new URL('../../../native-tests/support/races.py', import.meta.url));

/** Where clients run, and the same directory as seen from there. */
export interface Node {
	/** `nsenter …` into the host; nothing for this machine. */
	readonly prefix: readonly string[];
	readonly directory: string;
}

const CLIENTS_PER_NODE = 2;
/** Until all clients have been started. */
const RUN_UP_MS = 1500;
const TIMEOUT_MS = 100_000;

const client = (node: Node, kind: string, ...rest: readonly string[]): string[] => [
	'python3',
	PROGRAM,
	kind,
	node.directory,
	...rest,
];

/** Runs one kind on all nodes at once. @returns what each client printed */
const together = async (nodes: readonly Node[], kind: string, count: number): Promise<string[]> => {
	const begin = String((Date.now() + RUN_UP_MS) / 1000);
	return Promise.all(
		nodes.flatMap((node, n) =>
			Array.from({length: CLIENTS_PER_NODE}, async (_, i) =>
				runOrThrow(node.prefix, client(node, kind, `client${n}-${i}`, begin, String(count)), {
					timeoutMs: TIMEOUT_MS,
				}),
			),
		),
	);
};

const shell = async (node: Node, script: string): Promise<string> =>
	runOrThrow(node.prefix, ['sh', '-c', script, 'sh', node.directory], {timeoutMs: TIMEOUT_MS});

/** O_EXCL, mkdir, symlink, link, rename, unlink: exactly one client wins each round. */
export const checkOneWinner = async (
	t: ExecutionContext,
	nodes: readonly Node[],
	rounds: number,
): Promise<void> => {
	await shell(nodes[0]!, `cd "$1"; for n in $(seq 0 ${rounds - 1}); do : >source$n; : >victim$n; done`);
	// Names that a node has looked for in vain it may look for again only after a second.
	const outputs = await together(nodes, 'race', rounds);
	const wins = outputs.map(text => JSON.parse(text) as Readonly<Record<string, readonly number[]>>);
	const all = Array.from({length: rounds}, (_, n) => n);
	for (const kind of Object.keys(wins[0]!))
		t.deepEqual(
			wins.flatMap(won => won[kind]!).sort((a, b) => a - b),
			all,
			`${kind}: each round has one winner; ${JSON.stringify(wins.map(won => won[kind]))}`,
		);
};

/** What `races.py append` writes: a line's fill, and its name if it is whole. */
const fillOf = (n: number): number => (n * 97) % 6000;
const nameOfLine = (line: string): string => {
	const match = /^(client\d-\d) (\d+) (x*) end$/.exec(line);
	return match?.[3]!.length === fillOf(Number(match?.[2])) ? `${match[1]} ${match[2]}` : 'torn';
};
const bytesOfLines = (lines: number): number =>
	Array.from({length: lines}, (_, n) => `client0-0 ${n}  end\n`.length + fillOf(n)).reduce(
		(a, b) => a + b,
		0,
	);

/** No appended line is lost, doubled or torn, whatever its length. */
export const checkAppends = async (
	t: ExecutionContext,
	nodes: readonly Node[],
	lines: number,
): Promise<void> => {
	await together(nodes, 'append', lines);
	for (const node of nodes) {
		// A node may take a second or two to see that the file has grown elsewhere.
		let found: readonly string[] = [];
		await eventually('all bytes are there', async () => {
			const text = await shell(node, 'cat "$1"/log');
			found = text.split('\n').slice(0, -1).map(nameOfLine);
			return text.length === nodes.length * CLIENTS_PER_NODE * bytesOfLines(lines);
		});
		t.is(found.filter(name => name === 'torn').length, 0, 'torn lines');
		t.is(new Set(found).size, nodes.length * CLIENTS_PER_NODE * lines);
	}
};

/** Blocking flock and fcntl locks let one client in at a time. */
export const checkExclusion = async (
	t: ExecutionContext,
	nodes: readonly Node[],
	rounds: number,
): Promise<void> => {
	for (const output of await together(nodes, 'exclude', rounds))
		t.deepEqual(JSON.parse(output), {flock: 0, fcntl: 0});
};

/** Starts a client that stays; resolves with its process number once it has said so. */
const staying = async (
	node: Node,
	kind: 'hold' | 'wait',
): Promise<{readonly pid: string; readonly running: RunningChild}> => {
	const [program, ...args] = [...node.prefix, ...client(node, kind)];
	const running = start(program!, args, TIMEOUT_MS);
	let text = '';
	running.child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
	await eventually(`a client says that it does ${kind}`, () => / \d+\n/.test(text), 10_000);
	const pid = / (\d+)\n/.exec(text)![1]!;
	// A signal that comes before the call would be handled only after it.
	if (kind === 'wait')
		await eventually(
			'the client sleeps in its lock',
			async () => (await shell(node, `cut -d' ' -f3 /proc/${pid}/stat`)).trim() === 'S',
			10_000,
		);
	return {pid, running};
};

/** Locks of one node hold on the other, end with their holder, and who waits for them can be interrupted. */
export const checkHolders = async (t: ExecutionContext, one: Node, two: Node): Promise<void> => {
	const tries = async (node: Node): Promise<string> =>
		(await runOrThrow(node.prefix, client(node, 'try'), {timeoutMs: TIMEOUT_MS})).trim();
	t.is(await tries(two), 'flock fcntl');
	const holder = await staying(one, 'hold');
	t.is(await tries(two), '', 'held on the other node');
	t.is(await tries(one), '', 'held on the same node');
	const given = await staying(two, 'wait');
	await shell(two, `kill -USR1 ${given.pid}`);
	const interrupted = await given.running.result;
	t.regex(interrupted.stdout, /\ninterrupted/);
	t.true(interrupted.ms < 20_000, 'a signal ends the waiting');
	const killed = await staying(two, 'wait');
	await shell(two, `kill -KILL ${killed.pid}`);
	await killed.running.result;
	const waiter = await staying(two, 'wait');
	await shell(one, `kill -KILL ${holder.pid}`);
	t.regex((await waiter.running.result).stdout, /\nflock fcntl\n/, 'the holder is dead: the waiter has them');
	await holder.running.result;
	await eventually('all locks are free', async () => (await tries(one)) === 'flock fcntl', 10_000);
};
