/** The lab itself: hosts with their own disks and network, glusterd pools, cuts, power, and that nothing is left behind. */
import {existsSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import test from 'ava';
import {type Host} from '../support/lab-host.ts';
import {connectedPeers, Lab} from '../support/lab.ts';
import {LAB, nativeTest} from '../support/requirements.ts';
import {waitFor} from '../support/wait-for.ts';

const pings = async (from: Host, to: Host): Promise<boolean> =>
	// One TCP connection to a port without a listener: "refused" comes from the other host, silence does not.
	(
		await from.exec(['bash', '-c', 'exec 2>&1; (: </dev/tcp/$0/9) || true', to.address], {timeoutMs: 500})
	).stdout.includes('refused');

/** All namespaces of these kinds that some process of the machine is in. */
const namespacesInUse = (): Set<string> => {
	const found = new Set<string>();
	for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
		for (const kind of ['net', 'mnt', 'pid', 'uts', 'ipc']) {
			try {
				found.add(readlinkSync(`/proc/${pid}/ns/${kind}`));
			} catch {
				// The process ended while we looked.
			}
		}
	}
	return found;
};

nativeTest(
	LAB,
	'a host has its own /run, /etc, /srv and hostname, and the machine is not touched',
	async t => {
		await using lab = await Lab.up(1);
		const h1 = lab.host(1);
		t.is((await h1.run(['hostname'])).trim(), 'h1');
		for (const directory of ['/run', '/etc/hekafs', '/srv', '/var/lib/hekafs', '/var/log/hekafs', '/mnt']) {
			await h1.writeFile(`${directory}/of-the-lab`, 'private\n');
			t.is(await h1.readFile(`${directory}/of-the-lab`), 'private\n');
			t.false(existsSync(`${directory}/of-the-lab`), directory);
		}
		t.regex(await h1.readFile('/etc/passwd'), /^root:/m);
	},
);

nativeTest(
	LAB,
	'exec reports exit code, output and time-out; nothing of a timed-out command stays',
	async t => {
		await using lab = await Lab.up(1);
		const h1 = lab.host(1);
		const failed = await h1.exec(['sh', '-c', 'cat; echo wrong >&2; exit 3'], {input: 'given'});
		t.like(failed, {exitCode: 3, stdout: 'given', stderr: 'wrong\n', timedOut: false});
		const late = await h1.exec(['sh', '-c', 'sleep 4321 & sleep 4321'], {timeoutMs: 300});
		t.like(late, {exitCode: null, timedOut: true});
		t.true(late.elapsedMs < 2000);
		t.deepEqual(h1.processes('sleep 4321'), []);
		await t.throwsAsync(h1.run(['false']), {message: /^false: exit code 1/});
	},
);

nativeTest(
	LAB,
	'a spawned process has numbers inside and outside, and can be stopped, continued and killed',
	async t => {
		await using lab = await Lab.up(1);
		const h1 = lab.host(1);
		await using ticker = await h1.spawn(['sh', '-c', 'echo started; exec sleep 4321']);
		await ticker.waitForOutput(/started/, {deadlineMs: 5000});
		const seen = await waitFor(() => h1.processes('sleep 4321')[0], {deadlineMs: 5000, what: 'sleep runs'});
		t.is(seen.pid, ticker.pid);
		t.is(seen.outsidePid, ticker.outsidePid);
		t.not(ticker.pid, ticker.outsidePid);
		const inState = (state: string): Promise<unknown> =>
			waitFor(() => h1.processes('sleep 4321')[0]?.state === state, {
				deadlineMs: 5000,
				what: `state ${state}`,
			});
		h1.stop(ticker.pid);
		await inState('T');
		h1.cont(ticker.pid);
		await inState('S');
		t.true(ticker.running());
		h1.kill(ticker.pid);
		await ticker.exited;
		t.false(ticker.running());
		t.throws(() => h1.kill(ticker.pid), {message: /no process/});
	},
);

