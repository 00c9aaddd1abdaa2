/** `hfs_config volfile` and `plan`: show what the daemon uses and what it would do, changing nothing. */
import {z} from 'zod';
import {EXIT, HekafsError} from '../../errors.ts';
import {toJsonText} from '../../http/answers.ts';
import {queryControl} from '../../http/control-client.ts';
import {type PlanView} from '../../http/control.ts';
import {cleanText, decodeJson} from '../../membership/decode.ts';
import {type AddCommand} from './context.ts';
import {painter, type Paint} from './terminal.ts';
import {wrap} from './text-table.ts';

const MAX_TEXT = 2000;
const MAX_PLAN_BYTES = 1024 * 1024;
const text = z.string().transform(value => cleanText(value, MAX_TEXT));
const planSchema: z.ZodType<PlanView> = z.object({
	summary: text,
	steps: z.array(z.object({name: text, text, why: text})),
});

/** The plan for people: a summary, then numbered steps with their reasons. Pure. */
export const planText = (plan: PlanView, paint: Paint, width: number): string =>
	[
		...wrap(plan.summary, width, ''),
		...plan.steps.flatMap(({name, text: what, why}, i) => [
			'',
			`${i + 1}. ${paint('bold', name)}`,
			...wrap(what, width, '   '),
			...wrap(`because: ${why}`, width, '   '),
		]),
		'',
	].join('\n');

export const addPlan: AddCommand = (program, context) => {
	program
		.command('plan')
		.description('show what hekafsd would do now and why, doing nothing')
		.option('--json', 'print it as JSON')
		.addHelpText('after', '\nExample: before a repair\n  hfs_config plan')
		.action(
			context.ends(async (options: {json?: boolean}) => {
				const socketPath = context.socketPath();
				const answer = await queryControl('/v1/plan', {socketPath, signal: context.signal});
				const decoded = decodeJson(Buffer.from(answer), planSchema, MAX_PLAN_BYTES);
				if (!decoded.ok)
					throw new HekafsError('HEKAFS_PEER_INVALID', `hekafsd's plan is not valid: ${decoded.problem}`, {
						remedy: 'Use the hfs_config of the same version as hekafsd.',
					});
				const {out, outColours, width} = context.terminal;
				out(options.json === true ? answer : planText(decoded.value, painter(outColours), width));
				return EXIT.ok;
			}),
		);
};

export const addVolfile: AddCommand = (program, context) => {
	program
		.command('volfile')
		.description('print the client volfile in use, for manual repair')
		.addHelpText(
			'after',
			'\nExample: mount the filesystem without hekafsd (bash)\n  glusterfs -f <(hfs_config volfile) /mnt',
		)
		.action(
			context.ends(async () => {
				const socketPath = context.socketPath();
				const volfile = await queryControl('/v1/volfile', {socketPath, signal: context.signal});
				context.terminal.out(context.json() ? toJsonText({volfile}) : volfile);
				return EXIT.ok;
			}),
		);
};
