/** Writers on every node of a simulated cluster: what is acknowledged to them must stay (P2), and be read by all. */
import {type Entry, NotConnected} from './memory-bricks.ts';
import {Violation} from './cluster-checks.ts';
import {type Daemon} from './simulated-daemon.ts';
import {type SimulatedCluster} from './simulated-cluster.ts';

const WRITE_EVERY_MS = 400;
const FILES = 4;
/** A write that hangs in the backing mount takes this long; else some milliseconds. */
const HANGING_MS = 5000;

export class Writers {
	readonly #cluster: SimulatedCluster;
	/** What was acknowledged last, by path; undefined is a deletion. */
	readonly acknowledged = new Map<string, string | undefined>();
	violation: Violation | undefined;
	written = 0;
	refused = 0;
	#count = 0;

	constructor(cluster: SimulatedCluster) {
		this.#cluster = cluster;
		for (const machine of cluster.machines) this.#next(machine.number);
	}

	#next(number: number): void {
		const {clock, random} = this.#cluster;
		clock.after(WRITE_EVERY_MS / 2 + random.below(WRITE_EVERY_MS), () => {
			if (this.#cluster.isUp(number)) this.#begin(this.#cluster.daemon(number));
			this.#next(number);
		});
	}

	/** As the overlay does it: through the gate first, then through the mount that is current when the call is made. */
	#begin(daemon: Daemon): void {
		const {clock, random} = this.#cluster;
		const mount = daemon.overlay;
		if (mount === undefined || daemon.gate.enter(0) === 0) {
			this.refused++;
			return;
		}
		clock.after(random.chance(0.03) ? HANGING_MS : 1 + random.below(5), () => {
			daemon.gate.leave();
			if (!daemon.alive || mount.ended) return;
			const path = `w${random.below(FILES)}`;
			try {
				this.checkRead(daemon, path);
				const text = random.chance(0.2) ? undefined : `${daemon.machine.number}:${++this.#count}`;
				mount.client.write(path, text === undefined ? undefined : {kind: 'file', data: text});
				this.acknowledged.set(path, text);
				this.written++;
			} catch (error) {
				if (error instanceof Violation) this.violation ??= error;
				else if (!(error instanceof NotConnected)) throw error;
			}
		});
	}

	/** What is read through an open gate is what was acknowledged last. */
	checkRead(daemon: Daemon, path: string): void {
		const mount = daemon.overlay!;
		const entry: Entry | undefined = mount.client.read(path);
		const text = entry?.kind === 'file' ? entry.data : undefined;
		const wanted = this.acknowledged.get(path);
		if (text !== wanted)
			throw new Violation(
				`P2: node ${daemon.machine.number} reads ${String(text)} from ${path} in epoch ${mount.set.epoch}, ${String(wanted)} was acknowledged`,
			);
	}

	/** All files, through every open gate. Throws a Violation. */
	checkAll(): void {
		const running = [...this.#cluster.daemons.values()].filter(daemon => daemon.alive);
		for (const daemon of running) for (const path of this.acknowledged.keys()) this.checkRead(daemon, path);
	}
}
