/** `hfs_config serve`, `heal`, `verify`, `remount`: operations that the daemon carries out. */
import {type Command} from 'commander';
import {EXIT} from '../../errors.ts';
import {exitOfHealth, operate, type AddCommand, type CommandContext} from './context.ts';

export const addServe: AddCommand = (program, context) => {
	program
		.command('serve')
		.description('make this node a config server')
		.option('--found', 'found a new filesystem although not all members can be asked whether there is one')
		.option('--no-wait', 'do not wait until the change is complete')
		.addHelpText(
			'after',
			'\nExample: the first server of a cluster, then `hfs_config init`\n  hfs_config serve',
		)
		.action(
			context.ends(async (options: {found?: boolean; wait: boolean}) => {
				await operate(context, '/v1/serve', {found: options.found ?? false, wait: options.wait});
				return EXIT.ok;
			}),
		);
};

const addSimple = (
	program: Command,
	context: CommandContext,
	name: 'heal' | 'verify' | 'remount',
	description: string,
	example: string,
): void => {
	program
		.command(name)
		.description(description)
		.addHelpText('after', `\nExample: ${example}\n  hfs_config ${name}`)
		.action(
			context.ends(async () => {
				const {health} = await operate(context, `/v1/${name}`, {});
				return health === undefined ? EXIT.ok : exitOfHealth(health);
			}),
		);
};

export const addHeal: AddCommand = (program, context) => {
	addSimple(
		program,
		context,
		'heal',
		'bring all replicas up to date now',
		'after a server was away; the exit code is that of `status` afterwards',
	);
};

export const addVerify: AddCommand = (program, context) => {
	addSimple(
		program,
		context,
		'verify',
		'compare the mounted server set with the markers now',
		'is what is mounted what ought to be? The exit code is that of `status`',
	);
};

export const addRemount: AddCommand = (program, context) => {
	addSimple(
		program,
		context,
		'remount',
		'mount the filesystem anew beside the old mount and switch to it',
		'a mount that behaves oddly; open files stay open',
	);
};
