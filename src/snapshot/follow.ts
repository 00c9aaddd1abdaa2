/** Keeps the copy up with one generation: what this node changes at once, everything else by looks at the whole tree. */
import {type Changed, type ChangedRing} from './changed-ring.ts';
import {type CopyIndex} from './copy-index.ts';
import {type FollowerData, type FollowerReport} from './protocol.ts';
import {Scan} from './scan.ts';
import {ScanEnd} from './scan-end.ts';
import {type CopyStore} from './store.ts';
import {contentBytes, type CopyTree} from './tree.ts';
import {type Turn} from './turn.ts';

/** Changes of one program come in groups: so long is waited for more of them. */
const GATHER_MS = 50;
/**
 * While changes go on, following them takes no more than one part in REST_SHARE of the time: each is read back from the
 * servers that the users' own requests go to. No rest is longer than REST_MAX_MS.
 */
const REST_SHARE = 10;
const REST_MAX_MS = 1000;
/** So long after it was written at the latest, a copy is on the disk whatever happens to the machine. */
const DURABLE_AFTER_MS = 2000;
/** A look at everything: not more often than this, and so rarely that it takes no more than one part in SHARE of the time. */
const LOOK_EVERY_MS = 2000;
const LOOK_SHARE = 50;
const RETRY_MS = 1000;
/** A tree that changes under each of so many looks is published as it is: each file whole, not all as of one moment. */
const LOOKS_MAX = 3;
/** While nothing changes, the time of the last look goes to the disk this often: after a restart the copy seems older, by so much. */
const TIME_WRITTEN_EVERY_MS = 600_000;

type Done = 'full' | 'partly' | 'unknown place';

export class Follow {
	readonly #data: FollowerData;
	readonly #store: CopyStore;
	readonly #ring: ChangedRing;
	readonly #turn: Turn;
	readonly #report: (report: FollowerReport) => void;
	#tree: CopyTree | undefined;
	#index: CopyIndex | undefined;
	#problem: string | undefined;
	#unreadable = 0;
	#lookMs = 0;
	#checkedMs = 0;
	#quiet = false;
	#taken: number | undefined;
	/** When the newest copy has to be brought to the disk by force, by performance.now(). */
	#durableAtMs = Number.POSITIVE_INFINITY;

	constructor(
		data: FollowerData,
		store: CopyStore,
		ring: ChangedRing,
		turn: Turn,
		report: (report: FollowerReport) => void,
	) {
		this.#data = data;
		this.#store = store;
		this.#ring = ring;
		this.#turn = turn;
		this.#report = report;
	}

	/** Runs until another follower has the turn. */
	run(): void {
		const opened = this.#turn.write(this.#data.follower, () => this.#store.open());
		if (opened === undefined) return;
		this.#index = opened.value;
		// Another filesystem's files are not ours, whatever their numbers are.
		if (this.#index?.facts.filesystem === this.#data.filesystem) {
			this.#tree = this.#index.tree();
			this.#checkedMs = this.#index.facts.checkedMs;
		}
		this.#tell();
		const {root} = this.#data;
		if (root === undefined) return;
		this.#follow();
		this.#makeDurable();
	}

	#follow(): void {
		let seen = this.#ring.head;
		let nextMs = 0;
		let restUntilMs = 0;
		while (this.#live()) {
			if (performance.now() >= this.#durableAtMs) this.#makeDurable();
			const due = performance.now() >= nextMs;
			const head = this.#ring.head;
			if (!due && head === seen) {
				this.#ring.wait(seen, Math.max(1, Math.min(nextMs, this.#durableAtMs) - performance.now()));
				continue;
			}
			if (!due) this.#rest(Math.max(restUntilMs, performance.now() + GATHER_MS));
			const to = this.#ring.head;
			const start = performance.now();
			const taken = due ? undefined : this.#ring.takeFrom(seen);
			const done =
				taken === undefined
					? this.#guarded(scan => this.#lookAtAll(scan))
					: this.#guarded(scan => this.#lookAt(scan, taken.changes));
			// What a look at everything began with is in it.
			seen = taken?.next ?? to;
			if (done === 'full' || done === 'partly') this.#taken = seen;
			const now = performance.now();
			restUntilMs = now + Math.min(REST_MAX_MS, (now - start) * (REST_SHARE - 1));
			if (done === 'full') nextMs = now + Math.max(LOOK_EVERY_MS, this.#lookMs * LOOK_SHARE);
			// Reads up to the limit each time: no more often than a look that succeeds.
			else if (done === 'too large')
				nextMs = Math.max(nextMs, now + LOOK_EVERY_MS + (now - start) * LOOK_SHARE);
			else if (done === 'failed') nextMs = now + RETRY_MS;
			// A change in a place that the copy does not know: look at everything, unless that is known to be in vain.
			else if (done === 'unknown place' && this.#problem === undefined) nextMs = 0;
			this.#tell();
		}
	}

	/** Sleeps whatever is noted meanwhile, unless another follower has the turn. */
	#rest(untilMs: number): void {
		for (;;) {
			const ms = untilMs - performance.now();
			if (ms <= 0 || !this.#live()) return;
			this.#ring.wait(this.#ring.head, ms);
		}
	}

	#makeDurable(): void {
		this.#durableAtMs = Number.POSITIVE_INFINITY;
		this.#turn.write(this.#data.follower, () => this.#store.makeDurable());
	}

	#live(): boolean {
		return this.#turn.isOf(this.#data.follower);
	}

