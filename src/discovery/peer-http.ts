/** Asks other nodes' hekafsd for their status report over HTTP: bounded in time and size, and believed only about itself. */
import {errorMessage} from './error-message.ts';
import {hostPort} from '../membership/address.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type PeerAnswer} from '../membership/peer-answer.ts';
import {MAX_REPORT_BYTES, parseReport} from '../membership/report.ts';

/** For all addresses of a member together. */
export const ASK_TIMEOUT_MS = 2000;

export interface AskOptions {
	readonly timeoutMs?: number | undefined;
	readonly maxBytes?: number | undefined;
	readonly signal: AbortSignal;
}

export interface PeerToAsk {
	readonly uuid: NodeUuid;
	/** Tried one after the other; each gets its share of the time that is left. */
	readonly addresses: readonly string[];
	/** Port of its hekafsd. */
	readonly port: number;
}

/** Stops reading at the limit: what a peer sends beyond it is never kept. */
const readLimited = async (response: Response, maxBytes: number): Promise<Uint8Array> => {
	const chunks: Uint8Array[] = [];
	let length = 0;
	// Leaving the loop early cancels the stream.
	for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
		length += chunk.length;
		if (length > maxBytes) throw new RangeError(`the answer is longer than ${maxBytes} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
};

/** Asks at one address. Never rejects. */
export const askAddress = async (
	peer: {readonly uuid: NodeUuid; readonly address: string; readonly port: number},
	{timeoutMs = ASK_TIMEOUT_MS, maxBytes = MAX_REPORT_BYTES, signal}: AskOptions,
): Promise<PeerAnswer> => {
	const {uuid, address, port} = peer;
	const url = `http://${hostPort(address, port)}/v1/status`;
	const invalid = (problem: string): PeerAnswer => ({
		kind: 'invalid',
		problem: `${url}: ${problem}`,
		address,
	});
	const started = performance.now();
	const late = AbortSignal.timeout(timeoutMs);
	let answered = false;
	try {
		const response = await fetch(url, {
			redirect: 'manual',
			headers: {accept: 'application/json', connection: 'close'},
			signal: AbortSignal.any([signal, late]),
		});
		answered = true;
		if (response.status !== 200) {
			await response.body?.cancel();
			return invalid(`it answered with HTTP status ${response.status}`);
		}
		const read = parseReport(await readLimited(response, maxBytes));
		if (read.kind === 'invalid') return invalid(`not a status report: ${read.problem}`);
		const {report} = read;
		if (report.node.uuid !== uuid) return invalid(`it is node ${report.node.uuid}, not ${uuid}`);
		return {kind: 'report', report, address, elapsedMs: Math.round(performance.now() - started)};
	} catch (error) {
		if (error instanceof RangeError) return invalid(error.message);
		const problem = late.aborted ? `no whole answer within ${timeoutMs} ms` : errorMessage(error);
		return answered ? invalid(problem) : {kind: 'silent', problem: `${url}: ${problem}`};
	}
};

/**
 * Asks a member at its addresses in order until one gives its report. Never rejects.
 * @returns the report; else the first answer that was none; else that it is silent
 */
export const askPeer = async (peer: PeerToAsk, options: AskOptions): Promise<PeerAnswer> => {
	const {uuid, addresses, port} = peer;
	const deadline = performance.now() + (options.timeoutMs ?? ASK_TIMEOUT_MS);
	let best: PeerAnswer = {kind: 'silent', problem: 'it has no address'};
	for (const [i, address] of addresses.entries()) {
		const leftMs = deadline - performance.now();
		if (leftMs < 1 || options.signal.aborted) break;
		const timeoutMs = Math.ceil(leftMs / (addresses.length - i));
		const answer = await askAddress({uuid, address, port}, {...options, timeoutMs});
		if (answer.kind === 'report') return answer;
		if (best.kind === 'silent') best = answer;
	}
	return best;
};
