import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createHeldBytes } from './held-bytes.ts';

describe('held bytes', () => {
  it('are all pieces in order, whatever their sizes, and are counted exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 8 }), { maxLength: 3 }),
        (rounds) => {
          let memory = 0;
          const held = createHeldBytes((byBytes) => {
            memory += byBytes;
            return true;
          }, 20_000);
          for (const pieces of rounds) {
            const [last = new Uint8Array(), ...first] = pieces;
            for (const piece of first) assert.equal(held.add(piece), true);
            const size = first.reduce((sum, { length }) => sum + length, 0);
            assert.equal(held.size, size);
            assert.ok(memory >= size && memory <= 20_000, `${memory} for ${size}`);
            assert.deepEqual(held.takeWith(last), Buffer.concat([...first, last]));
            assert.deepEqual([held.size, memory], [0, 0]);
          }
        },
      ),
    );
  });

  it('take at most twice their size, in few steps', () => {
    const steps: number[] = [];
    const held = createHeldBytes((byBytes) => steps.push(byBytes) > 0, 100_000);
    for (let i = 0; i < 10_000; i++) held.add(Uint8Array.of(i));
    assert.deepEqual(steps, [512, 512, 1_024, 2_048, 4_096, 8_192]);
    held.clear();
    assert.equal(steps.at(-1), -16_384);
  });

  it('keep what they have when memory for more is refused', () => {
    let isRefused = false;
    const held = createHeldBytes(() => !isRefused, 10_000);
    held.add(Buffer.from('kept'));
    isRefused = true;
    assert.equal(held.add(new Uint8Array(600)), false);
    assert.equal(held.takeWith(Buffer.from('!')).toString(), 'kept!');
  });
});
