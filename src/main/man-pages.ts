/** Writes the manual pages into a directory: `node dist/src/main/man-pages.js DIR`. Part of the build. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {EXIT} from '../errors.ts';
import {manualPages} from './manual/pages.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) {
	process.stderr.write('Usage: man-pages.js DIR\n');
	process.exitCode = EXIT.usage;
} else {
	mkdirSync(directory, {recursive: true});
	for (const [name, roff] of manualPages()) writeFileSync(join(directory, name), roff);
}
