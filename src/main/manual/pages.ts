/** All manual pages as roff, by the name of their file. */
import {type Terminal} from '../commands/terminal.ts';
import {buildProgram} from '../commands/program.ts';
import {daemonCommand} from '../config.ts';
import {VERSION} from '../version.ts';
import {configPage, daemonPage} from './command-pages.ts';
import {overviewPage} from './filesystem-pages.ts';
import {commandModel, type CommandModel} from './model.ts';
import {toRoff, type Page} from './roff.ts';

const nowhere: Terminal = {
	out: () => undefined,
	err: () => undefined,
	outColours: false,
	outIsTerminal: false,
	errIsTerminal: false,
	errStream: process.stderr,
	ask: async () => Promise.resolve(undefined),
	width: 80,
};

/** The commands of hfs_config as its help shows them. */
export const configModel = (): CommandModel =>
	commandModel(buildProgram(nowhere, new AbortController().signal, () => undefined));

/** The flags of hekafsd as its help shows them. */
export const daemonModel = (): CommandModel => commandModel(daemonCommand());

export const pages = (): readonly Page[] => [
	daemonPage(daemonModel()),
	configPage(configModel()),
	overviewPage,
];

/** @returns file name → roff */
export const manualPages = (): ReadonlyMap<string, string> =>
	new Map(pages().map(page => [`${page.name}.${page.section}`, toRoff(page, VERSION)]));
