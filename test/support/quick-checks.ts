/** P1 to P3 over the fast model, and what "all is well" means once everything has come to rest. */
import {hasServer, sameSet} from '../../src/membership/server-set.ts';
import {ABSENT, countOf, type Mount} from './quick-node.ts';
import {judgeMount} from './quick-steps.ts';
import {FILES, type QuickWorld, Violation} from './quick-world.ts';

export class QuickChecks {
	readonly #world: QuickWorld;
	/** By file: what a reader may see. */
	readonly #allowed: readonly Set<number>[] = Array.from({length: FILES}, () => new Set([ABSENT]));
	#checked = -1;

	constructor(world: QuickWorld) {
		this.#world = world;
		world.givenUp = remaining => {
			for (const {served, bit} of world.nodes)
				if ((remaining & bit) !== 0)
					for (const [path, allowed] of this.#allowed.entries()) allowed.add(served!.brick.data[path]!);
		};
	}

	/** A write whose client died over it may show, or not. */
	torn(path: number, value: number): void {
		this.#allowed[path]!.add(value);
	}

	/** P1, at the moment in which a write is acknowledged. */
	acknowledged({set}: Mount, path: number, value: number): void {
		const {recordedEpoch} = this.#world;
		if (set.epoch < recordedEpoch)
			throw new Violation(`P1: a write through epoch ${set.epoch} after ${recordedEpoch} was recorded`);
		const allowed = this.#allowed[path]!;
		allowed.clear();
		allowed.add(value);
	}

	/** P1 after each event: whoever could write now would write to one set; and each of them reads what it should. */
	now(): void {
		const {nodes, version} = this.#world;
		if (version === this.#checked) return;
		this.#checked = version;
		let admitted: Mount | undefined;
		for (const {mount, gateOpen} of nodes) {
			if (mount === undefined || !gateOpen || !this.#throughGate(mount)) continue;
			if (admitted !== undefined && admitted.set !== mount.set && !sameSet(admitted.set, mount.set))
				throw new Violation(`P1: writes are admitted to epochs ${admitted.set.epoch} and ${mount.set.epoch}`);
			admitted = mount;
		}
	}

	/** P2: what is read is what was acknowledged last. P3: an open gate and a mount that agrees. @returns whether it has a quorum */
	#throughGate(mount: Mount): boolean {
		const world = this.#world;
		const live = world.live(mount);
		if (!world.hasQuorum(mount, live)) return false;
		const verdict = judgeMount(world, mount, live);
		const {index} = mount.node;
		if (verdict !== undefined && verdict.kind !== 'agreed')
			throw new Violation(
				`P3: the gate of ${index} is open, but ${verdict.reasons.map(r => r.text).join('; ')}`,
			);
		for (let path = 0; path < FILES; path++) {
			const value = world.read(mount, path, live);
			const allowed = this.#allowed[path]!;
			if (value !== undefined && !allowed.has(value))
				throw new Violation(`P2: node ${index} reads ${value} from ${path}, not ${[...allowed].join()}`);
		}
		return true;
	}

	/**
	 * What is left to an operator: a path that all servers hold and each is blamed for. AFR gets there when servers take turns in
	 * being away while heals are pending; it refuses reads and writes of such a file, and status names it.
	 */
	resolveSplitBrains(): void {
		const world = this.#world;
		const mount = world.nodes.find(node => node.gateOpen)?.mount;
		if (mount === undefined) return;
		const live = world.live(mount);
		if (countOf(live) !== mount.servers.length) return;
		const bricks = mount.servers.map(index => world.nodes[index]!.served!.brick);
		for (const [path, allowed] of this.#allowed.entries()) {
			if (world.sources(live, path) !== 0) continue;
			const chosen = bricks.find(({data}) => allowed.has(data[path]!));
			if (chosen === undefined) throw new Violation(`P2: nobody has what was acknowledged of ${path}`);
			world.tally.splitBrains++;
			world.note(() => `split brain of ${path}: ${chosen.data[path]} is chosen`);
			for (const brick of bricks) {
				brick.data[path] = chosen.data[path]!;
				brick.blame[path] = 0;
			}
		}
	}

	/** Why not all is well; undefined when it is. */
	unrest(): string | undefined {
		const world = this.#world;
		const set = world.nodes[0]?.mount?.set;
		if (set === undefined) return 'nothing is mounted';
		for (const node of world.nodes) {
			if (node.mount === undefined || !sameSet(node.mount.set, set)) return `${node.index} has another set`;
			if (!node.gateOpen) return `the gate of ${node.index} is closed`;
			if (node.state?.pending != null) return `${node.index} has a pending change`;
			const serves = hasServer(set, node.uuid);
			if (serves !== (node.served !== undefined))
				return `${node.index}: its brick ${serves ? 'is down' : 'runs'}`;
			if (serves !== (node.state?.brick != null)) return `${node.index} remembers another brick`;
		}
		const bricks = set.servers.map(server => world.nodeOf(server.uuid).served!.brick);
		for (let path = 0; path < world.paths; path++) {
			const value = bricks[0]!.data[path]!;
			const mask = 1 << path;
			// AFR does not heal a brick that is alone.
			const isHealed =
				bricks.length === 1 || bricks.every(({blame, dirty}) => blame[path] === 0 && (dirty & mask) === 0);
			const isSame = bricks.every(brick => brick.data[path] === value) || (world.uneven & mask) !== 0;
			if (!isHealed || !isSame)
				return `bricks differ in ${path}: ${bricks.map(b => `${b.data[path]}/${b.blame[path]}/${b.dirty}`).join(' ')}`;
			const allowed = this.#allowed[path];
			for (const {data} of bricks)
				if (allowed?.has(data[path]!) === false) throw new Violation(`P2: ${path} has ${data[path]}`);
		}
		return undefined;
	}
}
