/** The index of a copy: what is encoded is read back, and nothing else is. */
import test from 'ava';
import fc from 'fast-check';
import {crc32} from 'node:zlib';
import {CopyIndex} from '../../../src/snapshot/copy-index.ts';
import {encodeIndex, type IndexFacts} from '../../../src/snapshot/encode.ts';
import {HEADER, MAGIC, VERSION} from '../../../src/snapshot/index-layout.ts';
import {type CopyNode, type CopyTree, TYPE} from '../../../src/snapshot/tree.ts';
import {copyNode, directoryNode} from '../../support/copy-trees.ts';

const FACTS: IndexFacts = {
	checkedMs: 1.5e12,
	updatedMs: 1.6e12,
	quiet: true,
	pack: 7,
	packBytes: 123,
	filesystem: '0f9d2a4c-0000-4000-8000-000000000001',
};

const bytes = (maxLength: number) => fc.uint8Array({maxLength}).map(array => Buffer.from(array));
const name = fc
	.uint8Array({minLength: 1, maxLength: 12, min: 1})
	.filter(array => !array.includes(0x2f))
	.map(array => Buffer.from(array).toString('latin1'));
const xattrs = fc.array(fc.record({name: bytes(9), value: bytes(20)}), {maxLength: 3});
const inos = fc.bigInt({min: 2n, max: (1n << 64n) - 1n});
const file = fc
	.tuple(inos, fc.record({offset: fc.nat(), length: fc.nat(), crc: fc.nat()}), xattrs)
	.map(([ino, content, x]) => [ino, copyNode(ino, TYPE.regular, {content, xattrs: x})] as const);
const link = fc
	.tuple(inos, bytes(30), xattrs)
	.map(([ino, target, x]) => [ino, copyNode(ino, TYPE.symlink, {target, xattrs: x})] as const);

/** A root, directories in it, and names in all of them; several may be of one file. */
const trees: fc.Arbitrary<CopyTree> = fc
	.record({
		leaves: fc.uniqueArray(fc.oneof(file, link), {maxLength: 20, selector: ([ino]) => ino}),
		directories: fc.array(name, {maxLength: 4}),
		names: fc.array(fc.tuple(fc.nat(), fc.nat(), name), {maxLength: 40}),
	})
	.map(({leaves, directories, names}) => {
		const nodes = new Map<bigint, CopyNode>(leaves);
		const maps = [new Map<string, bigint>()];
		nodes.set(1n, directoryNode(1n, maps[0]!));
		for (const directory of new Set(directories)) {
			const ino = BigInt(maps.length) << 40n;
			if (nodes.has(ino)) continue;
			const children = new Map<string, bigint>();
			nodes.set(ino, directoryNode(ino, children));
			maps[0]!.set(directory, ino);
			maps.push(children);
		}
		for (const [where, which, text] of names) {
			const leaf = leaves[which % Math.max(1, leaves.length)];
			const into = maps[where % maps.length]!;
			if (leaf !== undefined && !into.has(text)) into.set(text, leaf[0]);
		}
		// What nobody can reach is not in the copy.
		const used = new Set([1n, ...maps.flatMap(map => [...map.values()])]);
		return {root: 1n, nodes: new Map([...nodes].filter(([ino]) => used.has(ino)))};
	});

const sorted = (tree: CopyTree) =>
	[...tree.nodes].sort(([a], [b]) => Number(a > b) - Number(a < b)).map(([, node]) => node);

test('what is encoded is read back: files, names, contents, links, attributes', t => {
	fc.assert(
		fc.property(trees, tree => {
			const index = CopyIndex.parse(encodeIndex(tree, FACTS));
			if (index === undefined) throw new Error('not parsed');
			t.deepEqual(index.facts, FACTS);
			const back = index.tree();
			t.is(back.root, tree.root);
			for (const [i, node] of sorted(back).entries()) {
				const {children, ...rest} = sorted(tree)[i]!;
				const {children: childrenBack, ...restBack} = node;
				t.deepEqual(restBack, rest);
				t.deepEqual([...(childrenBack ?? [])].sort(), [...(children ?? [])].sort());
			}
			t.is(back.nodes.size, tree.nodes.size);
			for (const [ino, {children}] of tree.nodes)
				for (const [text, child] of children ?? [])
					t.is(index.lookup(index.find(ino)!, Buffer.from(text, 'latin1')), index.find(child));
		}),
		{numRuns: 200},
	);
	t.pass();
});

test('an index that was cut off or changed in any byte is none', t => {
	fc.assert(
		fc.property(trees, fc.nat(), fc.integer({min: 1, max: 255}), fc.boolean(), (tree, at, flip, cut) => {
			const good = encodeIndex(tree, FACTS);
			const place = at % good.length;
			const bad = cut ? good.subarray(0, place) : Buffer.from(good);
			if (!cut) bad[place]! ^= flip;
			t.is(CopyIndex.parse(bad), undefined);
		}),
		{numRuns: 300},
	);
	t.pass();
});

test('bytes of somebody else never give an index that reaches beyond them', t => {
	fc.assert(
		fc.property(bytes(400), bytes(16), (tail, header) => {
			const hostile = Buffer.concat([MAGIC, Buffer.alloc(8), header, tail]);
			t.is(CopyIndex.parse(hostile), undefined);
			hostile.writeUInt32LE(VERSION, HEADER.version);
			hostile.writeUInt32LE(crc32(hostile.subarray(HEADER.crc + 4)), HEADER.crc);
			const index = CopyIndex.parse(hostile);
			if (index === undefined) return;
			// The checksum is right: what the header tells of must fit.
			t.true(index.files * 192 <= hostile.length);
			t.is(index.find(99n) ?? 0, index.find(99n) ?? 0);
		}),
		{numRuns: 500},
	);
	t.pass();
});