nativeTest(LAB, 'init reaps the orphans of daemons', async t => {
	await using lab = await Lab.up(1);
	const h1 = lab.host(1);
	await h1.shell('(sleep 0.1 &) ; (sh -c "exit 3" &)');
	await waitFor(
		() => h1.processes().every(({state}) => state !== 'Z') && h1.processes('sleep 0.1').length === 0,
		{
			deadlineMs: 5000,
			what: 'no zombie is left',
		},
	);
	t.pass();
});

nativeTest(LAB, 'cut silences one pair, partition one host, healNet undoes both', async t => {
	await using lab = await Lab.up(3);
	const [h1, h2, h3] = [lab.host(1), lab.host(2), lab.host(3)];
	const reach = async (): Promise<boolean[]> => [
		await pings(h1, h2),
		await pings(h2, h3),
		await pings(h3, h1),
	];
	t.deepEqual(await reach(), [true, true, true]);
	await h1.cut(h2);
	t.deepEqual(await reach(), [false, true, true]);
	await lab.healNet();
	t.deepEqual(await reach(), [true, true, true]);
	await h3.partition();
	t.deepEqual(await reach(), [true, false, false]);
	await lab.healNet();
	t.deepEqual(await reach(), [true, true, true]);
});

nativeTest(
	LAB,
	'power-off ends all processes and keeps the disks; power-on brings the host back',
	async t => {
		await using lab = await Lab.up(2);
		const [h1, h2] = [lab.host(1), lab.host(2)];
		await h2.writeFile('/srv/kept', 'on disk');
		await h2.writeFile('/run/lost', 'in memory');
		await using sleeper = await h2.spawn(['sleep', '4321']);
		await h2.powerOff();
		t.false(sleeper.running() && (await pings(h1, h2)));
		t.throws(() => h2.namespaces, {message: /h2 is off/});
		await h2.powerOn();
		t.is(await h2.readFile('/srv/kept'), 'on disk');
		t.false(await h2.exists('/run/lost'));
		t.true(await pings(h1, h2));
	},
);

nativeTest(LAB, 'two labs run side by side', async t => {
	const labs = await Promise.all([Lab.up(2), Lab.up(2)]);
	await using one = labs[0];
	await using two = labs[1];
	t.not(one.directory, two.directory);
	t.true(await pings(one.host(1), one.host(2)));
	t.true(await pings(two.host(1), two.host(2)));
});

nativeTest(
	[...LAB, 'gluster'],
	'three glusterds see each other; a host that loses its power is seen to go and to come back',
	async t => {
		await using lab = await Lab.up(3, {glusterd: true});
		const [h1, , h3] = [lab.host(1), lab.host(2), lab.host(3)];
		for (const host of lab.hosts) {
			t.is(await connectedPeers(host), 2);
			const pool = await host.run(['gluster', '--mode=script', 'pool', 'list']);
			for (const other of lab.hosts) if (other !== host) t.regex(pool, new RegExp(`\\t${other.name}\\s`));
		}
		await h3.powerOff();
		await h3.powerOn();
		await h3.startGlusterd();
		const connected = async (): Promise<boolean> =>
			(await connectedPeers(h1)) + (await connectedPeers(h3)) === 4;
		await waitFor(connected, {deadlineMs: 60_000, what: 'h3 is back in the pool', intervalMs: 200});
		t.pass();
	},
);

test.serial('disposal leaves no process, namespace, mount or file', async t => {
	if (process.getuid?.() !== 0) {
		t.log('not root: no lab can be made, so there is nothing to leave');
		t.pass();
		return;
	}
	const before = namespacesInUse();
	let directory: string;
	let made: Set<string>;
	{
		await using lab = await Lab.up(2);
		({directory} = lab);
		await using daemon = await lab.host(1).spawn(['setsid', 'sleep', '4321']);
		t.true(daemon.running());
		await lab.host(1).run(['mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
		made = new Set([...namespacesInUse()].filter(name => !before.has(name)));
		t.true(made.size >= 15);
	}
	const after = namespacesInUse();
	const ours = [...made].filter(name => after.has(name));
	t.deepEqual(ours, []);
	t.false(existsSync(directory));
	// Of the lab itself: others may mount what they like meanwhile; run-tests looks at the whole machine.
	t.false(readFileSync('/proc/self/mounts', 'utf8').includes(directory));
});
