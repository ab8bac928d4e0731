import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { createSecretsBundle, createTalosconfig, parseVersionContract, readPrivateKey } from '@bloomery/talos';
import { readTalosconfig } from './read-talosconfig.ts';

it('a talosconfig names endpoints and credentials of its present context', async () => {
  const source = { nowMs: Date.now(), random: (length: number) => randomBytes(length) };
  const bundle = await createSecretsBundle({ ...source, contract: parseVersionContract('v1.6') });
  const text = await createTalosconfig({ ...source, bundle, clusterName: 'forge', endpoints: ['10.77.0.21'] });
  const { endpoints, credentials } = readTalosconfig(text);
  assert.deepEqual(endpoints, ['10.77.0.21']);
  assert.equal(credentials.ca, bundle.os.crt);
  assert.equal(readPrivateKey(credentials.key).asymmetricKeyType, 'ed25519');
});

it('a talosconfig without a context is refused', () => {
  assert.throws(() => readTalosconfig('context: a'), TypeError);
});
