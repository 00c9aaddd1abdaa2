/** Reads the stream of JSON lines by which hekafsd reports on a long operation. */
import {StringDecoder} from 'node:string_decoder';
import {HekafsError} from '../errors.ts';
import {errorFromBody, printable} from './answers.ts';
import {type ControlResult} from './control.ts';

const MAX_LINE_CHARS = 1024 * 1024;
const HEALTHS = ['healthy', 'degraded', 'refusing'] as const;

export interface ControlMessageReader {
	/** Takes the next bytes, however they were cut. */
	push(chunk: Buffer): void;
	/** The operation's end, once the stream has ended. @throws HekafsError the daemon's, or HEKAFS_NOT_RUNNING without an end */
	result(): ControlResult;
}

const invalid = (): HekafsError =>
	new HekafsError('HEKAFS_PEER_INVALID', 'hekafsd answered something that hfs_config does not understand', {
		remedy: 'Use the hfs_config of the same version as hekafsd.',
	});

const countOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** As `printable`, of any length. */
const printableLine = (text: string): string =>
	// eslint-disable-next-line no-control-regex -- removing them is the point
	text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

export const readControlMessages = (
	onProgress: (text: string, done: number | undefined, total: number | undefined) => void,
	onLine: (text: string) => void = () => undefined,
): ControlMessageReader => {
	const decoder = new StringDecoder('utf8');
	let rest = '';
	let end: ControlResult | HekafsError | undefined;

	const take = (line: string): void => {
		if (line.trim() === '' || end !== undefined) return;
		let value: unknown;
		try {
			value = JSON.parse(line);
		} catch {
			end = invalid();
			return;
		}
		const fields: Readonly<Record<string, unknown>> =
			typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
		const {type, text, done, total, health} = fields;
		if (type === 'error') end = errorFromBody(value) ?? invalid();
		else if (typeof text !== 'string') end = invalid();
		else if (type === 'line') onLine(printableLine(text));
		else if (type === 'progress') onProgress(printable(text), countOf(done), countOf(total));
		else if (type === 'result') {
			const known = HEALTHS.find(h => h === health);
			end = {text: printable(text), ...(known === undefined ? {} : {health: known})};
		}
		// Other types are for newer programs.
	};

	return {
		push(chunk) {
			const lines = (rest + decoder.write(chunk)).split('\n');
			rest = lines.pop()!;
			lines.forEach(take);
			if (rest.length > MAX_LINE_CHARS) {
				end ??= invalid();
				rest = '';
			}
		},
		result() {
			take(rest);
			if (end === undefined)
				throw new HekafsError('HEKAFS_NOT_RUNNING', 'hekafsd went away before the operation ended', {
					remedy: 'It finishes or undoes the operation when it starts again; then see `hfs_config status`.',
				});
			if (end instanceof HekafsError) throw end;
			return end;
		},
	};
};
