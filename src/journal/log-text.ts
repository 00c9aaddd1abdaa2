/** A line of the audit trail for people and as JSON. Pure. */
import {type LogLine} from './log-lines.ts';

const utf8 = new TextDecoder('utf-8', {fatal: true});

/** Control characters, quotes for shells and bytes that are no UTF-8 would mislead whoever reads the line. */
const escapeByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** The path as text: printable UTF-8 as it is; a backslash as `\\`, other bytes as `\xNN`. */
export const pathText = (path: Uint8Array): string => {
	let text: string | undefined;
	try {
		text = utf8.decode(path);
	} catch {
		// Names are bytes.
	}
	if (text === undefined)
		return [...path]
			.map(byte =>
				byte < 0x20 || byte > 0x7e || byte === 0x5c ? escapeByte(byte) : String.fromCharCode(byte),
			)
			.join('');
	return (
		text
			.replaceAll('\\', '\\\\')
			// eslint-disable-next-line no-control-regex -- they must not reach a terminal
			.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, character =>
				[...Buffer.from(character)].map(escapeByte).join(''),
			)
	);
};

export interface LogNames {
	/** The name of an errno, such as ENOSPC. */
	readonly errnoName: (errno: number) => string;
}

/** The line as a JSON object (docs/INTERFACE.md, "Audit trail"). */
export const lineAsJson = (line: LogLine, {errnoName}: LogNames): Readonly<Record<string, unknown>> => {
	const base = {kind: line.kind, node: line.node, time: new Date(line.timeMs).toISOString()};
	if (line.kind === 'missing') return {...base, from: line.from, to: line.to};
	if (line.kind === 'cut-off') return base;
	const {record: r} = line;
	return {
		...base,
		counter: r.counter,
		operation: r.operation,
		path: r.path === null ? null : pathText(r.path),
		...(r.to === null ? {} : {to: pathText(r.to)}),
		uid: r.uid,
		pid: r.pid,
		command: r.command,
		result: r.errno === 0 ? 'ok' : errnoName(r.errno),
		...(r.operation === 'write' ? {writes: r.writes, bytes: r.bytes} : {}),
		...(r.after === null ? {} : {after: r.after}),
	};
};
