/** Rules on what may import what: folders (docs/ARCHITECTURE.md) and packages, each of which has its home. */
import {posix} from 'node:path';
import {importsOf, type SourceFile} from './tidy-source.ts';

/** Folder of src/ → what it may import besides itself. `main` may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
	errors: [],
	membership: ['errors'],
	volfile: ['membership', 'errors'],
	discovery: ['membership', 'errors'],
	posix: ['errors'],
	backing: ['posix', 'errors'],
	gluster: ['backing', 'posix', 'errors'],
	journal: ['membership', 'errors'],
	heal: ['membership', 'volfile', 'errors'],
	'fuse/wire': [],
	fuse: ['fuse/wire', 'posix', 'errors'],
	snapshot: ['posix', 'errors'],
	overlay: ['fuse', 'fuse/wire', 'journal', 'membership', 'posix', 'snapshot', 'errors'],
	http: ['membership', 'errors'],
};

/** Package → the files or folders of src/ that may import it. A package that is not listed may not be imported at all. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
	'cli-progress': ['src/main/commands/'],
	commander: ['src/main/'],
	debug: ['src/'],
	execa: ['src/gluster/command.ts'],
	leven: ['src/main/config-sources.ts'],
	'fast-xml-parser': ['src/discovery/peer-status.ts'],
	koffi: ['src/posix/libc.ts'],
	'lru-cache': ['src/discovery/', 'src/http/'],
	msgpackr: ['src/journal/'],
	'prom-client': ['src/main/metrics/text.ts'],
	zod: ['src/membership/', 'src/http/', 'src/main/'],
};

/** The folder that the table names for a file of src/: `fuse/wire` stands apart from `fuse`. */
const folderOf = (path: string): string => {
	const inside = path.replace(/^src\//, '');
	if (inside.startsWith('fuse/wire/')) return 'fuse/wire';
	return inside.includes('/') ? inside.split('/')[0]! : inside.replace(/\.ts$/, '');
};

/** Violations of the import directions, as sentences. */
export const wrongDirections = (file: SourceFile): string[] => {
	if (!file.path.startsWith('src/')) return [];
	const from = folderOf(file.path);
	if (from === 'main') return [];
	const allowed = MAY_IMPORT[from];
	if (allowed === undefined) return [`${file.path}: the folder ${from} has no row in the import table`];
	return importsOf(file)
		.filter(specifier => specifier.startsWith('.'))
		.map(specifier => posix.normalize(posix.join(posix.dirname(file.path), specifier)))
		.map(target => (target.startsWith('src/') ? folderOf(target) : target))
		.filter(to => to !== from && !allowed.includes(to))
		.map(to => `${file.path}: ${from} may not import ${to}`);
};

/** Packages imported outside their home. Node's own modules are free. */
export const strayPackages = (file: SourceFile): string[] => {
	if (!file.path.startsWith('src/')) return [];
	return importsOf(file)
		.filter(specifier => !specifier.startsWith('.') && !specifier.startsWith('node:'))
		.map(specifier => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'))
		.filter(name => !(HOMES[name] ?? []).some(home => file.path.startsWith(home)))
		.map(name => `${file.path}: ${name} may be imported in ${HOMES[name]?.join(', ') ?? 'no file'} only`);
};
