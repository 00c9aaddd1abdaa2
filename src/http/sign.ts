/** Signatures on requests between nodes: HMAC-SHA256 with the secret that is stored in the config filesystem. */
import {createHash, createHmac, randomBytes, timingSafeEqual} from 'node:crypto';
import {LRUCache} from 'lru-cache';
import {type NodeUuid} from '../membership/ids.ts';

/** How far the clocks of two nodes may be apart, and how long a request stays valid. */
export const SIGNATURE_WINDOW_MS = 30_000;
/** Nonces remembered at once: far more than a cluster sends within two windows. */
const MAX_NONCES = 16_384;

const SECRET = /^[0-9a-f]{64}$/;
const NONCE = /^[0-9a-f]{32}$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
const TIMESTAMP = /^[0-9]{1,15}$/;

export const HEADERS = {
	timestamp: 'x-hekafs-timestamp',
	nonce: 'x-hekafs-nonce',
	signature: 'x-hekafs-signature',
} as const;

/** What a signature covers besides time and nonce. */
export interface SignedContent {
	readonly method: string;
	readonly path: string;
	/** The node that is meant: a request that was overheard is of no use against another node. */
	readonly to: NodeUuid;
	readonly body: Uint8Array;
}

/** Headers as node:http delivers them, or as we send them. */
export type HeaderMap = Readonly<Record<string, string | readonly string[] | undefined>>;

export const isSecret = (text: string): boolean => SECRET.test(text);

const hashOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

const hmac = (secret: string, parts: readonly string[]): string =>
	createHmac('sha256', Buffer.from(secret, 'hex')).update(parts.join('\n')).digest('hex');

const requestSignature = (secret: string, content: SignedContent, timestamp: string, nonce: string): string =>
	hmac(secret, [
		'hekafs-request-1',
		content.method,
		content.path,
		content.to,
		timestamp,
		nonce,
		hashOf(content.body),
	]);

/** Compares two texts of hexadecimal digits in constant time. */
const sameHex = (a: string, b: string): boolean =>
	a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/**
 * The headers that sign a request.
 * @param nowMs time since 1970 in milliseconds
 */
export const signRequest = (
	secret: string,
	content: SignedContent,
	nowMs: number = Date.now(),
	nonce: string = randomBytes(16).toString('hex'),
): Record<string, string> => ({
	[HEADERS.timestamp]: String(nowMs),
	[HEADERS.nonce]: nonce,
	[HEADERS.signature]: requestSignature(secret, content, String(nowMs), nonce),
});

/** The signature of an answer; tied to the request by its nonce, so that nobody else can say "done" in a peer's name. */
export const signResponse = (secret: string, nonce: string, status: number, body: Uint8Array): string =>
	hmac(secret, ['hekafs-response-1', nonce, String(status), hashOf(body)]);

/** Whether an answer was made by somebody who knows the secret, for the request with this nonce. */
export const verifyResponse = (
	secret: string,
	nonce: string,
	status: number,
	body: Uint8Array,
	signature: unknown,
): boolean =>
	typeof signature === 'string' &&
	SIGNATURE.test(signature) &&
	sameHex(signature, signResponse(secret, nonce, status, body));

export type SignatureHeaders =
	| {
			readonly kind: 'present';
			readonly timestamp: string;
			readonly nonce: string;
			readonly signature: string;
	  }
	| {readonly kind: 'rejected'; readonly problem: string};

/** Picks the three headers out and checks their form only; cheap, done before a body is read. */
export const readSignatureHeaders = (headers: HeaderMap): SignatureHeaders => {
	const timestamp = headers[HEADERS.timestamp];
	const nonce = headers[HEADERS.nonce];
	const signature = headers[HEADERS.signature];
	if (timestamp === undefined || nonce === undefined || signature === undefined)
		return {kind: 'rejected', problem: 'the request is not signed'};
	if (
		typeof timestamp !== 'string' ||
		typeof nonce !== 'string' ||
		typeof signature !== 'string' ||
		!TIMESTAMP.test(timestamp) ||
		!NONCE.test(nonce) ||
		!SIGNATURE.test(signature)
	)
		return {kind: 'rejected', problem: 'the signature headers are malformed'};
	return {kind: 'present', timestamp, nonce, signature};
};

export type Verification = {readonly kind: 'ok'} | {readonly kind: 'rejected'; readonly problem: string};
const rejected = (problem: string): Verification => ({kind: 'rejected', problem});

export interface VerifierOptions {
	/** Time since 1970 in milliseconds. */
	readonly now?: () => number;
	readonly maxNonces?: number;
}

/** Checks signed requests and remembers their nonces, so that each is accepted once. */
export class SignatureVerifier {
	readonly #now: () => number;
	readonly #maxNonces: number;
	readonly #startedAtMs: number;
	readonly #nonces: LRUCache<string, true>;

	constructor(options: VerifierOptions = {}) {
		this.#now = options.now ?? Date.now;
		this.#maxNonces = options.maxNonces ?? MAX_NONCES;
		this.#startedAtMs = this.#now();
		this.#nonces = new LRUCache({
			max: this.#maxNonces,
			// A request from a clock that is one window ahead stays valid for two windows.
			ttl: 2 * SIGNATURE_WINDOW_MS + 1000,
			ttlResolution: 0,
			perf: {now: this.#now},
		});
	}

	/** Checks time, signature and nonce, in this order; only a valid request costs memory. */
	verify(secret: string, content: SignedContent, headers: HeaderMap): Verification {
		const given = readSignatureHeaders(headers);
		if (given.kind === 'rejected') return given;
		const sentAtMs = Number(given.timestamp);
		const aheadMs = sentAtMs - this.#now();
		if (Math.abs(aheadMs) > SIGNATURE_WINDOW_MS)
			return rejected(
				`the request's time is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this node's clock`,
			);
		// Nonces accepted by an earlier process are forgotten, so nothing from before our start is accepted.
		if (sentAtMs < this.#startedAtMs)
			return rejected('the request was signed before this hekafsd started; sent again it will be accepted');
		if (!sameHex(given.signature, requestSignature(secret, content, given.timestamp, given.nonce)))
			return rejected('the signature does not match: other secret, other node, or changed on the way');
		if (this.#nonces.has(given.nonce)) return rejected('the request was already received (replayed)');
		if (this.#nonces.size >= this.#maxNonces) this.#nonces.purgeStale();
		// Never forget a nonce that is still valid: refuse instead.
		if (this.#nonces.size >= this.#maxNonces) return rejected('too many requests within a minute');
		this.#nonces.set(given.nonce, true);
		return {kind: 'ok'};
	}
}
