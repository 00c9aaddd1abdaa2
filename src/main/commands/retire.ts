/** `hfs_config retire [node]`: a node stops being a config server. */
import {EXIT} from '../../errors.ts';
import {operate, type AddCommand} from './context.ts';
import {fetchStatus} from './status.ts';
import {resolveNode} from './resolve-node.ts';

export const addRetire: AddCommand = (program, context) => {
	program
		.command('retire')
		.description('remove this node, or a named one that will never come back, from the config servers')
		.argument('[node]', 'UUID, the beginning of one, name or address (default: this node)')
		.option('--force', 'the machine is off for good: retire it although that can not be verified')
		.addHelpText('after', '\nExample: a server whose disk has died\n  hfs_config retire node3.example.com')
		.action(
			context.ends(async (node: string | undefined, options: {force?: boolean}) => {
				const request =
					node === undefined ? {} : {node: resolveNode(node, (await fetchStatus(context)).report)};
				await operate(context, '/v1/retire', {...request, force: options.force ?? false});
				return EXIT.ok;
			}),
		);
};
