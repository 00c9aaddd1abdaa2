/** Builds the daemon from its parts, in the order of the start-up sequence; stops them in reverse. */
import path from 'node:path';
import {cleanStale} from '../gluster/clean-stale.ts';
import {readNodeUuid} from '../gluster/glusterd-info.ts';
import {describeError, HekafsError} from '../errors.ts';
import {Changes} from '../heal/changes.ts';
import {Loop} from '../heal/loop.ts';
import {Node} from '../heal/node.ts';
import {NodeStateStore} from '../heal/node-state-store.ts';
import {PeerHandler} from '../heal/peer-handler.ts';
import {type OverlayControl} from '../heal/ports.ts';
import {startHttpServer} from '../http/server.ts';
import {Gate} from '../membership/gate.ts';
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {sentinelTexts} from '../membership/report-text.ts';
import {hasServer, type Server} from '../membership/server-set.ts';
import {mountOverlay, type Overlay} from '../overlay/overlay.ts';
import {addressOfSelf} from './addresses.ts';
import {Cleanup} from './cleanup.ts';
import {type DaemonConfig} from './config.ts';
import {DaemonControl} from './control.ts';
import {DiscoveryLoop} from './discovery-loop.ts';
import {GlusterPorts} from './gluster-ports.ts';
import {takeInstanceLock} from './instance-lock.ts';
import {localMount} from './local-mount.ts';
import {metricsText} from './metrics.ts';
import {prepareOverlayMountpoint} from './mountpoint.ts';
import {peerPort} from './peer-port.ts';
import {makeReport} from './report.ts';

export interface Daemon {
	/** Settles when the overlay goes away by itself. */
	readonly closed: Promise<'unmounted' | 'aborted' | 'failed'>;
	stop(): Promise<void>;
}

/** Decisions go to standard error with their time, whatever DEBUG says: they are what an admin looks for. */
const log = (text: string): void => {
	process.stderr.write(`${new Date().toISOString()} hekafsd: ${text}\n`);
};

/** glusterd's UUID if it has one; a state file of another node must not be taken for ours. */
const identify = async (config: DaemonConfig, store: NodeStateStore): Promise<NodeUuid> => {
	const self = parseNodeUuid((await readNodeUuid(config.glusterdDir)) ?? '') ?? store.ownUuid();
	const state = store.read();
	if (state?.brick != null && !hasServer(state.set, self)) {
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
	const context = {signal: new AbortController().signal, progress: () => undefined};
	try {
		if (word === 'verify') await control.verify();
		else if (word === 'heal') await control.heal(context);
		else if (word === 'remount') await control.remount(context);
		else log(`unknown word in .hekafs/control: ${JSON.stringify(word)}`);
	} catch (error) {
		log(`${word}: ${describeError(error)}`);
	}
};

/** The overlay is mounted after everything that can refuse has been tried; until then nothing can be moved. */
const overlayControl = (overlay: () => Overlay | undefined): OverlayControl => ({
	switchTo: async (generation, root) => {
		const mounted = overlay();
		if (mounted === undefined)
			throw new Error('BUG: a generation is switched to before the overlay is mounted');
		await mounted.switchTo(generation, root);
	},
	detach: () => overlay()?.detach(),
	gateChanged: () => overlay()?.gateChanged(),
});

/** @throws HekafsError when the daemon can't start; nothing is left mounted or running then */
export const compose = async (config: DaemonConfig): Promise<Daemon> => {
	await using stack = new Cleanup();
	takeInstanceLock(config.run);
	const stateStore = new NodeStateStore(config.state);
	const self = await identify(config, stateStore);
	const keep = ['brick', 'shd'].map(name => path.join(config.run, `${name}.pid`));
	await cleanStale(config.run, {keep});
	await prepareOverlayMountpoint(config.mountpoint);

	const discovery: DiscoveryLoop = new DiscoveryLoop({
		self,
		glusterd: config.backend.kind === 'gluster',
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
	const gate = new Gate();
	let overlay: Overlay | undefined;
	const node = new Node(self, {
		gate,
		stateStore,
		mounts: gluster,
		bricks: gluster,
		overlay: overlayControl(() => overlay),
		peers: peerPort(
			peer => discovery.addressesOf(peer),
			config.peerPort,
			() => `node ${self} changes the server set`,
		),
		log,
		now: () => performance.now(),
	});
	let gateSince = new Date();
	let gateState = 'refusing';
	const peers = new PeerHandler(node, () => loop.nudge());
	const loop: Loop = new Loop({
		node,
		knowledge: () => discovery.knowledge(),
		brickHeld: () => peers.brickHeld,
		afterTurn: decision => {
			if (decision.gate !== gateState) gateSince = new Date();
			gateState = decision.gate;
			publish();
		},
	});
	const report = () =>
		makeReport({
			node,
			loop,
			backend: config.backend.kind,
			mountpoint: config.mountpoint,
			members: () => discovery.members(),
			gateSince: () => gateSince,
		});
	const metrics = async () =>
		metricsText(
			report(),
			overlay?.stats() ?? {workers: 0, inFlight: 0, queued: 0, overdueAnswered: 0, requests: 0},
		);
	let metricsNow = '';
	const publish = (): void => {
		overlay?.publish({...sentinelTexts(report()), metrics: metricsNow});
	};
	const changes = new Changes({
		node,
		loop,
		discover: async () => discovery.askNow(),
		addressOfSelf: async findings => config.address ?? addressOfSelf(self, findings),
	});
	const control = new DaemonControl({
		node,
		loop,
		changes,
		members: () => discovery.members(),
		backend: config.backend.kind,
		volfile: set => gluster.volfile(set),
	});

	const server = await startHttpServer({
		tcp: config.listen,
		socketPath: config.controlSocket,
		self: () => self,
		secret: async () => Promise.resolve(stateStore.readSecret()),
		report,
		metrics,
		peers,
		control,
	});
	stack.add(async () => server[Symbol.asyncDispose]());

	overlay = await mountOverlay({
		mountpoint: config.mountpoint,
		gateBuffer: gate.buffer,
		writeWaitMs: config.writeWaitMs,
		deadlineMs: config.deadlineMs,
		workers: config.workers,
		attrTimeoutMs: config.attrTimeoutMs,
		entryTimeoutMs: config.entryTimeoutMs,
		onControl: word => void obey(word, control),
	});
	const mounted = overlay;
	stack.add(async () => mounted.unmount());
	if (config.backend.kind === 'local') {
		node.current = localMount(config.backend.directory);
		await mounted.switchTo(node.current.generation, {path: node.current.path});
	}
	// A local directory needs nobody's word: it is ready when the overlay is.
	if (config.backend.kind === 'local') await loop.turnNow();
	else loop.start();
	discovery.start(() => loop.nudge());
	const metricsTimer = setInterval(() => void metrics().then(text => (metricsNow = text)), 2000);
	publish();

	stack.release();
	return {
		closed: mounted.closed,
		stop: async () => {
			clearInterval(metricsTimer);
			discovery.stop();
			await loop.stop();
			publish();
			await server[Symbol.asyncDispose]();
			await mounted.unmount();
			await node.current?.end();
			await gluster.stopSelfHeal();
			await gluster.stop();
		},
	};
};
