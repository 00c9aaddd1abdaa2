import test from 'ava';
import {type Epoch} from '../../../src/membership/ids.ts';
import {parseMarker} from '../../../src/membership/marker.ts';
import {reasonFor} from '../../../src/membership/reasons.ts';
import {formatReason, type Reason, REASON_CODES, type ReasonCode} from '../../../src/membership/reason.ts';
import {bytesOf, filesystemOf, FS, markerOf, serverOf, setOf, uuidOf, uuids} from '../../support/sets.ts';

const set = setOf(2, [1, 2]);
const samples: {readonly [Code in ReasonCode]: Reason} = {
	starting: reasonFor.starting(),
	'no-filesystem': reasonFor.noFilesystem(),
	'no-members': reasonFor.noMembers(),
	'mount-failed': reasonFor.mountFailed('glusterfs ended with 1'),
	'mount-silent': reasonFor.mountSilent(2000),
	'markers-unreadable': reasonFor.markersUnreadable('ENOTCONN'),
	'marker-missing': reasonFor.markerMissing(serverOf(1), set),
	'marker-foreign': reasonFor.markerForeign(uuidOf(3), markerOf(3), set),
	'marker-invalid': reasonFor.markerInvalid('a\nb', 'it is empty'),
	'epoch-differs': reasonFor.epochDiffers('.hekafs/set', setOf(3, [1, 2, 3]), set),
	'filesystem-differs': reasonFor.filesystemDiffers('.hekafs/set', filesystemOf(2), FS),
	'two-filesystems': reasonFor.twoFilesystems(FS, filesystemOf(2)),
	'no-quorum': reasonFor.tooFewServers(set, uuids(2)),
	changing: reasonFor.changing('h3 joins'),
	retired: reasonFor.retired(set),
	'brick-down': reasonFor.brickDown('port in use'),
	'server-down': reasonFor.serverDown(serverOf(2)),
	'heals-pending': reasonFor.healsPending(4),
	'split-brain': reasonFor.splitBrain(1),
	'reading-copy': reasonFor.readingCopy(new Date(0), 65_000),
	'copy-not-kept': reasonFor.copyNotKept('more than 10 bytes of content'),
	'peer-unreachable': reasonFor.peerUnreachable('h3', 'refused'),
	'members-unknown': reasonFor.membersUnknown('glusterd is not running'),
	stopping: reasonFor.stopping(),
};

for (const code of REASON_CODES) {
	test(`${code} has its code, a sentence and a remedy, on one line`, t => {
		const sample = samples[code];
		t.is(sample.code, code);
		t.true(sample.text.length > 10 && sample.remedy.length > 10);
		t.regex(sample.remedy, /`|wait/, 'a remedy names a command');
		t.regex(formatReason(sample), /^[a-z-]+\t[^\t\n\r]+\t[^\t\n\r]+$/);
	});
}

test('a reason names what it is about', t => {
	t.true(samples['marker-missing'].text.includes(`.hekafs/markers/${uuidOf(1)}`));
	t.true(samples['marker-foreign'].text.includes(uuidOf(3)));
	t.true(samples['marker-invalid'].text.includes('.hekafs/markers/a\\nb'));
	t.regex(samples['no-quorum'].text, /1 of 2 .* down: h1 /);
	t.regex(reasonFor.tooFewServers(set, uuids(1, 2)).remedy, /retire NODE/);
	t.regex(reasonFor.epochDiffers('marker x', 3 as Epoch, set).text, /epoch 3, but epoch 2/);
	t.regex(reasonFor.healsUnknown().text, /could not be counted/);
});

test('the marker that the remedy writes is a valid one', t => {
	const json = /echo '(.+)' >/.exec(samples['marker-missing'].remedy)?.[1] ?? '';
	t.is(parseMarker(uuidOf(1), bytesOf(json)).kind, 'marker');
});

test('variants', t => {
	t.is(reasonFor.changing().text, 'the server set is being changed');
	t.is(reasonFor.healsUnknown().code, 'heals-pending');
	t.is(new Set(Object.values(samples).map(r => r.code)).size, REASON_CODES.length);
});

test('foreign tabs and newlines do not break the line', t => {
	t.is(formatReason({code: 'changing', text: 'a\tb\nc', remedy: 'd\re'}), 'changing\ta b c\td e');
});
