import test from 'ava';
import {discover, type DiscoverOptions} from '../../../src/discovery/discover.ts';
import {errorMessage} from '../../../src/discovery/error-message.ts';
import {type PeerToAsk} from '../../../src/discovery/peer-http.ts';
import {ReportCache} from '../../../src/discovery/report-cache.ts';
import {HekafsError} from '../../../src/errors.ts';
import {type PeerAnswer} from '../../../src/membership/peer-answer.ts';
import {answerOf, silent} from '../../support/observations.ts';
import {reportOf, setOf, uuidOf} from '../../support/sets.ts';

const {signal} = new AbortController();
const xml = (...numbers: readonly number[]): string =>
	`<cliOutput><opRet>0</opRet><peerStatus>${numbers
		.map(n => `<peer><uuid>${uuidOf(n)}</uuid><hostname>h${n}</hostname><connected>1</connected></peer>`)
		.join('')}</peerStatus></cliOutput>`;
const optionsOf = (stdout: string, ask: (peer: PeerToAsk) => PeerAnswer): DiscoverOptions => ({
	self: uuidOf(1),
	port: 8080,
	run: async (program, args) => {
		if (program !== 'gluster' || !args.includes('--xml')) throw new Error('another program');
		return Promise.resolve({exitCode: 0, stdout, stderr: ''});
	},
	ask: async peer => Promise.resolve(ask(peer)),
});

test('members and what each of them says; never oneself', async t => {
	const asked: PeerToAsk[] = [];
	const set = setOf(1, [2]);
	const found = await discover(
		optionsOf(xml(1, 2, 3), peer => {
			asked.push(peer);
			return peer.uuid === uuidOf(2) ? answerOf(2, set) : silent;
		}),
		{signal},
	);
	t.deepEqual(
		found.members?.map(m => m.uuid),
		[uuidOf(2), uuidOf(3)],
	);
	t.is(found.problem, undefined);
	t.deepEqual(asked, [
		{uuid: uuidOf(2), addresses: ['h2'], port: 8080},
		{uuid: uuidOf(3), addresses: ['h3'], port: 8080},
	]);
	t.deepEqual(
		[...found.answers],
		[
			[uuidOf(2), answerOf(2, set)],
			[uuidOf(3), silent],
		],
	);
});

test('all at once: one that takes its time holds nobody up', async t => {
	const order: string[] = [];
	let release: (answer: PeerAnswer) => void;
	const slow = new Promise<PeerAnswer>(resolve => (release = resolve));
	const found = await discover(
		{
			...optionsOf(xml(2, 3), () => silent),
			ask: async peer => {
				order.push(peer.addresses[0]!);
				if (peer.uuid === uuidOf(2)) return slow;
				release(silent);
				return silent;
			},
		},
		{signal},
	);
	t.deepEqual(order, ['h2', 'h3']);
	t.is(found.answers.size, 2);
});

test('glusterd down or missing: members unknown, known servers are asked all the same', async t => {
	const alsoAsk = [
		{uuid: uuidOf(1), addresses: ['h1']},
		{uuid: uuidOf(2), addresses: ['h2']},
	];
	const down = await discover(
		{
			...optionsOf('', () => silent),
			alsoAsk,
			run: async () => Promise.resolve({exitCode: 1, stdout: 'Connection failed.', stderr: ''}),
		},
		{signal},
	);
	t.like(down, {members: null, problem: 'gluster peer status: Connection failed.'});
	t.deepEqual([...down.answers.keys()], [uuidOf(2)]);
	const missing = await discover(
		{
			...optionsOf('', () => silent),
			run: async () =>
				Promise.reject(new HekafsError('HEKAFS_PROGRAM_MISSING', 'The program gluster is not installed')),
		},
		{signal},
	);
	t.like(missing, {members: null, problem: 'The program gluster is not installed'});
});

test('a server that glusterd lists too is asked at all its names', async t => {
	const asked: PeerToAsk[] = [];
	await discover(
		{
			...optionsOf(xml(2), peer => {
				asked.push(peer);
				return silent;
			}),
			alsoAsk: [{uuid: uuidOf(2), addresses: ['10.0.0.2', 'h2']}],
		},
		{signal},
	);
	t.deepEqual(asked[0]?.addresses, ['h2', '10.0.0.2']);
});

test('the cache keeps the last reports with their age, and not without end', async t => {
	let now = 100;
	const cache = new ReportCache(() => now, 2);
	await discover({...optionsOf(xml(2), () => answerOf(2, null)), cache}, {signal});
	now = 350;
	t.deepEqual(cache.last(uuidOf(2)), {report: reportOf(2, null), ageMs: 250});
	t.is(cache.last(uuidOf(3)), undefined);
	cache.put(reportOf(3, null));
	cache.put(reportOf(4, null));
	t.is(cache.last(uuidOf(2)), undefined);
	const byClock = new ReportCache();
	byClock.put(reportOf(2, null));
	t.true(byClock.last(uuidOf(2))!.ageMs >= 0);
});

test('error messages', t => {
	t.is(errorMessage('text'), 'text');
	t.is(errorMessage(new Error('a')), 'a');
	t.is(errorMessage(new TypeError('fetch failed', {cause: new Error('refused')})), 'refused');
	const both = new AggregateError([new Error('v6'), new Error('v4')]);
	t.is(errorMessage(new TypeError('fetch failed', {cause: both})), 'v4');
});
