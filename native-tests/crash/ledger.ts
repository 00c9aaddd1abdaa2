/** What a crash writer's ledger promises, and whether a directory keeps it. Pure. */

export interface Promised {
	/** Files that were made and that nobody tried to remove. */
	readonly present: ReadonlySet<number>;
	/** Files that were removed. */
	readonly absent: ReadonlySet<number>;
	/** Operations that were acknowledged. */
	readonly acknowledged: number;
}

export const readLedger = (text: string): Promised => {
	const present = new Set<number>();
	const absent = new Set<number>();
	let acknowledged = 0;
	// The last line may be cut off.
	for (const line of text.split('\n').slice(0, -1)) {
		const [phase, what, number] = line.split(' ');
		const n = Number(number);
		if (phase === 'did') acknowledged++;
		if (phase === 'did' && what === 'make') present.add(n);
		if (phase === 'try' && what === 'remove') present.delete(n);
		if (phase === 'did' && what === 'remove') absent.add(n);
	}
	return {present, absent, acknowledged};
};

/**
 * @param found content of the directory by file name
 * @returns what is not as promised, as sentences
 */
export const brokenPromises = (
	{present, absent}: Promised,
	found: ReadonlyMap<string, string>,
): readonly string[] => [
	...[...present].flatMap(n => {
		const content = found.get(String(n));
		if (content === undefined) return [`the acknowledged file ${n} is missing`];
		return content === `content ${n}` ? [] : [`file ${n} holds ${JSON.stringify(content)}`];
	}),
	...[...absent].filter(n => found.has(String(n))).map(n => `the removed file ${n} is back`),
];
