/** The benchmark runs and checks what it measures; its figures are not looked at here. */
import {fileURLToPath} from 'node:url';
import {run} from '../support/child.ts';
import {nativeTest} from '../support/requirements.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

nativeTest(['root', 'fuse', 'gluster'], 'one round of the benchmark over GlusterFS', async t => {
	const operations = ['stat-absent', 'open-read', 'create', 'readdir'];
	const only = operations.flatMap(name => ['--only', name]);
	const args = ['--quick', '--milliseconds', '40', '--group', 'gluster', ...only];
	const {code, stdout, stderr} = await run(process.execPath, [PROGRAM, ...args], 100_000);
	t.is(code, 0, stderr);
	for (const name of operations)
		for (const row of ['GlusterFS A', 'GlusterFS B', 'overlay'])
			for (const clients of [1, 8]) t.regex(stdout, new RegExp(`^${name} ${clients} ${row}: [1-9]`, 'm'));
});
