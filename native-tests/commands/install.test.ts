/** The installation of packages and modules (`scripts/install.sh`), with stand-ins for dpkg-query, apt-cache, apt-get and npm. */
import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {repositoryPath} from '../support/programs.ts';
import {nativeTest} from '../support/requirements.ts';
import {runCommand, type CommandResult} from '../support/run-command.ts';

interface Sandbox extends AsyncDisposable {
	readonly directory: string;
	/** Runs bash text after scripts/install.sh was read, with the stand-ins first in PATH. */
	bash(text: string): Promise<CommandResult>;
	/** The commands that the stand-ins were called with, one a line. */
	calls(): Promise<string>;
}

/** Stand-ins by program name: the text of a shell script in which `$log` is where calls are noted. */
const sandbox = async (standIns: Readonly<Record<string, string>>): Promise<Sandbox> => {
	const directory = await mkdtemp(join(tmpdir(), 'hekafs-install-'));
	await mkdir(join(directory, 'bin'));
	const log = join(directory, 'calls');
	await writeFile(log, '');
	for (const [name, text] of Object.entries(standIns)) {
		const path = join(directory, 'bin', name);
		await writeFile(path, `#!/bin/sh\nlog=${log}\necho "${name} $*" >>"$log"\n${text}\n`);
		await chmod(path, 0o755);
	}
	const script = join(repositoryPath, 'scripts/install.sh');
	return {
		directory,
		bash: text =>
			runCommand([], ['bash', '-c', `set -u; root=${directory}; . ${script}; ${text}`], {
				env: {PATH: `${directory}/bin:${process.env['PATH'] ?? ''}`},
			}),
		calls: async () => readFile(log, 'utf8'),
		[Symbol.asyncDispose]: async () => rm(directory, {recursive: true}),
	};
};

const ATTR_MISSING = 'case "$*" in *" attr") echo not-installed; exit 1 ;; *) printf installed ;; esac';
const KNOWN = 'echo "  Candidate: 1.2"';

nativeTest([], 'versions are compared as numbers', async t => {
	await using box = await sandbox({});
	const answers =
		'at_least v20.19.0 20.19 && at_least v22.1.0 20.19 && ! at_least v20.9.0 20.19 && ! at_least v18.20.1 20.19';
	t.is((await box.bash(answers)).exitCode, 0);
});

nativeTest(
	['root'],
	'only the missing package is installed, and the lists are not fetched when apt knows it',
	async t => {
		await using box = await sandbox({'dpkg-query': ATTR_MISSING, 'apt-cache': KNOWN, 'apt-get': ''});
		const result = await box.bash('install_packages; echo "installed: $installed_packages"');
		t.is(result.stdout, 'installing attr\ninstalled: attr\n');
		const calls = (await box.calls()).split('\n').filter(line => line.startsWith('apt-get'));
		t.deepEqual(calls, ['apt-get install -y -q --no-install-recommends attr']);
	},
);

nativeTest(['root'], 'nothing is called when nothing is missing', async t => {
	await using box = await sandbox({'dpkg-query': 'printf installed', 'apt-cache': KNOWN, 'apt-get': ''});
	t.is((await box.bash('install_packages')).stdout, '');
	t.notRegex(await box.calls(), /apt-/);
});

nativeTest(
	['root'],
	'the lists are fetched when apt does not know a package, and again when they are too old',
	async t => {
		await using unknown = await sandbox({
			'dpkg-query': ATTR_MISSING,
			'apt-cache': 'echo "  Candidate: (none)"',
			'apt-get': '',
		});
		t.is((await unknown.bash('install_packages')).exitCode, 0);
		t.regex(await unknown.calls(), /apt-get update -q\napt-get install/);
		await using stale = await sandbox({
			'dpkg-query': ATTR_MISSING,
			'apt-cache': KNOWN,
			'apt-get': '[ "$1" = update ] || [ "$(grep -c "apt-get install" "$log")" = 2 ]',
		});
		t.is((await stale.bash('install_packages')).exitCode, 0);
		t.regex(await stale.calls(), /apt-get install[^\n]*\napt-get update -q\napt-get install/);
	},
);

nativeTest(['root'], 'an installation that fails says what and what to do', async t => {
	await using box = await sandbox({'dpkg-query': ATTR_MISSING, 'apt-cache': KNOWN, 'apt-get': 'exit 100'});
	const result = await box.bash('install_packages');
	t.is(result.exitCode, 7);
	t.regex(result.stderr, /could not install attr\n {2}\S.*apt-get install attr/);
});

nativeTest(
	[],
	'npm ci runs when a module of package-lock.json is missing or another version, and only then',
	async t => {
		// npm notes what it installed in a lock file of its own, without what this machine can't use.
		await using box = await sandbox({
			npm: `mkdir -p node_modules && sed 's/"other-system"/"nowhere"/' package-lock.json >node_modules/.package-lock.json`,
		});
		const lock = (version: string): Promise<void> =>
			writeFile(
				join(box.directory, 'package-lock.json'),
				JSON.stringify({
					packages: {
						'': {version: '1.0.0'},
						'node_modules/a': {version},
						'other-system': {version, optional: true},
					},
				}),
			);
		const runs = async (): Promise<number> => {
			t.is((await box.bash('install_modules')).exitCode, 0);
			return (await box.calls()).split('npm ci').length - 1;
		};
		await lock('1.0.0');
		t.is(await runs(), 1);
		t.is(await runs(), 1);
		await lock('1.0.1');
		t.is(await runs(), 2);
		t.is(await runs(), 2);
	},
);

nativeTest([], 'compiled files without a source are removed before a build', async t => {
	await using box = await sandbox({npm: 'mkdir -p dist'});
	await mkdir(join(box.directory, 'src'));
	await mkdir(join(box.directory, 'dist/src'), {recursive: true});
	await writeFile(join(box.directory, 'src/kept.ts'), '');
	for (const name of ['kept', 'gone']) await writeFile(join(box.directory, `dist/src/${name}.js`), '');
	t.is((await box.bash('build')).exitCode, 0);
	t.is((await runCommand([], ['ls', join(box.directory, 'dist/src')])).stdout, 'kept.js\n');
	const calls = await box.calls();
	t.is((await box.bash('build')).exitCode, 0);
	t.is(await box.calls(), calls, 'a build that is current is not repeated');
});
