/** What one node may ask of another by a signed POST: the requests, their bodies and the interface that carries them out. */
import {z} from 'zod';
import {HekafsError} from '../errors.ts';
import {type SetChange, setChangeSchema} from '../membership/change.ts';
import {cleanText, decodeJson} from '../membership/decode.ts';
import {counterSchema, serverSetSchema} from '../membership/schema.ts';
import {type ServerSet} from '../membership/server-set.ts';
import {type Answer, type Ask} from '../membership/vote.ts';

export interface PeerRequest {
	/** The server set that the request is about. */
	readonly set: ServerSet;
	/** Why it is made; one line, for logs and for `reason`. */
	readonly reason: string;
}

/** What one server may ask another about a change of the set. */
export type Question = Ask | {readonly kind: 'start'} | {readonly kind: 'heal'};

export interface ChangeRequest {
	readonly change: SetChange;
	readonly question: Question;
	readonly reason: string;
}

/** The answer's JSON object; the one who asks knows its fields. */
export type PeerReply = Readonly<Record<string, unknown>>;

/** Carries out what other nodes ask. Errors thrown as HekafsError reach the asking node with code, message and remedy. */
export interface PeerRequests {
	/** The set is about to change: close the gate as `switching` and drain. */
	switching(request: PeerRequest, context: {readonly signal: AbortSignal}): Promise<PeerReply>;
	/** A question to a server of the old set about a change: it answers after it has written down, and done, what it says. */
	change(request: ChangeRequest, context: {readonly signal: AbortSignal}): Promise<Answer>;
	/** Mount this set and switch to it. */
	adopt(request: PeerRequest, context: {readonly signal: AbortSignal}): Promise<PeerReply>;
}

/** Bodies of other nodes: a server set of 16 servers has some kilobytes. */
export const PEER_MAX_BODY_BYTES = 64 * 1024;

/** Path of each request. */
export const PEER_PATHS = {
	switching: '/v1/peer/switching',
	change: '/v1/peer/change',
	adopt: '/v1/peer/adopt',
} as const satisfies Record<keyof PeerRequests, string>;

const MAX_REASON_CHARS = 500;

// Control characters of a foreign text must not reach logs or terminals.
const reasonSchema = z.string().transform(text => cleanText(text, MAX_REASON_CHARS));
const requestSchema: z.ZodType<PeerRequest> = z.object({set: serverSetSchema, reason: reasonSchema});

const wordSchema = z.enum(['go', 'abort']);
const questionSchema: z.ZodType<Question> = z.discriminatedUnion('kind', [
	z.object({kind: z.enum(['prepare', 'abandon', 'start', 'heal'])}),
	z.object({kind: z.literal('promise'), ballot: counterSchema}),
	z.object({kind: z.literal('accept'), ballot: counterSchema, word: wordSchema}),
]);
const changeSchema: z.ZodType<ChangeRequest> = z.object({
	change: setChangeSchema,
	question: questionSchema,
	reason: reasonSchema,
});

const answerSchema: z.ZodType<Answer> = z.discriminatedUnion('kind', [
	z.object({
		kind: z.literal('yes'),
		accepted: z.object({ballot: counterSchema, word: wordSchema}).nullable(),
	}),
	z.object({kind: z.literal('later'), promised: counterSchema}),
	z.object({kind: z.enum(['busy', 'behind'])}),
	z.object({kind: z.literal('never'), attempt: counterSchema}),
	z.object({kind: z.literal('closed'), closed: counterSchema}),
	z.object({kind: z.literal('moved'), set: serverSetSchema}),
]);

const parse = <T>(body: Uint8Array, schema: z.ZodType<T>): T => {
	const decoded = decodeJson(body, schema, PEER_MAX_BODY_BYTES);
	if (decoded.ok) return decoded.value;
	throw new HekafsError('HEKAFS_PEER_INVALID', `the request's body is not valid: ${decoded.problem}`, {
		remedy: 'Run the same version of HekaFS on all nodes.',
	});
};

/** Parses a body. @throws HekafsError HEKAFS_PEER_INVALID that names the wrong field */
export const parsePeerRequest = (body: Uint8Array): PeerRequest => parse(body, requestSchema);

/** Parses a question about a change. Throws as above. */
export const parseChangeRequest = (body: Uint8Array): ChangeRequest => parse(body, changeSchema);

/** Reads what a server has answered. @throws HekafsError HEKAFS_PEER_INVALID */
export const parseAnswer = (reply: PeerReply): Answer => {
	const read = answerSchema.safeParse(reply);
	if (read.success) return read.data;
	throw new HekafsError('HEKAFS_PEER_INVALID', 'the answer to a question about a change is not valid', {
		remedy: 'Run the same version of HekaFS on all nodes.',
	});
};
