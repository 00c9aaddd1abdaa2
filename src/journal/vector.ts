/** Version vectors: for each node the number of its last change that is contained. Pure. */
import {type NodeUuid, parseNodeUuid} from '../membership/ids.ts';

export type VersionVector = ReadonlyMap<NodeUuid, number>;

/** `before`: the first is contained in the second, which has more. */
export type VectorOrder = 'equal' | 'before' | 'after' | 'concurrent';

export const compareVectors = (a: VersionVector, b: VersionVector): VectorOrder => {
	const within = (x: VersionVector, y: VersionVector): boolean =>
		[...x].every(([node, counter]) => counter <= (y.get(node) ?? 0));
	const less = within(a, b);
	const more = within(b, a);
	return less ? (more ? 'equal' : 'before') : more ? 'after' : 'concurrent';
};

/** The least vector that contains all of them. */
export const joinVectors = (vectors: Iterable<VersionVector>): VersionVector => {
	const joined = new Map<NodeUuid, number>();
	for (const vector of vectors)
		for (const [node, counter] of vector) joined.set(node, Math.max(counter, joined.get(node) ?? 0));
	return joined;
};

/** One line, sorted by node: `UUID:COUNTER,UUID:COUNTER`; empty for the empty vector. */
export const formatVector = (vector: VersionVector): string =>
	[...vector]
		.toSorted(([a], [b]) => (a < b ? -1 : 1))
		.map(([node, counter]) => `${node}:${counter}`)
		.join(',');

/** @returns undefined when the text is not a vector in the form of `formatVector` */
export const parseVector = (text: string): VersionVector | undefined => {
	const vector = new Map<NodeUuid, number>();
	if (text === '') return vector;
	for (const part of text.split(',')) {
		const [, uuid = '', digits = ''] = /^([0-9a-f-]{36}):(\d{1,16})$/.exec(part) ?? [];
		const node = parseNodeUuid(uuid);
		const counter = Number(digits);
		if (node === undefined || !Number.isSafeInteger(counter) || vector.has(node)) return undefined;
		vector.set(node, counter);
	}
	return vector;
};
