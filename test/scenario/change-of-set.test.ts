/**
 * Changes of the set over a cluster of fake bricks, cut off after any step: however it ends, there is never more than one
 * set through which writes are admitted (P1), and a change that ran to its end is agreed by the new set alone.
 */
import fc from 'fast-check';
import test, {type ExecutionContext} from 'ava';
import {type Plan, type PlanResult, type Step} from '../../src/heal/plan.ts';
import {planFound} from '../../src/heal/plan-found.ts';
import {planJoin} from '../../src/heal/plan-join.ts';
import {planRetire} from '../../src/heal/plan-retire.ts';
import {type NodeUuid, type SetId} from '../../src/membership/ids.ts';
import {formatMarker, formatSetRecord, parseMarker, parseSetRecord} from '../../src/membership/marker.ts';
import {hasQuorum, hasServer, type ServerSet, setIdOf} from '../../src/membership/server-set.ts';
import {judge, type Verdict} from '../../src/membership/verdict.ts';
import {NODES, observationOf, silent, withAnswers} from '../support/observations.ts';
import {bytesOf, FS, generationOf, uuidOf} from '../support/sets.ts';

interface Brick {
	/** What it exports; undefined while it is stopped. */
	exported: SetId | undefined;
	/** Path to content. A new brick is empty until it is marked and so filled from the others. */
	files: Map<string, string>;
	filled: boolean;
}

class FakeCluster {
	readonly bricks = new Map<NodeUuid, Brick>();
	/** Every set that was ever planned: whoever slept through a change may still mount it. */
	readonly sets: ServerSet[] = [];
	current: ServerSet | undefined;

	up(set: ServerSet): ReadonlySet<NodeUuid> {
		const id = setIdOf(set);
		return new Set(set.servers.map(s => s.uuid).filter(uuid => this.bricks.get(uuid)?.exported === id));
	}

	/** What a mount of `set` would find, as GlusterFS serves it: nothing without quorum, never from an unfilled brick. */
	look(set: ServerSet): Verdict {
		const up = this.up(set);
		const source = hasQuorum(set, up)
			? [...up].map(uuid => this.bricks.get(uuid)!).find(b => b.filled)
			: undefined;
		const files = source?.files ?? new Map<string, string>();
		const record = files.get('set');
		return judge({
			generation: generationOf(1),
			mounted: set,
			up,
			record: parseSetRecord(record === undefined ? null : bytesOf(record)),
			markers: [...files]
				.filter(([path]) => path.startsWith('markers/'))
				.map(([path, text]) => parseMarker(path.slice('markers/'.length), bytesOf(text))),
		});
	}

	writable(): readonly ServerSet[] {
		return this.sets.filter(set => this.look(set).kind === 'agreed');
	}

	through(set: ServerSet, act: (files: Map<string, string>) => void): void {
		const up = this.up(set);
		if (!hasQuorum(set, up)) throw new Error(`no quorum in epoch ${set.epoch}`);
		for (const uuid of up) act(this.bricks.get(uuid)!.files);
	}

	run(step: Step, {from, to}: Plan, self: NodeUuid): void {
		const id = setIdOf(to);
		switch (step.kind) {
			case 'stopBricks':
				for (const uuid of step.servers) this.bricks.get(uuid)!.exported = undefined;
				break;
			case 'startBricks':
				for (const uuid of step.servers) this.bricks.get(uuid)!.exported = id;
				break;
			case 'startBrick':
				this.bricks.set(self, {exported: id, files: new Map(), filled: from === undefined});
				break;
			case 'markNewBrick': {
				const source = [...this.up(to)].map(uuid => this.bricks.get(uuid)!).find(b => b.filled)!;
				Object.assign(this.bricks.get(self)!, {files: new Map(source.files), filled: true});
				break;
			}
			case 'writeRecord':
				this.through(to, files => files.set('set', formatSetRecord(step.record)));
				break;
			case 'writeMarker':
				this.through(to, files => files.set(`markers/${step.marker.uuid}`, formatMarker(step.marker)));
				break;
			case 'removeMarker':
				this.through(to, files => files.delete(`markers/${step.uuid}`));
				break;
			case 'setBrickAside':
				this.bricks.delete(self);
				break;
			default:
			// The others move no brick and no file of the filesystem's own.
		}
	}
}

/** Who acts, on whom: from random numbers to the plan of a change that the current set allows. */
const planOf = (cluster: FakeCluster, node: number, other: number, dead: boolean): PlanResult => {
	const set = cluster.current;
	if (set === undefined) return planFound(observationOf(node, null), {newFilesystemId: FS, found: false});
	const o = observationOf(node, set);
	if (!hasServer(set, uuidOf(node))) return planJoin(o);
	if (!dead || other === node) return planRetire(o, {subject: uuidOf(node), force: false});
	const up = new Set([...o.up].filter(uuid => uuid !== uuidOf(other)));
	const verdict = hasQuorum(set, up) ? o.verdict : undefined;
	return planRetire(withAnswers({...o, up, verdict}, [other, silent]), {subject: uuidOf(other), force: true});
};

const carryOut = (
	t: ExecutionContext,
	cluster: FakeCluster,
	node: number,
	plan: Plan,
	cutAfter: number,
): boolean => {
	cluster.sets.push(plan.to);
	// A server that is taken for dead may be only cut off: its brick goes on exporting the old name, which the fence has to
	// stand. Only where an operator's word stands in for a quorum is that word taken: the machine is off.
	const leaving = plan.from?.servers.find(s => !hasServer(plan.to, s.uuid));
	if (leaving !== undefined && plan.steps[0]?.kind !== 'lock') cluster.bricks.delete(leaving.uuid);
	for (const [i, step] of plan.steps.entries()) {
		if (i >= cutAfter) return false;
		cluster.run(step, plan, uuidOf(node));
		const writable = cluster.writable();
		t.true(writable.length <= 1, `after ${step.kind}: epochs ${writable.map(s => s.epoch).join(' and ')}`);
	}
	cluster.current = plan.to;
	t.deepEqual(cluster.writable(), [plan.to]);
	return true;
};

const change = fc.record({
	node: fc.constantFrom(...NODES),
	other: fc.constantFrom(...NODES),
	dead: fc.boolean(),
	cutAfter: fc.oneof({weight: 4, arbitrary: fc.constant(100)}, {weight: 1, arbitrary: fc.nat(18)}),
});

test('changes one after the other, until one is cut off: at most one set takes writes', t => {
	const seen = {founded: 0, joined: 0, retired: 0, cut: 0, refused: 0};
	fc.assert(
		fc.property(fc.array(change, {minLength: 1, maxLength: 12}), changes => {
			const cluster = new FakeCluster();
			for (const {node, other, dead, cutAfter} of changes) {
				const plan = planOf(cluster, node, other, dead);
				if (plan.kind === 'refused') {
					seen.refused++;
					continue;
				}
				const kind =
					plan.from === undefined
						? 'founded'
						: plan.steps.some(s => s.kind === 'markNewBrick')
							? 'joined'
							: 'retired';
				if (!carryOut(t, cluster, node, plan, cutAfter)) {
					seen.cut++;
					break;
				}
				seen[kind]++;
			}
		}),
		{numRuns: 400},
	);
	// The test has tried what it is about.
	for (const [what, count] of Object.entries(seen)) t.true(count > 0, `nothing was ${what}`);
	t.log(seen);
});
