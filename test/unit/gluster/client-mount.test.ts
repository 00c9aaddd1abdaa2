import test from 'ava';
import {clientArguments, type MountOptions} from '../../../src/gluster/client-mount.ts';

const OPTIONS: MountOptions = {
	volfile: '',
	directory: '/run/hekafs/gen/1',
	runDirectory: '/run/hekafs',
	name: 'gen-1',
	logFile: '/var/log/hekafs/gen-1.log',
};

test('the mount point stands last, cache times have defaults', t => {
	const args = clientArguments(OPTIONS);
	t.is(args.at(-1), '/run/hekafs/gen/1');
	t.true(args.includes('--attribute-timeout=0.2'));
	t.true(args.includes('--entry-timeout=0.2'));
	t.false(args.some(arg => arg.startsWith('--client-pid')));
});

test('options are passed on', t => {
	const args = clientArguments({...OPTIONS, attributeTimeoutS: 0, entryTimeoutS: 0.5, clientPid: -12});
	t.true(args.includes('--attribute-timeout=0'));
	t.true(args.includes('--entry-timeout=0.5'));
	t.true(args.includes('--client-pid=-12'));
});
