/** Asks two directories the same questions (posix-answers.py) and says where their answers differ. */
import {fileURLToPath} from 'node:url';

/** The questions, a Python program: from dist/native-tests/support/ to the source. */
export const ANSWERS_PROGRAM = fileURLToPath(
	new URL('../../../native-tests/support/posix-answers.py', import.meta.url),
);

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
