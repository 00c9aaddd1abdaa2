/** Reads GlusterFS's log lines: what went wrong, in its own words; pure. */

/** E error, C critical, A alert, M emergency; W, N, I, D, T are of less weight. */
export interface LogLine {
	readonly level: string;
	/** Name of the translator, as `0-posix`. */
	readonly from: string;
	readonly message: string;
}

const GRAVE = new Set(['E', 'C', 'A', 'M']);

/** `[2024-05-01 10:00:00.000000 +0000] E [MSGID: 113071] [posix-common.c:706:posix_init] 0-posix: message [{errno=…}]` */
const LINE = /^\[\d[^\]]*\] ([A-Z]) (?:\[MSGID: \d+\] )?\[[^\]]*\] ([^\s:]+): (.*)$/;

export const parseLogLine = (line: string): LogLine | undefined => {
	const match = LINE.exec(line);
	return match === null ? undefined : {level: match[1]!, from: match[2]!, message: match[3]!.trim()};
};

/** The messages of the lines that report an error, first cause first, each once. */
export const errorMessages = (log: string): string[] => [
	...new Set(
		log
			.split('\n')
			.map(parseLogLine)
			.filter(line => line !== undefined && GRAVE.has(line.level))
			.map(line => line!.message),
	),
];
