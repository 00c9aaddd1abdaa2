import test from 'ava';
import {type Epoch} from '../../../src/membership/ids.ts';
import {parseMarker} from '../../../src/membership/marker.ts';
import {REASONS} from '../../../src/membership/reason-texts.ts';
import {formatReason, type Reason, REASON_CODES, type ReasonCode} from '../../../src/membership/reason.ts';
import {bytesOf, filesystemOf, FS, markerOf, serverOf, setOf, uuidOf, uuids} from '../../support/sets.ts';

const set = setOf(2, [1, 2]);
const samples: {readonly [Code in ReasonCode]: Reason} = {
	starting: REASONS.starting(),
	'no-filesystem': REASONS['no-filesystem'](),
	'no-members': REASONS['no-members'](),
	'mount-failed': REASONS['mount-failed']('glusterfs ended with 1'),
	'mount-silent': REASONS['mount-silent'](2000),
	'markers-unreadable': REASONS['markers-unreadable']('ENOTCONN'),
	'marker-missing': REASONS['marker-missing'](serverOf(1), set),
	'marker-foreign': REASONS['marker-foreign'](uuidOf(3), markerOf(3), set),
	'marker-invalid': REASONS['marker-invalid']('a\nb', 'it is empty'),
	'epoch-differs': REASONS['epoch-differs']('.hekafs/set', setOf(3, [1, 2, 3]), set),
	'filesystem-differs': REASONS['filesystem-differs']('.hekafs/set', filesystemOf(2), FS),
	'two-filesystems': REASONS['two-filesystems']([{node: uuidOf(1), filesystemId: FS}]),
	'no-quorum': REASONS['no-quorum'](set, uuids(2)),
	changing: REASONS.changing('h3 joins'),
	retired: REASONS.retired(set),
	'brick-down': REASONS['brick-down']('port in use'),
	'server-down': REASONS['server-down'](serverOf(2)),
	'heals-pending': REASONS['heals-pending'](4),
	'split-brain': REASONS['split-brain'](1),
	'peer-unreachable': REASONS['peer-unreachable']('h3', 'refused'),
	'members-unknown': REASONS['members-unknown']('glusterd is not running'),
	stopping: REASONS.stopping(),
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
	t.regex(REASONS['no-quorum'](set, uuids(1, 2)).remedy, /retire NODE/);
	t.regex(REASONS['epoch-differs']('marker x', 3 as Epoch, set).text, /epoch 3, but epoch 2/);
	t.regex(REASONS['heals-pending'](null).text, /could not be counted/);
});

test('the marker that the remedy writes is a valid one', t => {
	const json = /echo '(.+)' >/.exec(samples['marker-missing'].remedy)?.[1] ?? '';
	t.is(parseMarker(uuidOf(1), bytesOf(json)).kind, 'marker');
});

test('foreign tabs and newlines do not break the line', t => {
	t.is(formatReason({code: 'changing', text: 'a\tb\nc', remedy: 'd\re'}), 'changing\ta b c\td e');
});
