/** `hfs_config retire [node]`: a node stops being a config server. */
import {EXIT, HekafsError} from '../../errors.ts';
import {operate, type AddCommand, type CommandContext} from './context.ts';
import {fetchStatus} from './status.ts';
import {resolveNode} from './resolve-node.ts';

interface RetireOptions {
	readonly force?: boolean;
	readonly yes?: boolean;
}

/** What an operator who forces a retirement answers for. */
const givenUp = (node: string): string =>
	[
		`You say that ${node} is off and will never come back. Given up with it:`,
		'- what was written through it and has not reached the servers that are left;',
		'- if it runs after all: what it takes from now on. It will be kept aside there, never merged.',
		'',
	].join('\n');

/** @throws HekafsError HEKAFS_USAGE without anybody to ask, HEKAFS_REFUSED when something else was typed */
const confirmForce = async (context: CommandContext, node: string): Promise<void> => {
	const {terminal, signal} = context;
	terminal.err(givenUp(node));
	const typed = await terminal.ask(`Type ${node} to go on: `, signal);
	if (typed === undefined)
		throw new HekafsError('HEKAFS_USAGE', '--force has to be confirmed, and nobody is here to be asked', {
			remedy: `In a script, after making sure that the machine is off: hfs_config retire ${node} --force --yes`,
		});
	if (typed.trim() !== node)
		throw new HekafsError('HEKAFS_REFUSED', `not confirmed: '${typed.trim()}' was typed, not '${node}'`, {
			remedy: 'Nothing was changed.',
		});
};

export const addRetire: AddCommand = (program, context) => {
	program
		.command('retire')
		.description('remove this node, or a named one that will never come back, from the config servers')
		.argument('[node]', 'UUID, the beginning of one, name or address (default: this node)')
		.option('--force', 'the machine is off for good: retire it although that can not be verified; asks first')
		.option('--yes', 'with --force: do not ask; for scripts')
		.addHelpText('after', '\nExample: a server whose disk has died\n  hfs_config retire node3.example.com')
		.action(
			context.ends(async (node: string | undefined, {force = false, yes = false}: RetireOptions) => {
				if (yes && !force)
					throw new HekafsError('HEKAFS_USAGE', '--yes answers what --force asks, and --force is not given', {
						remedy: 'See: hfs_config retire --help',
					});
				const request =
					node === undefined ? {} : {node: resolveNode(node, (await fetchStatus(context)).report)};
				if (force && !yes && node !== undefined) await confirmForce(context, node);
				await operate(context, '/v1/retire', {...request, force});
				return EXIT.ok;
			}),
		);
};
