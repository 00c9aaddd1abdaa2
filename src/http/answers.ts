/** Writes answers: text, JSON, and errors as JSON with the HTTP status that fits their code. */
import {type ServerResponse} from 'node:http';
import {describeError, ERROR_CODES, errorCodeOf, HekafsError, type HekafsErrorCode} from '../errors.ts';

/** How an error travels between programs. */
export interface ErrorBody {
	readonly code: HekafsErrorCode;
	readonly message: string;
	readonly remedy?: string;
}

/** An HTTP error that no handler raised: a wrong path, method or body size. */
export class HttpError extends HekafsError {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;

	constructor(
		status: number,
		message: string,
		remedy: string,
		headers: Readonly<Record<string, string>> = {},
	) {
		super('HEKAFS_USAGE', message, {remedy});
		this.status = status;
		this.headers = headers;
	}
}

const STATUS_OF: Partial<Record<HekafsErrorCode, number>> = {
	HEKAFS_USAGE: 400,
	HEKAFS_PEER_INVALID: 400,
	HEKAFS_UNAUTHENTICATED: 401,
	HEKAFS_REFUSED: 409,
	HEKAFS_POPULATED: 409,
	HEKAFS_BUSY: 409,
	HEKAFS_PEER_UNREACHABLE: 502,
	HEKAFS_TIMEOUT: 504,
};

/** Any error as what is sent; what is not a HekafsError becomes HEKAFS_INTERNAL. */
export const errorBody = (error: unknown): ErrorBody => {
	const code = errorCodeOf(error) ?? 'HEKAFS_INTERNAL';
	const remedy =
		typeof error === 'object' && error !== null && 'remedy' in error && typeof error.remedy === 'string'
			? error.remedy
			: undefined;
	const described = describeError(error);
	const message =
		remedy !== undefined && described.endsWith(`\n  ${remedy}`)
			? described.slice(0, -remedy.length - 3)
			: described;
	return {code, message, ...(remedy === undefined ? {} : {remedy})};
};

/**
 * The error in a parsed answer of another program, or undefined when there is none or it isn't in our form.
 * @param prefix put before the message: who has answered
 */
export const errorFromBody = (value: unknown, prefix = ''): HekafsError | undefined => {
	if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value))
		return undefined;
	const {code, message} = value;
	if (typeof code !== 'string' || !(code in ERROR_CODES) || typeof message !== 'string') return undefined;
	const remedy = 'remedy' in value && typeof value.remedy === 'string' ? value.remedy : undefined;
	return new HekafsError(
		code as HekafsErrorCode,
		prefix + printable(message),
		remedy === undefined ? {} : {remedy: printable(remedy)},
	);
};

/** Foreign text without control characters (except newline), bounded, fit for a terminal. */
export const printable = (text: string): string =>
	text
		.slice(0, 4000)
		// eslint-disable-next-line no-control-regex -- removing them is the point
		.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ');

export const send = (
	response: ServerResponse,
	status: number,
	contentType: string,
	body: string,
	headers: Readonly<Record<string, string>> = {},
): void => {
	if (response.headersSent || response.destroyed) {
		response.destroy();
		return;
	}
	const bytes = Buffer.from(body);
	response.writeHead(status, {
		'content-type': contentType,
		'content-length': bytes.length,
		'cache-control': 'no-store',
		'x-content-type-options': 'nosniff',
		...headers,
	});
	response.end(response.req.method === 'HEAD' ? undefined : bytes);
};

/** JSON with line breaks, so that `curl` shows it readably. */
export const toJsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export const sendJson = (
	response: ServerResponse,
	status: number,
	value: unknown,
	headers: Readonly<Record<string, string>> = {},
): void => send(response, status, 'application/json; charset=utf-8', toJsonText(value), headers);

export const sendError = (response: ServerResponse, error: unknown): void => {
	const body = errorBody(error);
	const http = error instanceof HttpError ? error : undefined;
	sendJson(response, http?.status ?? STATUS_OF[body.code] ?? 500, body, http?.headers);
};
