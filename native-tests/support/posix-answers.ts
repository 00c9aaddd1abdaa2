/** Asks two directories the same questions (posix-answers.py) and says where their answers differ. */
import {fileURLToPath} from 'node:url';

// From dist/native-tests/support/ to the source.
const source = (name: string): string =>
	fileURLToPath(new URL(`../../../native-tests/support/${name}`, import.meta.url));

/** The questions, a Python program. */
export const ANSWERS_PROGRAM = source('posix-answers.py');
/** Changes a file at random and compares it with a model. */
export const RANDOM_FILES_PROGRAM = source('random-files.py');

/** What each question's answer was, as `posix-answers.py` prints it. */
export type Answers = Readonly<Record<string, unknown>>;

/** @returns one line for each question that the two answer differently */
export const differences = (expected: Answers, found: Answers): string[] =>
	[...new Set([...Object.keys(expected), ...Object.keys(found)])].flatMap(name => {
		const [wanted, got] = [JSON.stringify(expected[name]), JSON.stringify(found[name])];
		return wanted === got ? [] : [`${name}:\n  expected ${wanted}\n  found    ${got}`];
	});

/** Questions whose answer is that the program itself failed. */
export const broken = (answers: Answers): string[] =>
	Object.entries(answers).flatMap(([name, answer]) =>
		typeof answer === 'string' && /^[A-Z]\w+(Error|Exit|Interrupt): /.test(answer)
			? [`${name}: ${answer}`]
			: [],
	);
