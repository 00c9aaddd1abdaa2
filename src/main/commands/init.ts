/** `hfs_config init [--from DIR]`: fills an empty config filesystem. */
import {EXIT} from '../../errors.ts';
import {encodeInitEntry} from '../../http/init-entry.ts';
import {parsePath} from '../config-values.ts';
import {operate, type AddCommand} from './context.ts';
import {readTree} from './read-tree.ts';

export const addInit: AddCommand = (program, context) => {
	program
		.command('init')
		.description('fill in the initial values; refused when the filesystem is populated')
		.option('--from <dir>', 'take this directory instead of the built-in tree', parsePath)
		.addHelpText(
			'after',
			'\nExample: start with the configuration of an old system\n  hfs_config init --from /root/config',
		)
		.action(
			context.ends(async (options: {from?: string}) => {
				const tree =
					options.from === undefined ? undefined : (await readTree(options.from)).map(encodeInitEntry);
				await operate(context, '/v1/init', tree === undefined ? {} : {tree});
				return EXIT.ok;
			}),
		);
};
