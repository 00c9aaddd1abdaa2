/** The daemon's figures as Prometheus text. */
import {Gauge, Registry} from 'prom-client';
import {type StatusReport} from '../membership/report.ts';

export interface RequestFigures {
	readonly workers: number;
	readonly inFlight: number;
	readonly queued: number;
	readonly overdueAnswered: number;
	readonly requests: number;
}

const GAUGES = {
	hekafs_gate_open: 'Whether writes are admitted (1) or not (0)',
	hekafs_healthy: 'Whether writes are admitted, all servers are up and nothing is pending',
	hekafs_epoch: 'Number of the server set',
	hekafs_generation: 'Number of the private mount in use, 0 when there is none',
	hekafs_servers: 'Config servers in the set',
	hekafs_servers_up: 'Config servers whose bricks this node is connected to',
	hekafs_heals_pending: 'Entries that wait for a heal, -1 when unknown',
	hekafs_split_brain: 'Entries in split brain, -1 when unknown',
	hekafs_fuse_requests: 'FUSE requests answered since the start',
	hekafs_fuse_requests_in_flight: 'FUSE requests being carried out',
	hekafs_fuse_requests_queued: 'FUSE requests that wait for a thread',
	hekafs_fuse_requests_overdue: 'FUSE requests answered with ETIMEDOUT since the start',
	hekafs_fuse_workers: 'Threads that serve the overlay',
} as const;

/** @returns the text in the Prometheus exposition format, version 0.0.4 */
export const metricsText = async (report: StatusReport, fuse: RequestFigures): Promise<string> => {
	const registry = new Registry();
	const values: Record<keyof typeof GAUGES, number> = {
		hekafs_gate_open: Number(report.gate.state === 'open'),
		hekafs_healthy: Number(report.health === 'healthy'),
		hekafs_epoch: report.set?.epoch ?? 0,
		hekafs_generation: report.gate.generation,
		hekafs_servers: report.servers.length,
		hekafs_servers_up: report.servers.filter(server => server.up).length,
		hekafs_heals_pending: report.heals?.pending ?? -1,
		hekafs_split_brain: report.heals?.splitBrain ?? -1,
		hekafs_fuse_requests: fuse.requests,
		hekafs_fuse_requests_in_flight: fuse.inFlight,
		hekafs_fuse_requests_queued: fuse.queued,
		hekafs_fuse_requests_overdue: fuse.overdueAnswered,
		hekafs_fuse_workers: fuse.workers,
	};
	for (const [name, help] of Object.entries(GAUGES)) {
		new Gauge({name, help, registers: [registry]}).set(values[name as keyof typeof GAUGES]);
	}
	return registry.metrics();
};
