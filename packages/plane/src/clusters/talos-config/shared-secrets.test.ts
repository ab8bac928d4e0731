import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { createSharedSecrets } from './shared-secrets.ts';

it('secrets are made once for all who ask at the same time, and anew for who asks later', async () => {
  const make = createSharedSecrets((length) => randomBytes(length));
  const context = { clock: createFakeClock() };
  const cluster = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    metadata: { name: 'blue', namespace: 'default', uid: 'u' },
  };
  const contract = { major: 1, minor: 6 };
  const [first, second, other] = await Promise.all([
    make(context, cluster, contract),
    make(context, cluster, contract),
    make(context, { ...cluster, metadata: { ...cluster.metadata, name: 'red' } }, contract),
  ]);
  assert.equal(first, second);
  assert.notEqual(first, other);
  assert.notEqual(await make(context, cluster, contract), first);
});
