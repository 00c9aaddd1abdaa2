/** Bytes of unknown origin to a checked value: size limit, UTF-8, JSON, schema. Never throws on input. */
import {type z} from 'zod';

export type Decoded<T> =
	{readonly ok: true; readonly value: T} | {readonly ok: false; readonly problem: string};

const utf8 = new TextDecoder('utf-8', {fatal: true});
/** How many of a schema's complaints go into the problem sentence. */
const MAX_COMPLAINTS = 3;
/** Foreign text is quoted in problems up to this length. */
const MAX_COMPLAINT_LENGTH = 200;

/** Control characters replaced by spaces, cut to `maxLength`: for foreign text that goes to terminals and logs. */
export const cleanText = (text: string, maxLength: number): string =>
	// eslint-disable-next-line no-control-regex -- control characters are what must not reach a terminal
	text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/g, ' ').slice(0, maxLength);

const complaints = (error: z.ZodError): string =>
	error.issues
		.slice(0, MAX_COMPLAINTS)
		.map(issue =>
			cleanText(
				[issue.path.map(String).join('.'), issue.message].filter(Boolean).join(': '),
				MAX_COMPLAINT_LENGTH,
			),
		)
		.join('; ');

/** Parses JSON text that must match `schema`. @param maxBytes longer input is refused unread */
export const decodeJson = <T>(bytes: Uint8Array, schema: z.ZodType<T>, maxBytes: number): Decoded<T> => {
	if (bytes.length === 0) return {ok: false, problem: 'it is empty'};
	if (bytes.length > maxBytes) return {ok: false, problem: `it is longer than ${maxBytes} bytes`};
	let value: unknown;
	try {
		value = JSON.parse(utf8.decode(bytes));
	} catch (error) {
		const why = error instanceof TypeError ? 'it is not UTF-8 text' : 'it is not JSON';
		return {ok: false, problem: why};
	}
	const result = schema.safeParse(value);
	if (!result.success) return {ok: false, problem: complaints(result.error)};
	return {ok: true, value: result.data};
};

/** JSON for a file that people may look at: one property a line, newline at the end. Key order is the caller's. */
export const encodeJson = (value: unknown): string => `${JSON.stringify(value, null, '\t')}\n`;
