/** Why the gate is not open, or why the filesystem is not healthy: stable codes, sentences, remedies. */

/** The codes; `docs/OPERATING.md` has an entry for each. Never renamed, never reused. */
export const REASON_CODES = [
	'starting',
	'no-filesystem',
	'no-members',
	'mount-failed',
	'mount-silent',
	'markers-unreadable',
	'marker-missing',
	'marker-foreign',
	'marker-invalid',
	'epoch-differs',
	'filesystem-differs',
	'two-filesystems',
	'no-quorum',
	'changing',
	'retired',
	'brick-down',
	'server-down',
	'heals-pending',
	'split-brain',
	'reading-copy',
	'copy-not-kept',
	'peer-unreachable',
	'members-unknown',
	'stopping',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

export interface Reason {
	readonly code: ReasonCode;
	/** What is wrong, naming the thing it is about (a node, a marker file). */
	readonly text: string;
	/** What the reader can do. */
	readonly remedy: string;
}

/** One line of the `reason` file: code, sentence, what to do; tabs and newlines in foreign text are replaced. */
export const formatReason = (reason: Reason): string =>
	[reason.code, reason.text, reason.remedy].map(part => part.replaceAll(/[\t\n\r]/g, ' ')).join('\t');
