/** How nodes are reached: by what this node's glusterd calls them; UUIDs are the identity, names are aliases. */
import {lookup} from 'node:dns/promises';
import os from 'node:os';
import {type Findings} from '../heal/changes.ts';
import {type NodeUuid} from '../membership/ids.ts';

/** What the other members call this node, when one of them was asked and knows it. */
const calledByPeers = (self: NodeUuid, {answers}: Findings): string | undefined => {
	for (const answer of answers.values()) {
		const member = answer.kind === 'report' ? answer.report.members.find(m => m.uuid === self) : undefined;
		if (member?.addresses[0] !== undefined) return member.addresses[0];
	}
	return undefined;
};

/** The address to record for this node: what its peers call it, else its host name, else (alone, nameless) loopback. */
export const addressOfSelf = async (self: NodeUuid, findings: Findings): Promise<string> => {
	const called = calledByPeers(self, findings);
	if (called !== undefined) return called;
	const hostname = os.hostname();
	return lookup(hostname).then(
		() => hostname,
		() => '127.0.0.1',
	);
};
