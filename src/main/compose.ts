/** Builds the daemon from its parts, in the order of the start-up sequence; stops them in reverse. */
import path from 'node:path';
import createDebug from 'debug';
import {cleanStale} from '../gluster/clean-stale.ts';
import {readNodeUuid} from '../gluster/glusterd-info.ts';
import {describeError, HekafsError} from '../errors.ts';
import {Changes} from '../heal/changes.ts';
import {systemClock} from '../heal/clock.ts';
import {Loop} from '../heal/loop.ts';
import {Node} from '../heal/node.ts';
import {NodeStateStore} from '../heal/node-state-store.ts';
import {PeerHandler} from '../heal/peer-handler.ts';
import {type OverlayControl} from '../heal/ports.ts';
import {startHttpServer} from '../http/server.ts';
import {Gate} from '../membership/gate.ts';
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {hasServer, type Server, type ServerSet} from '../membership/server-set.ts';
import {mountOverlay, type Overlay} from '../overlay/overlay.ts';
import {KeptCopies} from './copies.ts';
import {addressOfSelf} from './addresses.ts';
import {Cleanup} from './cleanup.ts';
import {type DaemonConfig} from './config.ts';
import {DaemonControl} from './control.ts';
import {DiscoveryLoop} from './discovery-loop.ts';
import {GlusterPorts} from './gluster-ports.ts';
import {takeInstanceLock} from './instance-lock.ts';
import {Journal} from './journal.ts';
import {JournalCounter} from './journal-counter.ts';
import {localMount} from './local-mount.ts';
import {pausePoint} from './pause-point.ts';
import {prepareOverlayMountpoint} from './mountpoint.ts';
import {PageSource} from './page-source.ts';
import {peerPort as peersAt} from './peer-port.ts';
import {Reporter} from './reporter.ts';

export interface Daemon {
	/** Settles when the overlay goes away by itself. */
	readonly closed: Promise<'unmounted' | 'aborted' | 'failed'>;
	stop(): Promise<void>;
}

const debug = createDebug('hekafs:main');

/** Decisions go to standard error with their time, whatever DEBUG says: they are what an admin looks for. */
const log = (text: string): void => {
	process.stderr.write(`${new Date().toISOString()} hekafsd: ${text}\n`);
};

/** glusterd's UUID if it has one; a state file of another node must not be taken for ours. */
const identify = async (config: DaemonConfig, store: NodeStateStore): Promise<NodeUuid> => {
	const self = parseNodeUuid((await readNodeUuid(config.glusterdDir)) ?? '') ?? store.ownUuid();
	const state = store.read();
	// The brick of a node that is joining stands in no set yet but the one to come.
	const sets = [state?.set, state?.pending?.change.to].filter(set => set !== undefined);
	if (state?.brick != null && !sets.some(set => hasServer(set, self))) {
		throw new HekafsError(
			'HEKAFS_STATE_INVALID',
			`${config.state} holds a brick of another node: this node is ${self}, the brick belongs to one of ${state.set.servers.map(s => s.uuid).join(', ')}`,
			{
				remedy: `If glusterd of this machine was set up anew, restore its UUID in ${config.glusterdDir}/glusterd.info; else name the right --state.`,
			},
		);
	}
	return self;
};

/** A word written to `.hekafs/control`; the writer has gone on, so what comes of it goes to the log. */
const obey = async (word: string, control: DaemonControl): Promise<void> => {
	const context = {signal: new AbortController().signal, progress: () => undefined, line: () => undefined};
	try {
		if (word === 'verify') await control.verify();
		else if (word === 'heal') await control.heal(context);
		else if (word === 'remount') await control.remount(context);
		else log(`unknown word in .hekafs/control: ${JSON.stringify(word)}`);
	} catch (error) {
		log(`${word}: ${describeError(error)}`);
	}
};

/** Filled in late: the overlay is mounted after everything that can refuse has been tried. */
interface OverlaySlot {
	mounted: Overlay | undefined;
	/** Only with GlusterFS below. */
	copies: KeptCopies | undefined;
}

