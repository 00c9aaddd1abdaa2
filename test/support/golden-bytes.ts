/** Reads the byte fixtures in test/golden/fuse: hex, with a comment per field. */
import fs from 'node:fs';

const DIRECTORY = new URL('../../../test/golden/fuse/', import.meta.url);

export const goldenBytes = (name: string): Buffer => {
	const lines = fs.readFileSync(new URL(`${name}.txt`, DIRECTORY), 'utf8').split('\n');
	return Buffer.from(lines.map(line => line.replace(/#.*/, '').replaceAll(' ', '')).join(''), 'hex');
};
