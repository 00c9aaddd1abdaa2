import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {leafCommands} from '../../../src/main/manual/model.ts';
import {configModel, manualPages} from '../../../src/main/manual/pages.ts';
import {code, terms, text, toRoff} from '../../../src/main/manual/roff.ts';
import {REASON_CODES} from '../../../src/membership/reason.ts';

const help = async (program: string, ...words: readonly string[]): Promise<string> =>
	await new Promise((resolve, reject) => {
		const path = fileURLToPath(new URL(`../../../src/main/${program}`, import.meta.url));
		execFile(process.execPath, [path, ...words, '--help'], {timeout: 30_000}, (error, out) => {
			if (error === null) resolve(out);
			else reject(new Error(`${program} --help failed`, {cause: error}));
		});
	});

/** What a reader of the page sees, on one line. */
const readable = (roff: string): string =>
	roff
		.replaceAll(/\\f[BR]/g, '')
		.replaceAll('\\-', '-')
		.replaceAll('\\e', '\\')
		.replaceAll('\\(aq', "'")
		.replaceAll('\\(dq', '"')
		.replaceAll('\\(ti', '~')
		.replaceAll('\\(bu', '·')
		.replaceAll('...', '…')
		.replaceAll(/^\.(SH|SS|TP|PP|RS 4|RE|nf|fi)\b/gm, '')
		.replaceAll(/[\s`]+/g, ' ');

/** Flags, descriptions and examples of a help text, each as one line. */
const facts = (out: string): string[] => {
	const list: string[] = [];
	for (const line of out.split('\n')) {
		// "  --flag <value>  description", with the description going on in lines that are set in.
		const option = /^ {2}((?:-\w, )?--\S+(?: [<[]\S+)?)\s{2,}(.*)$/.exec(line);
		if (option !== null) list.push(option[1]!, option[2]!);
		else if (/^ {4,}\S/.test(line) && list.length > 0) list.push(line.trim());
		else if (/^ {2}hfs_config /.test(line)) list.push(line.trim());
	}
	return list
		.map(fact => fact.replaceAll(/[\s`]+/g, ' '))
		.filter(fact => fact !== 'display help for command');
};

const page = (name: string): string => {
	const roff = manualPages().get(name);
	if (roff === undefined) throw new Error(`no page ${name}`);
	return readable(roff);
};

test('hfs_config(8) says what the help of each command says', async t => {
	const manual = page('hfs_config.8');
	const commands = leafCommands(configModel());
	t.true(commands.length >= 10);
	for (const [words] of commands) {
		const found = facts(await help('hfs-config.js', ...words));
		t.true(found.length > 0, words.join(' '));
		for (const fact of found.filter(one => one !== '-h, --help'))
			t.true(manual.includes(fact), `${words.join(' ')}: ${fact}`);
	}
});

test('hekafsd(8) says what hekafsd --help says', async t => {
	const manual = page('hekafsd.8');
	const found = facts(await help('hekafsd.js'));
	t.true(found.includes('--write-wait <s>'));
	for (const fact of found) t.true(manual.includes(fact), fact);
});

test('hekafs(7) names every reason', t => {
	for (const code of REASON_CODES) t.true(page('hekafs.7').includes(code), code);
});

test('what roff would take for its own is text', t => {
	const roff = toRoff(
		{
			name: 'x',
			section: 7,
			summary: 's',
			sections: [['A "B"', [text(".so /etc/passwd's `b-c`"), code('a\\nb', "'quoted"), terms(['.TH', '~'])]]],
			seeAlso: ['x(7)'],
		},
		'1',
	);
	t.is(
		roff,
		`.TH "X" 7 "" "HekaFS 1" "HekaFS"
.ad l
.SH NAME
x \\- s
.SH "A \\(dqB\\(dq"
.PP
\\&.so /etc/passwd\\(aqs \\fBb\\-c\\fR
.PP
.RS 4
.nf
a\\enb
\\(aqquoted
.fi
.RE
.TP
\\fB\\&.TH\\fR
\\(ti
.SH "SEE ALSO"
x(7)
`,
	);
});