/** Until the overlay is mounted there is nothing to move. */
const overlayControl = (slot: OverlaySlot): OverlayControl => ({
	switchTo: async (generation, root) => {
		if (slot.mounted === undefined)
			throw new Error('BUG: a generation is switched to before the overlay is mounted');
		await slot.mounted.switchTo(generation, root);
	},
	detach: () => slot.mounted?.detach(),
	gateChanged: () => slot.mounted?.gateChanged(),
	serveCopy: () => slot.copies?.serve(),
	serveMount: () => slot.copies?.serveMount(),
	mountAnsweredMsAgo: () => slot.mounted?.mountAnsweredMsAgo,
	copies: () => slot.copies?.seen() ?? {copy: undefined, problem: undefined, complete: false},
});

interface Parts {
	readonly discovery: DiscoveryLoop;
	readonly gluster: GlusterPorts;
	readonly node: Node;
	readonly loop: Loop;
	readonly peers: PeerHandler;
	readonly reporter: Reporter;
	readonly control: DaemonControl;
	readonly counter: JournalCounter;
	readonly journal: Journal;
	readonly page: PageSource;
}

const pageSource = (
	{pageChanges: changes, peerPort}: DaemonConfig,
	{node, reporter, journal}: Pick<Parts, 'node' | 'reporter' | 'journal'>,
): PageSource => {
	const page = new PageSource({report: () => reporter.report(), look: () => node.look, changes, peerPort});
	journal.follow({}, line => page.learn(line));
	return page;
};

/** Objects only: nothing is started, mounted or listened on. */
const build = (
	config: DaemonConfig,
	self: NodeUuid,
	stateStore: NodeStateStore,
	slot: OverlaySlot,
): Parts => {
	const backend = config.backend.kind;
	const discovery: DiscoveryLoop = new DiscoveryLoop({
		self,
		glusterd: backend === 'gluster',
		peerPort: config.peerPort,
		servers: (): readonly Server[] => node.state?.set.servers ?? [],
	});
	const gluster = new GlusterPorts({
		self,
		runDirectory: config.run,
		logDirectory: config.log,
		brickDirectory: config.brickDir,
		retiredDirectory: path.join(config.state, 'retired'),
		brickPort: config.brickPort,
		memberAddresses: () => discovery.memberAddresses(),
		addressOf: peer => discovery.addressesOf(peer)[0],
	});
	const why = () => `node ${self} changes the server set`;
	const node = new Node(self, {
		gate: new Gate(),
		stateStore,
		mounts: gluster,
		bricks: gluster,
		overlay: overlayControl(slot),
		peers: peersAt(peer => discovery.addressesOf(peer), config.peerPort, why),
		log,
		atStep: pausePoint(process.env['HEKAFS_PAUSE_DIR'], log),
		...systemClock,
	});
	const peers = new PeerHandler(node, () => loop.nudge());
	const loop: Loop = new Loop({
		node,
		knowledge: () => discovery.knowledge(),
		afterTurn: decision => {
			slot.copies?.turn(decision.verdict === 'agreed');
			reporter.decided(decision);
			page.counted(loop.heals?.pending ?? 0);
		},
	});
	const members = () => discovery.members();
	const counter = new JournalCounter(config.state);
	const journal = new Journal({
		node,
		counter,
		overlay: () => slot.mounted,
		onRecords: () => reporter.publish(),
	});
	const reporter: Reporter = new Reporter(
		{node, loop, backend, mountpoint: config.mountpoint, members, copy: () => slot.copies?.report() ?? null},
		() => slot.mounted,
		journal,
	);
	const page: PageSource = pageSource(config, {node, reporter, journal});
	const changes = new Changes({
		node,
		loop,
		discover: async () => discovery.askNow(),
		addressOfSelf: async findings => config.address ?? addressOfSelf(self, findings),
	});
	const volfile = (set: ServerSet) => gluster.volfile(set);
	const {mountpoint} = config;
	const control = new DaemonControl({node, loop, changes, members, backend, volfile, journal, mountpoint});
	return {discovery, gluster, node, loop, peers, reporter, control, counter, journal, page};
};

