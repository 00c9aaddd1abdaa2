import test from 'ava';
import {type ClusterObservation, describeStep, type PlanResult, type Step} from '../../../src/heal/plan.ts';
import {planFound} from '../../../src/heal/plan-found.ts';
import {planJoin} from '../../../src/heal/plan-join.ts';
import {planRetire} from '../../../src/heal/plan-retire.ts';
import {planServe} from '../../../src/heal/plan-serve.ts';
import {reasonFor} from '../../../src/membership/reasons.ts';
import {setIdOf} from '../../../src/membership/server-set.ts';
import {answerOf, observationOf, silent, stateOf, withAnswers} from '../../support/observations.ts';
import {
	filesystemOf,
	firstAttempt,
	FS,
	NOW,
	recordOf,
	serverOf,
	setOf,
	uuidOf,
	uuids,
} from '../../support/sets.ts';

const steps = (result: PlanResult): readonly Step['kind'][] | string =>
	result.kind === 'plan' ? result.steps.map(s => s.kind) : result.message;
const refusal = (result: PlanResult): string =>
	result.kind === 'refused' ? `${result.code}: ${result.message} | ${result.remedy}` : 'planned';

const request = {newFilesystemId: FS, found: false};
const unknown = {kind: 'unknown', reasons: [reasonFor.markersUnreadable('ENOTCONN')]} as const;

// — found —

test('found: the first server, nobody else has one', t => {
	const result = planFound(observationOf(1, null), request);
	t.deepEqual(steps(result), [
		'prepareBrick',
		'startBrick',
		'mountMaintenance',
		'writeSecret',
		'writeRecord',
		'writeMarker',
		'adopt',
	]);
	if (result.kind !== 'plan') return;
	t.deepEqual(result.to, setOf(1, [1]));
	t.is(result.from, undefined);
	t.like(result.steps[1], {setId: setIdOf(setOf(1, [1]))});
	t.like(result.steps[4], {record: recordOf(setOf(1, [1]))});
	t.like(result.steps[5], {marker: {...serverOf(1), since: 1, filesystemId: FS}});
	t.regex(result.warnings[0]!, /only copy/);
});

