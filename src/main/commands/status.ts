/** `hfs_config status`: the state of the filesystem as this node sees it. */
import {EXIT, HekafsError} from '../../errors.ts';
import {queryControl} from '../../http/control-client.ts';
import {parseReport, type StatusReport} from '../../membership/report.ts';
import {parseSeconds} from '../config-values.ts';
import {exitOfHealth, type AddCommand, type CommandContext} from './context.ts';
import {statusText} from './status-text.ts';
import {painter} from './terminal.ts';
import {watch, type Seen} from './watch.ts';

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

/** How often `--watch` looks unless it is told. */
const WATCH_S = 1;

/** For a script that watches each state is one line. */
const shown = (context: CommandContext, report: StatusReport, text: string, watching: boolean): string => {
	const {outColours, width} = context.terminal;
	if (!context.json()) return statusText(report, painter(outColours), width);
	return watching ? `${JSON.stringify(report)}\n` : text;
};

export const addStatus: AddCommand = (program, context) => {
	program
		.command('status')
		.description('show the state; exit code 0 healthy, 3 degraded, 4 refusing writes, 5 hekafsd is down')
		.option('--json', 'print it as JSON, the same as GET /v1/status')
		.option(
			'--watch [s]',
			'show it again whenever it changes, looking every S seconds',
			parseSeconds(0.1, 3600),
		)
		.addHelpText(
			'after',
			'\nExamples: in a health check; while a server is repaired\n  hfs_config status --json | jq -r .health\n  hfs_config status --watch',
		)
		.action(
			context.ends(async (options: {watch?: number | true}) => {
				const look = async (): Promise<Seen> => {
					const {report, text} = await fetchStatus(context);
					return {report, shown: shown(context, report, text, options.watch !== undefined)};
				};
				if (options.watch === undefined) {
					const seen = await look();
					context.terminal.out(seen.shown);
					return exitOfHealth(seen.report.health);
				}
				const seconds = options.watch === true ? WATCH_S : options.watch;
				const last = await watch(context, look, seconds * 1000);
				return last === undefined ? EXIT.down : exitOfHealth(last.health);
			}),
		);
};
