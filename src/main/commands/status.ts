/** `hfs_config status`: the state of the filesystem as this node sees it. */
import {HekafsError} from '../../errors.ts';
import {queryControl} from '../../http/control-client.ts';
import {parseReport, type StatusReport} from '../../membership/report.ts';
import {exitOfHealth, type AddCommand, type CommandContext} from './context.ts';
import {statusText} from './status-text.ts';
import {painter} from './terminal.ts';

/** Asks the daemon for its report. @returns it, and its text as it came */
export const fetchStatus = async (
	context: CommandContext,
): Promise<{readonly report: StatusReport; readonly text: string}> => {
	const text = await queryControl('/v1/status', {
		socketPath: context.socketPath(),
		signal: context.signal,
	});
	const read = parseReport(Buffer.from(text));
	if (read.kind === 'report') return {report: read.report, text};
	throw new HekafsError('HEKAFS_PEER_INVALID', `hekafsd's status report is not valid: ${read.problem}`, {
		remedy: 'Use the hfs_config of the same version as hekafsd.',
	});
};

export const addStatus: AddCommand = (program, context) => {
	program
		.command('status')
		.description('show the state; exit code 0 healthy, 3 degraded, 4 refusing writes, 5 hekafsd is down')
		.option('--json', 'print it as JSON, the same as GET /v1/status')
		.addHelpText('after', '\nExample: in a health check\n  hfs_config status --json | jq -r .health')
		.action(
			context.ends(async (options: {json?: boolean}) => {
				const {report, text} = await fetchStatus(context);
				const {out, outColours, width} = context.terminal;
				out(options.json === true ? text : statusText(report, painter(outColours), width));
				return exitOfHealth(report.health);
			}),
		);
};