test('found: refused while a member can’t be asked, unless the operator says so', t => {
	for (const answer of [silent, {kind: 'invalid', problem: 'not JSON', address: 'h3'} as const, undefined]) {
		const o = withAnswers(observationOf(1, null), [3, answer]);
		t.regex(refusal(planFound(o, request)), /^HEKAFS_REFUSED.*can't be asked: h3 .*--found/);
		t.is(planFound(o, {...request, found: true}).kind, 'plan');
	}
});

test('found: a peer without a UUID counts as one that can’t be asked', t => {
	const o = {...observationOf(1, null), unidentified: ['h9']};
	t.regex(refusal(planFound(o, request)), /can't be asked: h9/);
});

test('found: refused while the members are not known, unless the operator says so', t => {
	const o: ClusterObservation = {...observationOf(1, null), members: null, answers: new Map()};
	t.regex(refusal(planFound(o, request)), /members .* not known.*gluster peer status.*--found/);
	t.is(planFound(o, {...request, found: true}).kind, 'plan');
});

test('found: refused where there is a filesystem, whatever the operator says', t => {
	const o = withAnswers(observationOf(1, null), [2, answerOf(2, setOf(1, [2]))]);
	t.regex(refusal(planFound(o, {...request, found: true})), /already: node h2 .*joins it/);
	t.regex(refusal(planFound(observationOf(1, setOf(1, [1])), request)), /is a config server already/);
	t.regex(refusal(planFound(observationOf(4, setOf(1, [1])), request)), new RegExp(`belongs to .* ${FS}`));
	const noState = {...observationOf(4, setOf(1, [1])), state: undefined};
	t.regex(refusal(planFound(noState, request)), /belongs to the config filesystem that it has mounted/);
});

test('found: one that was cut off begins anew under the same id', t => {
	const o = {...observationOf(1, null), state: {...stateOf(1, setOf(1, [1])), founding: true}};
	const result = planServe(o, {newFilesystemId: filesystemOf(9), found: false});
	t.is(result.kind, 'plan');
	if (result.kind === 'plan') t.deepEqual(result.to, setOf(1, [1]));
});

// — join —

test('join: a third server', t => {
	const result = planJoin(observationOf(3, setOf(4, [1, 2])));
	t.deepEqual(steps(result), [
		'lock',
		'requireHealthy',
		'writeChange',
		'closeGate',
		'tellMembersSwitching',
		'prepareBrick',
		'prepareServers',
		'startBricks',
		'requireHealed',
		'startBrick',
		'markNewBrick',
		'mountMaintenance',
		'decide',
		'writeRecord',
		'writeMarker',
		'removeChange',
		'adopt',
		'tellMembersAdopt',
		'unlock',
		'waitHealed',
	]);
	if (result.kind !== 'plan') return;
	t.deepEqual([result.from, result.to], [setOf(4, [1, 2]), setOf(5, [1, 2, 3], FS, firstAttempt(3))]);
	t.deepEqual(result.warnings, []);
	const [, , change, , tell, , prepare, start, healed, brick, , , decide, , marker] = result.steps;
	t.like(result.change, {forced: false, by: uuidOf(3)});
	t.like(change, {change: {kind: 'join', subject: uuidOf(3), by: uuidOf(3), startedAt: NOW}});
	t.deepEqual(tell, {kind: 'tellMembersSwitching', members: [uuidOf(1), uuidOf(2), uuidOf(4)]});
	const servers = [uuidOf(1), uuidOf(2)];
	t.deepEqual(prepare, {kind: 'prepareServers', servers});
	t.deepEqual(start, {kind: 'startBricks', servers});
	t.deepEqual(healed, {kind: 'requireHealed', servers});
	t.deepEqual(decide, {kind: 'decide', servers});
	t.deepEqual(brick, {kind: 'startBrick', setId: setIdOf(result.to)});
	t.like(marker, {marker: {uuid: uuidOf(3), since: 5}});
});

test('join: who joins stands last, whatever its UUID: an empty brick breaks no ties; two are warned about', t => {
	const result = planJoin(observationOf(1, setOf(1, [2])));
	t.is(result.kind, 'plan');
	if (result.kind !== 'plan') return;
	t.is(result.to.servers[0]!.uuid, uuidOf(2));
	t.regex(result.warnings[0]!, /^Two config servers: without h2 /);
});

test('join: an attempt above all that anybody knows to be over', t => {
	const o = observationOf(3, setOf(4, [1, 2]));
	const closed = firstAttempt(9);
	const result = planJoin(withAnswers(o, [2, answerOf(2, setOf(4, [1, 2]), {closed})]));
	if (result.kind !== 'plan') return t.fail();
	t.true(result.to.attempt > closed);
	return t.not(setIdOf(result.to), setIdOf(setOf(5, [1, 2, 3], FS, firstAttempt(3))));
});

test('join: four survive no more than three', t => {
	const result = planJoin(observationOf(4, setOf(1, [1, 2, 3])));
	t.regex(result.kind === 'plan' ? result.warnings[0]! : '', /^4 config servers/);
});

test('join: who doesn’t answer isn’t waited for, if it isn’t a server', t => {
	const result = planJoin(withAnswers(observationOf(3, setOf(1, [1, 2])), [4, silent]));
	t.is(result.kind, 'plan');
	if (result.kind === 'plan') t.like(result.steps[4], {members: [uuidOf(1), uuidOf(2)]});
});

const joining = observationOf(3, setOf(2, [1, 2]));
const refusedJoins: ReadonlyArray<readonly [string, ClusterObservation, RegExp]> = [
	['nothing mounted', {...joining, verdict: undefined}, /not mounted.*status/],
	['not verified', {...joining, verdict: unknown}, /only while it is verified: .*ENOTCONN/],
	['a server already', observationOf(2, setOf(2, [1, 2])), /is a config server already/],
	['a server down', {...joining, up: uuids(1)}, /h2 .* is down.*hfs_config retire 0/],
	['a server’s hekafsd down', withAnswers(joining, [2, silent]), /UNREACHABLE.*h2 .*connection refused/],
	['a server that is no member', withAnswers(joining, [2, undefined]), /h2 .*not among the members/],
	['heals pending', {...joining, heals: {pending: 2, splitBrain: 0}}, /^HEKAFS_BUSY: 2 heals/],
	['split brain', {...joining, heals: {pending: 2, splitBrain: 1}}, /^HEKAFS_REFUSED: 1 files/],
	['members unknown', {...joining, members: null}, /members .* not known.*gluster peer status/],
	[
		'an old brick in the way',
		{...joining, state: {...stateOf(1, setOf(1, [1]))}},
		/^HEKAFS_BUSY.*moved aside/,
	],
	[
		'servers that don’t know it',
		withAnswers(
			joining,
			[1, answerOf(1, setOf(2, [1, 2]), {members: []})],
			[2, answerOf(2, setOf(2, [1, 2]), {members: []})],
		),
		/knows this node .*gluster peer probe h3/,
	],
	[
		'a second filesystem',
		withAnswers(joining, [4, answerOf(4, setOf(1, [4], filesystemOf(2)))]),
		/node h4 .*Two config filesystems/,
	],
	[
		'sixteen already',
		observationOf(
			20,
			setOf(
				1,
				[...Array(16).keys()].map(i => i + 1),
			),
		),
		/16 config servers/,
	],
];
for (const [name, o, expected] of refusedJoins)
	test(`join refused: ${name}`, t => t.regex(refusal(planJoin(o)), expected));

test('join: heals that could not be counted are left to the look under the lock', t => {
	t.is(planJoin({...joining, heals: null}).kind, 'plan');
});

test('serve founds or joins', t => {
	t.is(planServe(observationOf(1, null), request).kind, 'plan');
	t.is(steps(planServe(joining, request))[0], 'lock');
	// It belongs to a filesystem that it has not mounted: never a second one.
	t.regex(refusal(planServe({...joining, verdict: undefined}, {...request, found: true})), /only while/);
});

// — retire —

const three = setOf(3, [1, 2, 3]);
const retire = (o: ClusterObservation, n: number, force = false): PlanResult =>
	planRetire(o, {subject: uuidOf(n), force});

test('retire: this node, alive', t => {
	const result = retire(observationOf(2, three), 2);
	t.deepEqual(steps(result), [
		'lock',
		'requireHealthy',
		'writeChange',
		'closeGate',
		'tellMembersSwitching',
		'prepareServers',
		'startBricks',
		'requireHealed',
		'mountMaintenance',
		'decide',
		'writeRecord',
		'removeMarker',
		'removeChange',
		'setBrickAside',
		'adopt',
		'tellMembersAdopt',
		'unlock',
	]);
	if (result.kind !== 'plan') return;
	t.deepEqual(result.to, setOf(4, [1, 3], FS, firstAttempt(2)));
	t.deepEqual(result.steps[1], {kind: 'requireHealthy', except: undefined});
	t.like(result.steps[2], {change: {kind: 'retire', subject: uuidOf(2), by: uuidOf(2)}});
	t.deepEqual(result.steps[5], {kind: 'prepareServers', servers: [uuidOf(1), uuidOf(2), uuidOf(3)]});
	t.deepEqual(result.steps[6], {kind: 'startBricks', servers: [uuidOf(1), uuidOf(2), uuidOf(3)]});
	t.like(result.steps[13], {directory: `/var/lib/hekafs/bricks/${setIdOf(three)}`});
	t.regex(result.warnings[0]!, /^Two/);
});

test('retire: this node without a brick has none to put aside', t => {
	const o = observationOf(2, three);
	const result = retire({...o, state: {...o.state!, brick: null}}, 2);
	t.false(steps(result).includes('setBrickAside'));
});

test('retire: a dead one, from a server and from another member', t => {
	for (const n of [1, 4]) {
		const o = withAnswers({...observationOf(n, three), up: uuids(1, 2), heals: {pending: 9, splitBrain: 0}}, [
			3,
			silent,
		]);
		const result = retire(o, 3);
		t.is(result.kind, 'plan', refusal(result));
		if (result.kind !== 'plan') continue;
		t.deepEqual(result.steps[1], {kind: 'requireHealthy', except: uuidOf(3)});
		t.like(result.steps[5], {servers: [uuidOf(1), uuidOf(2)]});
		t.false(steps(result).includes('setBrickAside'));
	}
});

test('retire: the dead second of two, while the first has quorum', t => {
	const o = withAnswers({...observationOf(1, setOf(2, [1, 2])), up: uuids(1)}, [2, silent]);
	const result = retire(o, 2);
	t.is(result.kind, 'plan', refusal(result));
	if (result.kind === 'plan') t.deepEqual(result.to, setOf(3, [1], FS, firstAttempt(1)));
});

const gone = withAnswers({...observationOf(1, three), up: uuids(1, 2)}, [3, silent]);
const refusedRetirements: ReadonlyArray<readonly [string, ClusterObservation, number, RegExp]> = [
	['the last server', observationOf(1, setOf(5, [1])), 1, /last config server.*hfs_config serve/],
	['a node that is none', observationOf(1, three), 4, /h4 .*is not a config server.*h1 .*h2 .*h3 /],
	['a node that nobody knows', observationOf(1, three), 9, /^HEKAFS_REFUSED: 00000009.* h1 /],
	['a live one: brick and hekafsd', observationOf(1, three), 2, /alive \(its brick is up\).*on that node/],
	['a live one: only hekafsd', {...observationOf(1, three), up: uuids(1, 3)}, 2, /its hekafsd answers/],
	['a live one: only the brick', withAnswers(observationOf(1, three), [2, silent]), 2, /its brick is up/],
	[
		'one at which something answers',
		withAnswers(gone, [3, {kind: 'invalid', problem: 'x', address: 'h3'}]),
		3,
		/something answers at h3/,
	],
	['another server down', {...gone, up: uuids(1)}, 3, /h2 .*is down/],
	['another server’s hekafsd silent', withAnswers(gone, [2, silent]), 3, /h2 .*can't be asked/],
	['split brain', {...gone, heals: {pending: 0, splitBrain: 2}}, 3, /2 files are in split brain/],
	[
		'itself with heals pending',
		{...observationOf(1, three), heals: {pending: 1, splitBrain: 0}},
		1,
		/1 heals/,
	],
	['not verified', {...gone, verdict: unknown}, 3, /only while it is verified/],
	[
		'two filesystems',
		withAnswers(gone, [4, answerOf(4, setOf(1, [4], filesystemOf(2)))]),
		3,
		/Two config filesystems/,
	],
];
for (const [name, o, n, expected] of refusedRetirements)
	test(`retire refused: ${name}`, t => t.regex(refusal(retire(o, n, true)), expected));

const halved = withAnswers({...observationOf(2, setOf(2, [1, 2])), verdict: unknown, up: uuids(2)}, [
	1,
	silent,
]);

test('retire: the dead first of two needs the operator’s word', t => {
	t.regex(refusal(retire(halved, 1)), /only cut off.*retire 00000001-.* --force/);
	const result = retire(halved, 1, true);
	t.deepEqual(steps(result), [
		'closeGate',
		'prepareServers',
		'startBricks',
		'mountMaintenance',
		'decide',
		'writeRecord',
		'matchMarkers',
		'removeChange',
		'adopt',
		'tellMembersAdopt',
		'unlock',
	]);
	if (result.kind !== 'plan') return;
	t.deepEqual(result.to, setOf(100, [2], FS, firstAttempt(2)));
	t.deepEqual(result.steps[6], {kind: 'matchMarkers', set: result.to});
	t.deepEqual(result.steps[1], {kind: 'prepareServers', servers: [uuidOf(2)]});
	t.like(result.change, {forced: true});
	t.like(result.steps[5], {record: {givenUp: uuidOf(1)}});
	t.true(result.warnings.some(w => /h1 .*never be started/.test(w)));
});

test('retire: the dead first of two, also while nothing is mounted', t => {
	t.is(retire({...halved, verdict: undefined}, 1, true).kind, 'plan');
});

test('retire: the first of two, refused where it would be wrong', t => {
	t.regex(refusal(retire({...halved, up: uuids(1, 2)}, 1, true)), /alive/);
	t.regex(refusal(retire(withAnswers(halved, [1, answerOf(1, setOf(2, [1, 2]))]), 1, true)), /alive/);
	const newer = withAnswers(halved, [1, silent], [3, answerOf(3, setOf(3, [1]))]);
	t.regex(refusal(retire(newer, 1, true)), /knows epoch 3, this node only epoch 2.*h1 /s);
	t.is(retire(withAnswers(halved, [1, silent], [3, answerOf(3, setOf(2, [1, 2]))]), 1, true).kind, 'plan');
	const member = {
		...withAnswers(observationOf(4, setOf(2, [1, 2])), [1, silent]),
		verdict: unknown,
		up: uuids(),
	};
	t.regex(refusal(retire(member, 1, true)), /Run it on h2 /);
	t.regex(refusal(retire({...halved, state: {...halved.state!, brick: null}}, 1, true)), /STATE_INVALID/);
	t.regex(refusal(retire(halved, 2, true)), /only while it is verified/);
});

// — sentences —

test('every kind of step has a sentence of its own', t => {
	const plans = [
		planFound(observationOf(1, null), request),
		planJoin(joining),
		retire(observationOf(2, three), 2),
		retire(gone, 3),
		retire(halved, 1, true),
	];
	const sentences = new Map<string, string>();
	for (const plan of plans)
		for (const step of plan.kind === 'plan' ? plan.steps : [])
			sentences.set(
				step.kind,
				describeStep(step, uuid => `<${uuid.slice(0, 8)}>`),
			);
	t.is(sentences.size, 24, 'every kind of step is in one of the plans');
	t.is(new Set(sentences.values()).size, sentences.size);
	for (const sentence of sentences.values()) t.regex(sentence, /^[a-z][^\n]+[^.]$/);
	t.is(
		describeStep({kind: 'startBricks', servers: []}),
		'start the bricks of nobody under the name of the new set, which cuts off clients of the old one',
	);
	t.regex(describeStep({kind: 'removeMarker', uuid: uuidOf(1)}), new RegExp(uuidOf(1)));
});
