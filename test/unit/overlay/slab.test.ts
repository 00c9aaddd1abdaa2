/** Blocks of bytes in shared memory. */
import test from 'ava';
import fc from 'fast-check';
import {createSlabBuffer, Slab, SLAB_MAX_BYTES} from '../../../src/overlay/slab.ts';

test('blocks keep their bytes and never overlap', t => {
	const lengths = fc.array(fc.integer({min: 0, max: 600}), {minLength: 1, maxLength: 60});
	fc.assert(
		fc.property(lengths, fc.array(fc.nat()), (sizes, frees) => {
			const slab = new Slab(createSlabBuffer(1 << 18));
			const blocks = sizes.map((size, i) => ({bytes: Buffer.alloc(size, i), block: 0}));
			for (const b of blocks) b.block = slab.store(b.bytes);
			for (const f of frees) {
				const victim = blocks[f % blocks.length]!;
				slab.free(victim.block);
				victim.block = slab.store(victim.bytes);
			}
			return (
				slab.used === blocks.length &&
				blocks.every(b => b.block !== 0 && slab.equals(b.block, b.bytes.length, b.bytes))
			);
		}),
	);
	t.pass();
});

test('no room is 0; freed room is used again, larger blocks for smaller ones too', t => {
	const slab = new Slab(createSlabBuffer(1024));
	const big = slab.store(Buffer.alloc(1000));
	t.not(big, 0);
	t.is(slab.store(Buffer.alloc(1)), 0);
	slab.free(big);
	t.not(slab.store(Buffer.alloc(1)), 0);
	t.is(slab.store(Buffer.alloc(1)), 0);
	t.is(slab.store(Buffer.alloc(SLAB_MAX_BYTES + 1)), 0);
});
