/** The texts of the sentinel files, made from the status report: one fact a line, for shell. Pure. */
import {formatReason} from './reason.ts';
import {type StatusReport} from './report.ts';

const lines = (rows: readonly string[]): string => rows.map(row => `${row}\n`).join('');

/** Tabs and newlines can't stand in a field. */
const field = (text: string): string => text.replaceAll(/[\t\n\r]/g, ' ');

/**
 * Text by the name of the sentinel file (DESIGN §7; the columns are documented in docs/INTERFACE.md).
 * `version`, `metrics` and `control` are not made from the report.
 */
export const sentinelTexts = (report: StatusReport): Readonly<Record<string, string>> => ({
	healthy: '',
	writable: '',
	degraded: lines(report.reasons.map(formatReason)),
	reason: report.health === 'healthy' ? '' : lines(report.reasons.map(formatReason)),
	status: `${JSON.stringify(report, null, 2)}\n`,
	members: lines(
		report.members.map(m =>
			[m.uuid, field(m.addresses[0] ?? '-'), m.connected ? 'connected' : 'disconnected'].join('\t'),
		),
	),
	servers: lines(report.servers.map(s => [s.uuid, field(s.address), s.up ? 'up' : 'down'].join('\t'))),
	epoch: lines([String(report.set?.epoch ?? 0)]),
	heals: lines(
		report.heals === null
			? ['unknown']
			: [`pending ${report.heals.pending}`, `split-brain ${report.heals.splitBrain}`],
	),
});