/** Where this node keeps its verified copy. */
const copyDirectory = (config: DaemonConfig): string => path.join(config.state, 'copy');

const mount = async (config: DaemonConfig, {node, control, counter}: Parts): Promise<Overlay> =>
	mountOverlay({
		mountpoint: config.mountpoint,
		gateBuffer: node.ports.gate.buffer,
		writeWaitMs: config.writeWaitMs,
		journalFrom: counter.start,
		deadlineMs: config.deadlineMs,
		deadlines: config.deadlines,
		workers: config.workers,
		attrTimeoutMs: config.attrTimeoutMs,
		entryTimeoutMs: config.entryTimeoutMs,
		copyDirectory: copyDirectory(config),
		onControl: word => void obey(word, control),
		onProblem: log,
	});

/** The daemon's own places, free of what a killed one left. The bricks of the latter go on: other nodes use them. */
const takePlaces = async (config: DaemonConfig): Promise<NodeStateStore> => {
	takeInstanceLock('--run', config.run);
	const stateStore = new NodeStateStore(config.state);
	takeInstanceLock('--state', config.state);
	const keep = ['brick', 'shd'].map(name => path.join(config.run, `${name}.pid`));
	await cleanStale(config.run, {keep});
	return stateStore;
};

/** A local directory needs nobody's word: it is ready when the overlay is. A cluster is looked for in the background. */
const begin = async (
	config: DaemonConfig,
	{node, loop, discovery}: Parts,
	overlay: Overlay,
): Promise<void> => {
	if (config.backend.kind === 'gluster') {
		loop.start();
		discovery.start(() => loop.learnt());
		return;
	}
	node.current = localMount(config.backend.directory);
	await overlay.switchTo(node.current.generation, {path: node.current.path});
	await loop.turnNow();
};

/** @throws HekafsError when the daemon can't start; nothing is left mounted or running then */
export const compose = async (config: DaemonConfig): Promise<Daemon> => {
	await using stack = new Cleanup();
	const stateStore = await takePlaces(config);
	const self = await identify(config, stateStore);
	await prepareOverlayMountpoint(config.mountpoint);
	const slot: OverlaySlot = {mounted: undefined, copies: undefined};
	debug('node %s, %o', self, config);
	const parts = build(config, self, stateStore, slot);
	const {discovery, gluster, node, loop, reporter} = parts;
	stack.add(async () => {
		parts.counter.undo();
		return Promise.resolve();
	});
	const server = await startHttpServer({
		tcp: config.listen,
		socketPath: config.controlSocket,
		self: () => self,
		secret: async () => Promise.resolve(stateStore.readSecret()),
		report: () => reporter.report(),
		metrics: async () => reporter.metrics(),
		page: names => parts.page.state(names),
		peers: parts.peers,
		control: parts.control,
	});
	stack.add(async () => server[Symbol.asyncDispose]());
	const overlay = await mount(config, parts);
	slot.mounted = overlay;
	if (config.backend.kind === 'gluster') {
		const options = {directory: copyDirectory(config), limitBytes: config.copyLimitBytes, onProblem: log};
		slot.copies = new KeptCopies(options, overlay, () => node);
	}
	stack.add(async () => overlay.unmount());
	await begin(config, parts, overlay);
	parts.journal.start();
	reporter.start();
	stack.release();
	return {
		closed: overlay.closed,
		stop: async () => {
			reporter.stop();
			discovery.stop();
			await loop.stop();
			await slot.copies?.stop();
			reporter.publish();
			await server[Symbol.asyncDispose]();
			await overlay.unmount();
			await parts.journal.stop();
			await node.current?.end();
			await gluster.stopSelfHeal();
			await gluster.stop();
		},
	};
};
