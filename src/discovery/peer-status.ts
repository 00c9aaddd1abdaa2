/** Reads what `gluster --xml peer status` printed. Pure: bytes of a program in, members or a problem out, never an exception. */
import {XMLParser} from 'fast-xml-parser';
import {isAddress} from '../membership/address.ts';
import {cleanText} from '../membership/decode.ts';
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';
import {type Member} from '../membership/report.ts';

/** The command whose output this parses. */
export const PEER_STATUS_ARGUMENTS = ['--mode=script', '--xml', 'peer', 'status'] as const;

/** A thousand peers print 400 KB. */
const MAX_OUTPUT_CHARS = 2 * 1024 * 1024;
const MAX_PEERS = 1024;
const MAX_ADDRESSES = 16;
const MAX_QUOTED = 200;
/** glusterd shows this while it doesn't know yet whom it has probed. */
const NO_UUID = '00000000-0000-0000-0000-000000000000';

export interface ProgramOutput {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
}

export type PeerStatus =
	| {
			readonly kind: 'members';
			readonly members: readonly Member[];
			/** Peers that glusterd lists without a UUID (a probe that has not ended): they can't be asked. */
			readonly unidentified: readonly string[];
	  }
	| {readonly kind: 'problem'; readonly problem: string};

type Xml = Readonly<Record<string, unknown>>;

// Entities and attributes stay text, numbers stay strings: glusterd uses neither, and hostile text could.
const parser = new XMLParser({
	ignoreAttributes: true,
	parseTagValue: false,
	processEntities: false,
	trimValues: true,
	isArray: (_name, path) =>
		path === 'cliOutput.peerStatus.peer' || path === 'cliOutput.peerStatus.peer.hostnames.hostname',
});

const problem = (text: string): PeerStatus => ({
	kind: 'problem',
	problem: `gluster peer status: ${cleanText(text.trim(), MAX_QUOTED)}`,
});

const asObject = (value: unknown): Xml | undefined =>
	typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Xml) : undefined;
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** `hostname` is the name that glusterd uses, `hostnames` all of them. */
const addressesOf = (peer: Xml): readonly string[] => {
	const all = [peer['hostname'], ...asList(asObject(peer['hostnames'])?.['hostname'])].map(asText);
	return [...new Set(all.filter(isAddress))].slice(0, MAX_ADDRESSES);
};

/** The parser takes what is cut off for whole; a member less than there are would be a lie. */
const isWhole = (text: string, peers: number): boolean =>
	text.trimEnd().endsWith('</cliOutput>') && text.split('<peer>').length - 1 === peers;

const parseXml = (text: string): Xml | undefined => {
	try {
		return asObject((parser.parse(text) as Xml)['cliOutput']);
	} catch {
		return undefined;
	}
};

const readPeers = (peers: readonly unknown[]): PeerStatus => {
	const members = new Map<NodeUuid, Member>();
	const unidentified: string[] = [];
	for (const entry of peers) {
		const peer = asObject(entry) ?? {};
		const uuid = parseNodeUuid(asText(peer['uuid']));
		const addresses = addressesOf(peer);
		if (uuid === undefined) return problem('a peer has no valid UUID');
		// What can't be asked because its name is none must still count as a member: it may belong to a filesystem.
		if (uuid === NO_UUID) unidentified.push(addresses[0] ?? 'a peer without a valid name');
		else members.set(uuid, {uuid, addresses, connected: asText(peer['connected']) === '1'});
	}
	return {kind: 'members', members: [...members.values()], unidentified};
};

/**
 * glusterd being down gives exit code 1 and plain text on standard output, even with `--xml` (GLUSTER.md §1); a lone node an
 * empty `<peerStatus/>`. The node itself is never listed.
 */
export const parsePeerStatus = ({exitCode, stdout, stderr}: ProgramOutput): PeerStatus => {
	if (stdout.length > MAX_OUTPUT_CHARS) return problem(`it printed more than ${MAX_OUTPUT_CHARS} characters`);
	if (exitCode !== 0) return problem(stdout.trim() || stderr.trim() || `it ended with ${exitCode}`);
	if (stdout.includes('<!')) return problem('it printed XML declarations that it should not');
	const output = parseXml(stdout);
	if (output === undefined) return problem('it printed something that is not its XML');
	if (asText(output['opRet']) !== '0')
		return problem(asText(output['opErrstr']) || `its opRet is "${asText(output['opRet'])}"`);
	if (!('peerStatus' in output)) return problem('it printed no peerStatus');
	const peers = asList(asObject(output['peerStatus'])?.['peer']);
	if (!isWhole(stdout, peers.length)) return problem('its XML is not whole');
	if (peers.length > MAX_PEERS) return problem(`it lists more than ${MAX_PEERS} peers`);
	return readPeers(peers);
};
