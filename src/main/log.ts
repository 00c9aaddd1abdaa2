/** Answers `hfs_config log`: what stands in the journals, then what comes. */
import {type ControlContext, type LogRequest} from '../http/control.ts';
import {type LogLine, type LogQuery} from '../journal/log-lines.ts';
import {lineAsJson} from '../journal/log-text.ts';
import {errnoName} from '../posix/errno.ts';
import {type Journal} from './journal.ts';
import {pathFromRoot} from './paths.ts';

export interface LogSource {
	readonly journal: Journal;
	readonly mountpoint: string;
}

/** Resolves when all is told; with `follow` when the asking program has gone away. */
export const tellLog = async (
	{journal, mountpoint}: LogSource,
	request: LogRequest,
	{line, signal}: ControlContext,
): Promise<void> => {
	const {path, node, uid, sinceMs, lines, follow} = request;
	const query: LogQuery = {
		path: path === undefined ? undefined : Buffer.from(pathFromRoot(path, mountpoint)),
		node,
		uid,
		sinceMs,
	};
	const tell = (each: LogLine): void => line(JSON.stringify(lineAsJson(each, {errnoName})));
	// What comes while the files are read is told after it, once.
	const told = new Set<string>();
	const keyOf = (each: LogLine): string =>
		each.kind === 'record' ? `${each.node} ${each.record.counter}` : '';
	const early: LogLine[] = [];
	let onLine = (each: LogLine): void => void early.push(each);
	const end = follow ? journal.follow(query, each => onLine(each)) : () => undefined;
	try {
		const found = await journal.log(query);
		for (const each of lines === undefined ? found : found.slice(Math.max(0, found.length - lines)))
			tell(each);
		if (!follow || signal.aborted) return;
		for (const each of found) told.add(keyOf(each));
		for (const each of early) if (!told.has(keyOf(each))) tell(each);
		onLine = tell;
		await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), {once: true}));
	} finally {
		end();
	}
};