	#tell(): void {
		const index = this.#index;
		const {filesystem} = index?.facts ?? {filesystem: ''};
		this.#report({
			follower: this.#data.follower,
			copy:
				index === undefined
					? undefined
					: {
							serial: this.#store.serial,
							filesystem,
							checkedMs: Math.max(index.facts.checkedMs, this.#checkedMs),
							updatedMs: index.facts.updatedMs,
							quiet: index.facts.quiet,
							files: index.files,
							bytes: index.contentBytes,
						},
			problem: this.#problem,
			unreadable: this.#unreadable,
			lookMs: Math.round(this.#lookMs),
			taken: this.#taken,
		});
	}

	#guarded(look: (scan: Scan) => Done): Done | 'failed' | 'too large' {
		let scan: Scan | undefined;
		try {
			scan = new Scan({
				root: this.#data.root!,
				limitBytes: this.#data.limitBytes,
				append: bytes => this.#write(() => this.#store.append(bytes)),
				live: () => this.#live(),
			});
			const done = look(scan);
			// A single name may have had room where the whole has none.
			if (done === 'full') this.#problem = undefined;
			return done;
		} catch (error) {
			if (!(error instanceof ScanEnd)) this.#problem = error instanceof Error ? error.message : String(error);
			else if (error.why === 'too large') this.#problem = error.message;
			// A mount that is lost is told by those who watch it.
			if (this.#live()) this.#turn.write(this.#data.follower, () => this.#store.forget());
			// What a look at single names has half changed is of no use.
			this.#tree = this.#index?.facts.filesystem === this.#data.filesystem ? this.#index.tree() : undefined;
			return error instanceof ScanEnd && error.why === 'too large' ? 'too large' : 'failed';
		} finally {
			scan?.close();
		}
	}

	/** @throws ScanEnd when it is another follower's turn */
	#write<T>(section: () => T): T {
		const done = this.#turn.write(this.#data.follower, section);
		if (done === undefined) throw new ScanEnd('stopped', 'another generation is followed');
		return done.value;
	}

	#publish(tree: CopyTree): void {
		this.#tree = tree;
		const facts = {
			checkedMs: this.#checkedMs,
			updatedMs: Date.now(),
			quiet: this.#quiet,
			filesystem: this.#data.filesystem,
		};
		this.#index = this.#write(() => this.#store.publish(tree, facts, this.#turn.served));
		this.#durableAtMs = Math.min(this.#durableAtMs, performance.now() + DURABLE_AFTER_MS);
	}

	/** Looks again as long as something changes meanwhile, so that the copy is of one moment. */
	#lookAtAll(scan: Scan): 'full' {
		let before = this.#tree;
		let changes = 0;
		for (let looks = 1; ; looks++) {
			const checkedMs = Date.now();
			const start = performance.now();
			const tree = scan.all(before);
			// Of the last one: the first has more to read than those to come.
			this.#lookMs = performance.now() - start;
			this.#unreadable = scan.unreadable;
			before = tree;
			changes += scan.changes;
			if (scan.changes > 0 && looks < LOOKS_MAX) continue;
			this.#checkedMs = checkedMs;
			this.#quiet = scan.changes === 0;
			if (changes > 0 || this.#isToBeWritten()) this.#publish(tree);
			return 'full';
		}
	}

	/** Whether the newest index says less than is known, though the tree is the same. */
	#isToBeWritten(): boolean {
		const facts = this.#index?.facts;
		if (facts === undefined || facts.filesystem !== this.#data.filesystem) return true;
		return facts.quiet !== this.#quiet || this.#checkedMs - facts.checkedMs > TIME_WRITTEN_EVERY_MS;
	}

	#lookAt(scan: Scan, changed: readonly Changed[]): 'partly' | 'unknown place' {
		const before = this.#tree;
		if (before === undefined) return 'unknown place';
		const tree: CopyTree = {root: before.root, nodes: new Map(before.nodes)};
		const done = new Set<string>();
		for (const {ino, name} of distinct(changed)) {
			const paths = pathsOf(tree, ino);
			// A file that the copy does not know may have no name any more: it can wait for the next look.
			if (paths.length === 0 && name.length > 0) return 'unknown place';
			for (const path of paths) {
				const whole = name.length === 0 ? path : [...path, name.toString('latin1')];
				const key = whole.join('/');
				// A file that was made and written to is told of by its name and by its number.
				if (done.has(key)) continue;
				done.add(key);
				if (!scan.one(tree, whole)) return 'unknown place';
			}
		}
		const bytes = contentBytes(tree);
		if (bytes > this.#data.limitBytes)
			throw new ScanEnd('too large', `more than ${this.#data.limitBytes} bytes of content`);
		// What others did meanwhile is not in it.
		this.#quiet = false;
		this.#publish(tree);
		return 'partly';
	}
}

/** Each change once; names before files, so that a file is known when it is told of by its number. */
const distinct = (changed: readonly Changed[]): readonly Changed[] => {
	const byKey = new Map(changed.map(each => [`${each.ino}/${each.name.toString('latin1')}`, each]));
	return [...byKey.values()].sort((a, b) => Number(a.name.length === 0) - Number(b.name.length === 0));
};

/** All paths under which a tree has a file; none when it does not know it. @param below a ring of directories ends here */
const pathsOf = (tree: CopyTree, ino: bigint, below: readonly bigint[] = []): string[][] => {
	if (ino === tree.root) return [[]];
	if (below.includes(ino)) return [];
	const found: string[][] = [];
	for (const [parent, node] of tree.nodes)
		for (const [name, child] of node.children ?? [])
			if (child === ino)
				for (const path of pathsOf(tree, parent, [...below, ino])) found.push([...path, name]);
	return found;
};
