/** Turns what commander says about wrong arguments into our kind of error: what is wrong, and what to do. */
import {type CommanderError} from 'commander';
import {HekafsError} from '../errors.ts';

/** @param help the command that lists what is allowed */
export const usageErrorOf = (error: CommanderError, help: string): HekafsError => {
	const suggestion = /\n\(?(Did you mean .*\?)\)?$/s.exec(error.message);
	const [whole, question] = suggestion ?? ['', undefined];
	const text = error.message
		.slice(0, error.message.length - whole.length)
		.replace(/^error: /, '')
		// A value on the command line may hold anything.
		.replaceAll(/\p{Cc}/gu, ' ');
	// "option '--x <y>' argument 'v' is invalid. What is allowed."
	const invalid = /^(.* is invalid)\. (.*)$/.exec(text);
	const advice = question ?? invalid?.[2];
	return new HekafsError('HEKAFS_USAGE', (invalid?.[1] ?? text).replace(/\.$/, ''), {
		remedy: [...(advice === undefined ? [] : [advice]), `See: ${help}`].join(' '),
	});
};
