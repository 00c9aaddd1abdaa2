/** `hfs_config completion`: prints the script by which a shell completes hfs_config's words; `node-names` is what that asks. */
import {Argument} from 'commander';
import {EXIT} from '../../errors.ts';
import {toJsonText} from '../../http/answers.ts';
import {commandModel} from '../manual/model.ts';
import {completionScript, type Shell} from './completion-scripts.ts';
import {type AddCommand} from './context.ts';
import {nodeNames} from './resolve-node.ts';
import {fetchStatus} from './status.ts';

const EXAMPLE = `
Example: in this shell, then in every shell
  . <(hfs_config completion bash)
  hfs_config completion bash > /etc/bash_completion.d/hfs_config`;

export const addCompletion: AddCommand = (program, context) => {
	program
		.command('completion')
		.description('print a script that completes commands, options and node names')
		.addArgument(new Argument('<shell>', 'the shell that will source it').choices(['bash', 'zsh']))
		.addHelpText('after', EXAMPLE)
		.action(
			// eslint-disable-next-line @typescript-eslint/require-await -- commands are asynchronous
			context.ends(async (shell: Shell) => {
				const script = completionScript(shell, commandModel(program));
				context.terminal.out(context.json() ? toJsonText({shell, script}) : script);
				return EXIT.ok;
			}),
		);
};

/** For the completion scripts only, so it is hidden from the help. */
export const addNodeNames: AddCommand = (program, context) => {
	program
		.command('node-names', {hidden: true})
		.description('print the names and UUIDs by which commands know the nodes, one a line')
		.action(
			context.ends(async () => {
				const names = nodeNames((await fetchStatus(context)).report);
				context.terminal.out(context.json() ? toJsonText({names}) : names.map(name => `${name}\n`).join(''));
				return EXIT.ok;
			}),
		);
};
