/**
 * A program for the tests: mounts an overlay over a local directory and obeys commands on standard input, one JSON value
 * per line: `{"do": "open" | "refuse" | "switch" | "degrade" | "switchTo" | "detach" | "publish" | "fileChanged" | "nameChanged" |
 * "stats" | "unmount"}`.
 * Each is answered by one line on standard output.
 */
import {readdirSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {Gate, type GateState} from '../../src/membership/gate.ts';
import {type Generation} from '../../src/membership/ids.ts';
import {type Deadlines} from '../../src/overlay/deadlines.ts';
import {mountOverlay} from '../../src/overlay/overlay.ts';

interface Command {
	readonly do: string;
	readonly generation?: number;
	readonly path?: string;
	readonly ino?: string;
	readonly name?: string;
	readonly texts?: Readonly<Record<string, string>>;
}

const [mountpoint, backing, attrTimeoutMs = '1000', writeWaitMs = '2000', deadlines = '{}'] =
	process.argv.slice(2);
if (mountpoint === undefined || backing === undefined) throw new Error('usage: MOUNTPOINT BACKING [ATTR-MS]');

const gate = new Gate();
const lease = setInterval(() => gate.renew(), 500);
const words: string[] = [];
const problems: string[] = [];
let generation = 1;

const overlay = await mountOverlay({
	mountpoint,
	gateBuffer: gate.buffer,
	writeWaitMs: Number(writeWaitMs),
	deadlineMs: 10_000,
	deadlines: JSON.parse(deadlines) as Deadlines,
	attrTimeoutMs: Number(attrTimeoutMs),
	entryTimeoutMs: Number(attrTimeoutMs),
	onControl: word => words.push(word),
	onProblem: problem => problems.push(problem),
});

const setGate = (state: GateState, degraded = false): void => {
	gate.set({state, generation: generation as Generation, epoch: 1, degraded});
	overlay.gateChanged();
};

const obey = async (command: Command): Promise<unknown> => {
	switch (command.do) {
		case 'open': {
			setGate('open');
			return;
		}
		case 'degrade': {
			setGate('open', true);
			return;
		}
		case 'refuse': {
			setGate('refusing');
			return;
		}
		case 'switch': {
			setGate('switching');
			return;
		}
		case 'switchTo':
			await overlay.switchTo(command.generation ?? generation, {path: command.path ?? backing});
			generation = command.generation ?? generation;
			return;
		case 'detach': {
			overlay.detach();
			return;
		}
		case 'publish': {
			overlay.publish(command.texts ?? {});
			return;
		}
		case 'fileChanged':
			return overlay.fileChanged(BigInt(command.ino ?? 0));
		case 'nameChanged':
			return overlay.nameChanged(BigInt(command.ino ?? 0), Buffer.from(command.name ?? ''));
		case 'stats':
			return {
				...overlay.stats(),
				words,
				problems,
				descriptors: readdirSync('/proc/self/fd').length,
				inFlightMutations: gate.inFlight,
			};
		case 'unmount':
			await overlay.unmount();
			clearInterval(lease);
			lines.close();
			return undefined;
		default:
			throw new Error(`unknown command ${command.do}`);
	}
};

const answer = (value: unknown): void => {
	process.stdout.write(`${JSON.stringify({value: value ?? null})}\n`);
};

const lines = createInterface({input: process.stdin});
answer('mounted');
for await (const line of lines) {
	try {
		answer(await obey(JSON.parse(line) as Command));
	} catch (error) {
		process.stdout.write(`${JSON.stringify({error: String(error)})}\n`);
	}
}
await overlay.unmount();
clearInterval(lease);
