/** A founding that was cut off: nobody was told of it and nothing was written through it, so it is finished or undone. */
import {describeError} from '../errors.ts';
import {adopt} from './adopt.ts';
import {type Node} from './node.ts';
import {dropBrick} from './serving.ts';

/** This node belongs to no filesystem after all; its brick is kept aside. */
export const undoFounding = async (node: Node, brickDirectory: string | undefined): Promise<void> => {
	const directory = node.state?.brick?.directory ?? brickDirectory;
	if (directory !== undefined)
		node.ports.log(`the founding is undone; its brick is kept in ${await dropBrick(node, directory)}`);
	if (node.state?.founding === true) node.setState(undefined);
};

/** After a restart: finished if record and marker are there, else undone. */
export const settleFounding = async (node: Node): Promise<void> => {
	const set = node.state?.set;
	if (set === undefined) return;
	try {
		await adopt(node, set);
	} catch (error) {
		node.ports.log(`the founding was cut off: ${describeError(error)}`);
		await undoFounding(node, undefined);
	}
};
