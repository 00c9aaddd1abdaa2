/** The Debian package: built, looked at by lintian, installed and lived with in a root directory of its own. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {repositoryPath} from '../support/programs.ts';
import {nativeTest} from '../support/requirements.ts';
import {runCommand} from '../support/run-command.ts';

/** Half a minute where nothing else runs. */
const BUILD_LIMIT_MS = 300_000;
const LINTIAN_LIMIT_MS = 240_000;
const SMOKE_LIMIT_MS = 240_000;

const script = (name: string): string => path.join(repositoryPath, 'scripts', name);

nativeTest(
	['root', 'fuse', 'gluster', 'namespaces', 'overlayfs', 'network', 'debhelper', 'lintian'],
	'the package is built, has no errors for lintian, and founds, upgrades, leaves and comes back',
	async t => {
		const built = await runCommand([], [script('package.sh')], {
			timeoutMs: BUILD_LIMIT_MS,
			env: {HEKAFS_DEB_COMPRESSION: '-Zgzip -z1'},
		});
		t.is(built.exitCode, 0, built.stderr);
		const deb = built.stdout.trim().split('\n').at(-1)!;
		t.log(`built in ${Math.round(built.elapsedMs / 1000)} s`);
		// lintian 2.116 leaves a file of its own in the directory for temporary files now and then.
		const temporary = mkdtempSync(path.join(tmpdir(), 'hekafs-lintian-'));
		t.teardown(() => rmSync(temporary, {recursive: true, force: true}));
		const checked = await runCommand([], ['lintian', '--fail-on', 'error', deb], {
			timeoutMs: LINTIAN_LIMIT_MS,
			env: {TMPDIR: temporary},
		});
		t.is(checked.exitCode, 0, checked.stdout);
		t.notRegex(checked.stdout, /^E:/m);
		const smoke = await runCommand([], [script('smoke-package.sh'), deb], {timeoutMs: SMOKE_LIMIT_MS});
		t.is(smoke.exitCode, 0, smoke.stdout + smoke.stderr);
		t.log(
			`${smoke.stdout.split('✔').length - 1} things are as they should be, in ${Math.round(smoke.elapsedMs / 1000)} s`,
		);
	},
);
