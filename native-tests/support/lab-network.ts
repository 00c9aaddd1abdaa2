/** The lab's network: one bridge in a network namespace of its own, one veth pair per host, and ways to break it. */
import {startNamespaces, type Namespaces} from './namespaces.ts';
import {runOrThrow} from './run-command.ts';

/** An address that no interface has: frames to it are flooded by the bridge and taken by nobody, without any error. */
const NOBODY = '02:de:ad:00:00:01';

export interface Plug {
	/** 1, 2, …: the last byte of the address and the number of the bridge's port. */
	readonly index: number;
	readonly address: string;
	readonly namespaces: Namespaces;
}

export interface LabNetwork {
	readonly namespaces: Namespaces;
	/** Gives a host its `eth0` with its address. */
	plugIn(plug: Plug): Promise<void>;
	/** Removes the host's cable, as a power cut does: nothing more goes out. */
	unplug(index: number): Promise<void>;
	/** Drops every packet of a host silently: its link stays up, nobody gets an error. */
	partition(index: number): Promise<void>;
	/** Drops the packets between two hosts, in both directions, silently. */
	cut(a: Plug, b: Plug): Promise<void>;
	/** Undoes `partition` and `cut`, as seen from one host; a cut needs it on both ends. */
	heal(plug: Plug): Promise<void>;
}

/** Runs `ip` commands, one a line, in a network namespace. */
const ip = (namespaces: Namespaces, lines: readonly string[]): Promise<string> =>
	runOrThrow(namespaces.enterNetwork, ['ip', '-batch', '-'], {
		input: lines.map(line => `${line}\n`).join(''),
	});

/** Starts the bridge. `logFile` gets what goes wrong at the start. */
export const startNetwork = async (logFile: string): Promise<LabNetwork> => {
	const setup =
		'ip link set lo up; ip link add br0 type bridge forward_delay 0 stp_state 0; ip link set br0 up';
	const bridge = await startNamespaces(setup, [], logFile);
	return {
		namespaces: bridge,
		plugIn: async ({index, address, namespaces}) => {
			await ip(bridge, [
				`link add p${index} type veth peer name eth0 netns ${namespaces.initPid}`,
				`link set p${index} master br0 up`,
			]);
			await ip(namespaces, [`addr add ${address}/24 dev eth0`, 'link set eth0 up']);
		},
		unplug: async index => {
			await ip(bridge, [`link del p${index}`]);
		},
		partition: async index => {
			await ip(bridge, [`link set p${index} nomaster`]);
		},
		cut: async (a, b) => {
			const wrongWay = (from: Plug, to: Plug): Promise<string> =>
				ip(from.namespaces, [`neigh replace ${to.address} lladdr ${NOBODY} nud permanent dev eth0`]);
			await Promise.all([wrongWay(a, b), wrongWay(b, a)]);
		},
		heal: async ({index, namespaces}) => {
			await ip(bridge, [`link set p${index} master br0 up`]);
			// The only permanent neighbours of eth0 are those that `cut` made.
			await ip(namespaces, ['neigh flush dev eth0 nud permanent']);
		},
	};
};
