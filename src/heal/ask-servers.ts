/** Asks the servers of the old set about a change, this node among them. */
import {describeError} from '../errors.ts';
import {type SetChange} from '../membership/change.ts';
import {type NodeUuid} from '../membership/ids.ts';
import {type Answer, type Answers, type Ask} from '../membership/vote.ts';
import {type Node} from './node.ts';
import {fence} from './serving.ts';

/** Asks the servers of the old set at once. Who does not answer is left out. */
export const askServers = async (
	node: Node,
	change: SetChange,
	question: Ask,
	servers: readonly NodeUuid[] = change.from.servers.map(s => s.uuid),
): Promise<Answers> => {
	const secret = node.ports.stateStore.readSecret();
	const ask = async (server: NodeUuid): Promise<Answer> => {
		if (server !== node.self) return node.ports.peers.ask(server, change, question, secret ?? '');
		const answer = node.vote(change, question);
		if (question.kind !== 'promise') await fence(node);
		return answer;
	};
	const answers = new Map<NodeUuid, Answer>();
	await Promise.all(
		servers.map(async server => {
			try {
				answers.set(server, await ask(server));
			} catch (error) {
				node.ports.log(`${server} on epoch ${change.to.epoch}: ${describeError(error)}`);
			}
		}),
	);
	return answers;
};
