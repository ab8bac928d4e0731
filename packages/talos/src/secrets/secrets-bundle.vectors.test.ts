import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readVectors } from '../testing/vectors.ts';
import { readSecretsBundle, writeSecretsBundle } from './index.ts';

interface BundleCase {
  readonly name: string;
  readonly bundle: string;
  readonly errors?: readonly string[];
  readonly parseError?: string;
}

const file = readVectors<BundleCase>('cluster/secrets-bundle.json');
describe('cluster/secrets-bundle.json', { skip: file === undefined }, () => {
  for (const vector of file?.cases ?? []) {
    it(vector.name, () => {
      if (vector.parseError !== undefined) {
        assert.throws(() => readSecretsBundle(vector.bundle), { code: 'BLM_TALOS_SECRETS_INVALID' });
        return;
      }
      const { bundle, problems } = readSecretsBundle(vector.bundle);
      assert.deepEqual(problems, vector.errors);
      if (problems.length === 0)
        assert.deepEqual(readSecretsBundle(writeSecretsBundle(bundle)), { bundle, problems: [] });
    });
  }
});
