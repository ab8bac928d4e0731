import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import { secret } from '@bloomery/model';
import { systemClock } from '@bloomery/ports';
import { createUseCounter, planUses } from './count-uses.ts';
import { changeTokenSecret, readTokenSecret } from './token-secret.ts';

const limited = (name: string, uses: number, usedBy: readonly string[] = []) => {
  return { name, token: 't', created: '', uses, usedBy };
};
const uses = (...pairs: string[]) => pairs.map((pair) => ({ token: pair[0] ?? '', server: pair[1] ?? '' }));

describe('planned uses', () => {
  it('are granted in order up to the limit, once for a machine, and for no token that is not there', () => {
    const { granted, changed } = planUses(
      [limited('a', 2, ['0']), limited('b', 1, ['x']), { name: 'c', token: 't', created: '', revoked: 'x' }],
      uses('a1', 'a2', 'a1', 'a0', 'bx', 'by', 'cz', 'dz'),
      0,
    );
    assert.deepEqual(granted, uses('a1', 'a1', 'a0', 'bx'));
    assert.deepEqual(changed, [limited('a', 2, ['0', '1'])]);
  });
});

describe('a counter of uses', () => {
  it('writes once for all that come together, keeps the limit beside other writers, and says when it cannot write', async () => {
    let patches = 0;
    let isBroken = false;
    const client = createMemoryClient({
      intercept: (verb, kind) => {
        if (isBroken) throw new Error('the disk is full');
        if (verb === 'patch' && kind.kind === secret.kind) patches += 1;
      },
    });
    await changeTokenSecret(client, () => ({ tokens: { a: limited('a', 50) } }));
    patches = 0;
    const counters = [0, 1].map(() => createUseCounter({ client, clock: systemClock, onWritten: () => {} }));
    const asked = Array.from({ length: 200 }, (_, i) => counters[i % 2]?.count('a', `machine-${i}`));
    const granted = (await Promise.all(asked)).filter(Boolean);
    assert.equal(granted.length, 50);
    assert.ok(patches <= 20, `${patches} patches`);
    const found = await client.get(secret, { name: 'siderolink-join-tokens', namespace: 'default' });
    assert.equal(readTokenSecret(found).tokens[0]?.usedBy?.length, 50);
    isBroken = true;
    await assert.rejects(async () => counters[0]?.count('a', 'machine-0'), /the disk is full/);
    isBroken = false;
    assert.equal(await counters[0]?.count('a', 'machine-199'), false);
  });
});
