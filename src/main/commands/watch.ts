/** `hfs_config status --watch`: shows the state again whenever it has changed, until it is interrupted. */
import {setTimeout as sleep} from 'node:timers/promises';
import {describeError, HekafsError} from '../../errors.ts';
import {type StatusReport} from '../../membership/report.ts';
import {type CommandContext} from './context.ts';

const CLEAR_SCREEN = '\u001B[H\u001B[2J\u001B[3J';

export interface Seen {
	readonly report: StatusReport;
	/** What is shown of it. */
	readonly shown: string;
}

/** Everything that a watcher cares about: the time of the report changes always. */
const essence = ({report}: Seen): string => JSON.stringify({...report, time: ''});

/**
 * @param look asks once; a HekafsError of it (hekafsd is down, say) is shown like a state
 * @param intervalMs between two looks
 * @returns what was seen last, once the signal of the context has fired; undefined when nothing could be seen
 */
export const watch = async (
	context: CommandContext,
	look: () => Promise<Seen>,
	intervalMs: number,
): Promise<StatusReport | undefined> => {
	const {signal, terminal} = context;
	let before = '';
	let last: StatusReport | undefined;
	// A function: the compiler takes a property that it has seen false for false for ever.
	const interrupted = (): boolean => signal.aborted;
	while (!interrupted()) {
		let shown: string;
		let now: string;
		try {
			const seen = await look();
			last = seen.report;
			({shown} = seen);
			now = essence(seen);
		} catch (error) {
			if (interrupted()) break;
			if (!(error instanceof HekafsError)) throw error;
			last = undefined;
			now = shown = context.json()
				? `${JSON.stringify({error: {code: error.code, message: error.message}})}\n`
				: `hfs_config: ${describeError(error)}\n`;
		}
		if (now !== before) {
			const first = before === '';
			before = now;
			if (terminal.outIsTerminal && !context.json()) terminal.out(CLEAR_SCREEN + shown);
			else terminal.out(first || context.json() ? shown : `\n${shown}`);
		}
		await sleep(intervalMs, undefined, {signal}).catch(() => undefined);
	}
	return last;
};
