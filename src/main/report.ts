/** The status report of this node, from what the loop knows. */
import os from 'node:os';
import {type Loop} from '../heal/loop.ts';
import {type Node} from '../heal/node.ts';
import {type Generation} from '../membership/ids.ts';
import {type Member, type StatusReport} from '../membership/report.ts';
import {hasServer} from '../membership/server-set.ts';
import {VERSION} from './version.ts';

export interface ReportSource {
	readonly node: Node;
	readonly loop: Loop;
	readonly backend: 'gluster' | 'local';
	readonly mountpoint: string;
	readonly members: () => readonly Member[];
	readonly copy: () => StatusReport['copy'];
	/** When the gate last changed its state. */
	readonly gateSince: Date;
}

export const makeReport = ({
	node,
	loop,
	backend,
	mountpoint,
	members,
	copy,
	gateSince,
}: ReportSource): StatusReport => {
	const {decision, heals} = loop;
	// A set counts once the filesystem records it: not while it is being founded, nor one that is pending.
	const set = node.state === undefined || node.state.founding ? null : node.state.set;
	const brick = node.state?.brick ?? null;
	const up =
		node.look?.kind === 'seen'
			? node.look.view.up
			: node.look?.kind === 'failed'
				? node.look.reachable
				: undefined;
	return {
		format: 1,
		version: VERSION,
		node: {uuid: node.self, hostname: os.hostname()},
		time: new Date().toISOString(),
		backend,
		filesystemId: node.state?.filesystemId ?? null,
		set,
		closed: node.state?.closed ?? 0,
		acting: node.acting,
		serving: set !== null && hasServer(set, node.self),
		brick:
			brick === null || set === null
				? null
				: {running: !node.problems.has('brick'), port: brick.port, epoch: set.epoch},
		gate: {
			state: decision.gate,
			generation: node.current?.generation ?? (0 as Generation),
			since: gateSince.toISOString(),
		},
		verdict: decision.verdict,
		health: decision.health,
		reasons: decision.reasons,
		servers: (set?.servers ?? []).map(({uuid, address}) => ({uuid, address, up: up?.has(uuid) ?? false})),
		members: members(),
		heals: heals === undefined ? null : {pending: heals.pending, splitBrain: heals.splitBrain},
		copy: copy(),
		mountpoint,
	};
};
