/** Where the built programs are, as native tests start them. */
import {fileURLToPath} from 'node:url';

// This file runs as dist/native-tests/support/programs.js.
const built = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

export const hekafsdPath = built('main/hekafsd.js');
export const hfsConfigPath = built('main/hfs-config.js');
/** Root of the clone. */
export const repositoryPath = fileURLToPath(new URL('../../../', import.meta.url));
export const crashWriterPath = fileURLToPath(new URL('./crash-writer.js', import.meta.url));
/** A program of the tests: see native-tests/support/writer.ts. */
export const writerPath = fileURLToPath(new URL('./writer.js', import.meta.url));
