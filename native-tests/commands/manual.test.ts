/** The manual pages as man(1) shows them: rendered without a warning. A machine without man fails this test. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {manualPages} from '../../src/main/manual/pages.ts';
import {runCommand} from '../support/run-command.ts';

const pages = manualPages();

test('there are the pages of both programs and of the filesystem', t => {
	for (const name of ['hekafsd.8', 'hfs_config.8', 'hekafs.7']) t.true(pages.has(name), name);
});

for (const [name, roff] of pages) {
	test(`man shows ${name} without a warning`, async t => {
		const directory = await mkdtemp(join(tmpdir(), 'hekafs-man-'));
		t.teardown(async () => rm(directory, {recursive: true}));
		const file = join(directory, name);
		const render = async (source: string): Promise<{shown: string; warnings: string}> => {
			await writeFile(file, source);
			const {exitCode, stdout, stderr} = await runCommand(
				[],
				['man', '--warnings', '--local-file', '-E', 'UTF-8', '-Tutf8', file],
				{timeoutMs: 20_000},
			);
			t.is(exitCode, 0, stderr);
			return {shown: stdout, warnings: stderr};
		};
		const {shown, warnings} = await render(roff);
		t.is(warnings, '');
		t.regex(shown, /hekafs\(7\)|hekafsd\(8\)/);
		// The check itself: a request that does not exist is warned about.
		t.not((await render(`${roff}.nosuchrequest\n`)).warnings, '');
	});
}
